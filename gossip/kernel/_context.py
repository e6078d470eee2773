"""What the parts of one protocol instance share: settings, identity, state, and the way out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from gossamer.gossip.basis import COUNTERS, GossipConfig, Notices, Timers
from gossamer.gossip.messages import ROOT_SIZE, Message, encode_body
from gossamer.gossip.sealing import ForeignKey, Refused, Seal
from gossamer.gossip.state import (
    Address,
    Event,
    KeyRefused,
    Member,
    MemberTable,
    News,
    OwnKeyRefused,
    Status,
    Store,
    fingerprint,
)

from ._health import Isolation, LocalHealth
from ._questions import Questions
from ._signals import Signals

if TYPE_CHECKING:
    from ._exchange import Exchange

# An epoch is Unix time in milliseconds; none is believed that lies further ahead than this.
_EPOCH_AHEAD = 24 * 3600 * 1000
# With a clock that is known to be far behind, all that can be said is that peers are not restarted
# less often than this.
_EPOCH_AHEAD_CLOCKLESS = 10 * 365 * _EPOCH_AHEAD


@dataclass(slots=True)
class Identity:
    """Who this peer is in the mesh."""

    name: str
    epoch: int
    nonce: int
    address: Address
    zone: str
    incarnation: int = 0
    left: bool = False

    def news(self) -> News:
        """Return what this peer says of itself."""
        status = Status.LEFT if self.left else Status.ALIVE
        return News(
            self.name, self.epoch, self.incarnation, status, self.address, self.zone, self.nonce
        )


@dataclass(slots=True)
class Context:
    """State that several parts of the protocol read or write."""

    config: GossipConfig
    rng: Random
    me: Identity
    table: MemberTable
    started: float
    seal: Seal
    health: LocalHealth
    isolation: Isolation
    timers: Timers = field(default_factory=Timers)
    signals: Signals = field(default_factory=Signals)
    store: Store = field(default_factory=Store)
    questions: Questions = field(default_factory=Questions)
    events: list[Event] = field(default_factory=list)
    outbox: list[tuple[Address, bytes]] = field(default_factory=list)
    calls: "list[Exchange]" = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    # When this peer's view last changed: roots that differ then are no more than news on the way.
    changed_at: float = 0.0
    # Apart: who forges senders of the one must not keep the other from being told.
    foreign_keys: Notices = field(default_factory=Notices)
    refusals_of_ours: Notices = field(default_factory=Notices)
    # The wall clock at `started` in milliseconds.
    first_epoch: int = 0
    clockless: bool = False
    fingerprint_of: tuple[int, int] = (-1, -1)
    own_fingerprint: int = 0

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self.counters[name] += amount

    def refuse(
        self, refused: Refused, sender: Address, now: float, *, stream: bool = False
    ) -> bool:
        """Count what is not believed; return whether to tell, on a stream, that its key is why.

        That is so for each sender once a minute: who forges a sender gains nothing by it.
        """
        reason = f"refused_{refused.reason}"
        self.count(reason if reason in self.counters else "refused_other")
        if not isinstance(refused, ForeignKey):
            return False
        # The port of a stream is another one each time.
        where = sender[0] if stream else sender
        if not self.foreign_keys.tell((where, refused.key_id, refused.held), now):
            return False
        self.events.append(KeyRefused(sender, refused.key_id, refused.held))
        return True

    def hear_own_key_refused(self, sender: Address, now: float) -> None:
        """Take in that somebody does not accept what this peer seals with."""
        self.count("keys_refused_by_others")
        if self.refusals_of_ours.tell(sender[0], now):
            self.events.append(OwnKeyRefused(sender))

    def plausible_epoch(self, epoch: int, now: float) -> bool:
        """Whether an epoch can be of a peer that started by now, clocks being a day apart."""
        ahead = _EPOCH_AHEAD_CLOCKLESS if self.clockless else _EPOCH_AHEAD
        return epoch <= self.first_epoch + int((now - self.started) * 1000) + ahead

    def believe(self, epoch: int, now: float) -> None:
        """Take the epoch of the mesh that the operator named for plausible, whatever our clock."""
        if not self.plausible_epoch(epoch, now):
            self.first_epoch = epoch
            self.clockless = True

    @property
    def root(self) -> bytes:
        """Fingerprint of all that this peer knows: 8 bytes members, 8 bytes parts."""
        me = self.me
        members = self.table.root
        if not me.left:
            members ^= self._own_fingerprint()
        return ((members << 64) | self.store.root).to_bytes(ROOT_SIZE)

    def _own_fingerprint(self) -> int:
        me = self.me
        key = (me.epoch, me.incarnation)
        if self.fingerprint_of != key:
            self.fingerprint_of = key
            self.own_fingerprint = fingerprint(me.name, me.epoch, me.incarnation, me.nonce)
        return self.own_fingerprint

    def send(
        self, address: Address, to_epoch: int, messages: list[Message], updates: list[bytes]
    ) -> None:
        """Put one datagram into the outbox; the caller has kept it within the limit."""
        body = encode_body(self.me.name, self.me.epoch, messages, updates)
        self._send_body(address, to_epoch, body)

    def send_to_all(self, members: Iterable[Member], updates: list[bytes]) -> None:
        """Put a datagram of updates for each of these members into the outbox."""
        body = encode_body(self.me.name, self.me.epoch, [], updates)
        for member in members:
            self._send_body(member.address, member.epoch, body)

    def _send_body(self, address: Address, to_epoch: int, body: bytes) -> None:
        datagram = self.seal.seal(body, to_epoch)
        self.outbox.append((address, datagram))
        counters = self.counters
        counters["datagrams_sent"] += 1
        counters["bytes_sent"] += len(datagram)
