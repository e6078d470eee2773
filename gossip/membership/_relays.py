"""Pings for other peers: the indirect probes of SWIM (Das, Gupta, Motivala 2002, section 3.1).

A peer whose ping got no answer asks some relays to ping its target.
Each relay answers in any case.  It says that the target answered, or that the target's host says
that the target is gone, or, when a share of the time is used, that no answer came (Lifeguard's
nack).
"""

from dataclasses import dataclass

from gossamer.gossip.basis import Timer
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context, Sequence
from gossamer.gossip.messages import Gone, Nack, Ping, PingReq, Relayed
from gossamer.gossip.state import Address

_RELAYS_LIMIT = 256


@dataclass(slots=True)
class Relay:
    """A ping sent for another peer."""

    requester: Address
    requester_epoch: int
    sequence: int
    target: Address
    timer: Timer


class Relays:
    """The pings under way that other peers have asked for."""

    def __init__(self, context: Context, spread: Spread, sequence: Sequence) -> None:
        self._config = context.config
        self._table = context.table
        self._root = context.root
        self._timers = context.timers
        self._questions = context.questions
        self._counters = context.counters
        self._spread = spread
        self._sequence = sequence
        # By the number of this peer's own ping.
        self._under_way: dict[int, Relay] = {}

    def abandon(self) -> None:
        """Drop all pings under way: this peer was stopped and could not have heard an answer."""
        for own in list(self._under_way):
            self._end(own)

    def on_ping_req(self, asked: PingReq, requester: Address, epoch: int, now: float) -> None:
        """Ping a member for another peer."""
        sequence = asked.sequence
        known = self._table.lives_at(asked.address)
        if len(self._under_way) >= _RELAYS_LIMIT or not known:
            self._counters.add("refused_relays")
            self._deny(requester, epoch, sequence)
            return
        own = self._sequence.next()
        share = self._config.nack_share

        def give_up(_now: float) -> None:
            self._end(own)
            self._deny(requester, epoch, sequence)

        timer = self._timers.at(now + share * asked.budget / 1000, give_up)
        self._under_way[own] = Relay(requester, epoch, sequence, asked.address, timer)
        self._questions.open(own, self)
        self._spread.send(asked.address, asked.epoch, [Ping(own, asked.target)])

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Tell the peer that asked that its target answered."""
        if sequence in self._under_way:
            relay = self._end(sequence)
            answer = Relayed(relay.sequence, self._root.digest)
            self._spread.send(relay.requester, relay.requester_epoch, [answer])

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Take in that another peer is at the target's address; return whether it was asked."""
        relay = self._under_way.get(sequence)
        if relay is None or relay.target != sender:
            return False
        if self._config.evidence:
            self._tell_gone(sequence)
        return True

    def on_unreachable(self, address: Address) -> None:
        """Take in that a host says that nobody listens at `address` (ICMP port unreachable)."""
        if not self._config.evidence:
            return
        for own, relay in list(self._under_way.items()):
            if relay.target == address:
                self._tell_gone(own)

    def _tell_gone(self, own: int) -> None:
        relay = self._end(own)
        self._spread.send(relay.requester, relay.requester_epoch, [Gone(relay.sequence)])

    def _deny(self, requester: Address, epoch: int, sequence: int) -> None:
        if self._config.nacks:
            self._spread.send(requester, epoch, [Nack(sequence, self._root.digest)])

    def _end(self, own: int) -> Relay:
        relay = self._under_way.pop(own)
        relay.timer.cancel()
        self._questions.close(own, self)
        return relay
