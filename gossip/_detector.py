"""Failure detection: SWIM's probes with Lifeguard's nacks and local health.

One probe a period: a direct ping; after the timeout, k others are asked to ping (with the budget
that is left) and one probe goes over a stream; at the end of the period the target is accused if
nothing came back.
A relay that got no answer says so (nack) when 80 % of its budget is used up, so that a prober
whose relays stay silent learns that it is itself the slow one.

A peer that was stopped (its deadline passed long ago) drops its probes instead of accusing.
"""

from dataclasses import dataclass, field

from ._context import Context
from ._events import IsolationChanged
from ._exchange import ProbeExchange
from ._members import Address, Member, Status
from ._membership import Membership
from ._packet import ACK, NACK, PING, PING_REQ, RELAYED, Message
from ._planner import ProbePlanner
from ._spread import Spread
from ._timers import Timer

_RELAYS_LIMIT = 256
# Together with the target, as many as make isolation (_health.py).
_SILENT_RELAYS = 2


@dataclass(slots=True)
class Probe:
    """One probe under way."""

    sequence: int
    target: str
    epoch: int
    ends_at: float
    timers: list[Timer] = field(default_factory=list)
    relays: dict[str, None] = field(default_factory=dict)
    nacks: dict[str, None] = field(default_factory=dict)
    answered: bool = False
    by_stream: bool = False


@dataclass(slots=True)
class Relay:
    """A ping sent for somebody else."""

    requester: Address
    requester_epoch: int
    sequence: int
    timer: Timer


class Detector:
    """Probes one member each period, and pings for others when asked."""

    def __init__(
        self, context: Context, spread: Spread, membership: Membership, planner: ProbePlanner
    ) -> None:
        self._context = context
        self._spread = spread
        self._membership = membership
        self._planner = planner
        self._sequence = context.rng.getrandbits(31)
        self._probe: Probe | None = None
        self._next: Timer | None = None
        self._relays: dict[int, Relay] = {}

    def start(self, now: float) -> None:
        """Begin to probe, at a random phase of the period."""
        self._arm(now + self._context.rng.random() * self._context.config.probe_interval)

    def next_sequence(self) -> int:
        """Return a sequence number that no message under way has."""
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        return self._sequence

    def abandon(self, now: float) -> None:
        """Drop what is under way: this peer was stopped and could not have heard an answer."""
        if self._probe is not None:
            self._end(self._probe)
            self._context.count("probes_abandoned")
        for relay in self._relays.values():
            relay.timer.cancel()
        self._relays.clear()
        self._context.isolation.forget()
        self._arm(now + self._context.rng.random() * self._context.config.probe_interval)

    # What others say

    def on_ping(self, message: Message, sender: Address, epoch: int, row: Member | None) -> None:
        """Answer a ping that is meant for us; a sender that is accused is told so first."""
        first: list[bytes] = []
        if self._context.me.left:
            first.append(self._context.me.news().encode())
        accusation = self._to_be_told(row) if row is not None else None
        if accusation is not None:
            first.append(accusation)
        self._spread.send(sender, epoch, [[ACK, message[1], self._context.root]], first)

    def on_ack(self, sequence: int, source: str, now: float) -> bool:
        """Take an answer in; return whether anything of ours had asked for it."""
        relay = self._relays.pop(sequence, None)
        if relay is not None:
            relay.timer.cancel()
            answer: Message = [RELAYED, relay.sequence, self._context.root]
            self._spread.send(relay.requester, relay.requester_epoch, [answer])
            return True
        probe = self._probe
        if probe is None or probe.sequence != sequence or probe.target != source:
            return False
        self._succeed(probe, now)
        return True

    def on_relayed(self, sequence: int, now: float) -> None:
        """Take in that a relay got an answer for us."""
        probe = self._probe
        if probe is not None and probe.sequence == sequence and probe.relays:
            self._context.count("probes_relayed")
            self._succeed(probe, now)

    def on_nack(self, sequence: int, source: str) -> None:
        """Take in that a relay lives and got no answer."""
        probe = self._probe
        if probe is not None and probe.sequence == sequence and source in probe.relays:
            probe.nacks[source] = None

    def on_ping_req(self, message: Message, requester: Address, epoch: int, now: float) -> None:
        """Ping somebody for another peer."""
        _, sequence, name, target_epoch, host, port, budget = message
        assert isinstance(sequence, int)
        assert isinstance(target_epoch, int)
        assert isinstance(host, str)
        assert isinstance(port, int)
        assert isinstance(budget, int)
        known = self._context.table.lives_at((host, port))
        if len(self._relays) >= _RELAYS_LIMIT or not known:
            self._context.count("refused_relays")
            self._deny(requester, epoch, sequence)
            return
        own = self.next_sequence()
        share = self._context.config.nack_share

        def give_up(_now: float) -> None:
            self._relays.pop(own, None)
            self._deny(requester, epoch, sequence)

        timer = self._context.timers.at(now + share * budget / 1000, give_up)
        self._relays[own] = Relay(requester, epoch, sequence, timer)
        self._spread.send((host, port), target_epoch, [[PING, own, name]])

    def _deny(self, requester: Address, epoch: int, sequence: int) -> None:
        if self._context.config.nacks:
            self._spread.send(requester, epoch, [[NACK, sequence, self._context.root]])

    # Our own probes

    def _arm(self, when: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._context.timers.at(when, self._period)

    def _period(self, now: float) -> None:
        context = self._context
        if self._probe is not None:
            self._conclude(self._probe, now)
        # After the verdict: what it says of our own health counts for this period already.
        interval = context.health.scale(context.config.probe_interval)
        self._arm(now + interval)
        self._membership.reap(now)
        name = self._planner.next()
        row = context.table.get(name) if name is not None else None
        if row is None or not row.status.living:
            return
        probe = Probe(self.next_sequence(), row.name, row.epoch, now + interval)
        self._probe = probe
        timeout = min(context.health.scale(context.config.probe_timeout), interval)

        def ask_others(when: float) -> None:
            self._ask_others(probe, when)

        probe.timers = [context.timers.at(now + timeout, ask_others)]
        accusation = self._to_be_told(row)
        first = [] if accusation is None else [accusation]
        self._spread.send(row.address, row.epoch, [[PING, probe.sequence, row.name]], first)

    def _to_be_told(self, row: Member) -> bytes | None:
        """Return what is held of a member, for a packet to it; None if it need not hear that."""
        if row.status is Status.SUSPECT and not self._context.config.tell_suspects:
            return None
        return self._membership.accusation(row)

    def _ask_others(self, probe: Probe, now: float) -> None:
        context = self._context
        row = context.table.get(probe.target)
        if row is None or not row.status.living:
            return
        ring, rows = context.table.ring, context.table.rows
        count = context.config.indirect_probes
        chosen = context.rng.sample(ring, min(count + 2, len(ring)))
        excluded = (context.me.name, probe.target)
        relays = [
            rows[name]
            for name in chosen
            if name not in excluded and rows[name].status is Status.ALIVE
        ][:count]
        budget = max(0, int((probe.ends_at - now) * 1000))
        message: Message = [
            PING_REQ, probe.sequence, row.name, row.epoch, row.address[0], row.address[1], budget,
        ]  # fmt: skip
        for relay in relays:
            self._spread.send(relay.address, relay.epoch, [message])
        probe.relays = {relay.name: None for relay in relays}
        if not context.config.stream_probes:
            return

        def report(alive: bool, when: float) -> None:
            if alive and self._probe is probe:
                probe.by_stream = True

        call = ProbeExchange(context, row, probe.sequence, probe.ends_at, report)
        context.calls.append(call)

    def _succeed(self, probe: Probe, now: float) -> None:
        if probe.answered:
            return
        probe.answered = True
        for timer in probe.timers:
            timer.cancel()
        self._context.health.note(-1)
        self._note_outcome(probe.target, True, now)

    def _conclude(self, probe: Probe, now: float) -> None:
        """Judge a probe at the end of its period."""
        self._end(probe)
        if probe.answered:
            return
        context = self._context
        row = context.table.get(probe.target)
        if row is None or not row.status.living or row.epoch != probe.epoch:
            return
        context.count("probes_failed")
        if probe.by_stream:
            # It lives, and only datagrams do not get through: nothing to accuse it of.
            context.count("probes_by_stream_only")
            self._note_outcome(probe.target, True, now)
            return
        # memberlist: with relays, only their missing nacks tell against ourselves.
        asked = len(probe.relays) if context.config.nacks else 0
        missing = asked - len(probe.nacks)
        context.health.note(missing if asked else 1)
        # A live relay is heard in any case: when several are not, it is us who cannot hear. Without
        # this, a peer behind a slow link accuses its first few targets before it knows itself.
        silence = asked >= _SILENT_RELAYS and not probe.nacks
        self._note_outcome(probe.target, False, now, silence=silence)
        if context.isolation.isolated:
            context.count("accusations_withheld")
            return
        self._membership.accuse(probe.target, now)

    def _note_outcome(
        self, target: str, answered: bool, now: float, *, silence: bool = False
    ) -> None:
        isolation = self._context.isolation
        before = isolation.isolated
        isolation.note(target, answered, now)
        if silence:
            isolation.note_silence(now)
        if isolation.isolated != before:
            self._context.events.append(IsolationChanged(isolation.isolated))

    def _end(self, probe: Probe) -> None:
        for timer in probe.timers:
            timer.cancel()
        if self._probe is probe:
            self._probe = None
