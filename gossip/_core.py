"""One peer's protocol, sans-IO: bytes and `now` in; bytes, events and a deadline out."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from ._config import GossipConfig
from ._contacts import Contacts
from ._context import Context, Identity
from ._departure import Departure
from ._detector import Detector
from ._events import Event
from ._exchange import Exchange
from ._health import Isolation, LocalHealth
from ._log import Part
from ._members import Address, Member, MemberTable, News, Status
from ._membership import Membership, Source
from ._own_part import OwnPart
from ._packet import (
    ACK,
    GONE,
    HELD,
    HOLD,
    KEY_REFUSED,
    LEAVE,
    NACK,
    NOT_ME,
    PING,
    PING_REQ,
    RELAYED,
    Delta,
    Head,
    Message,
    Packet,
    decode_body,
    decode_update,
)
from ._planner import ProbePlanner
from ._rates import Rates
from ._receipts import Receipt, Receipts
from ._replicas import Replicas
from ._seal import ChecksumSeal, Refused, Seal
from ._spread import Spread
from ._wire import Malformed

# Updates whose bytes were seen lately are not looked at again; each costs some 200 bytes.
# That many, and those of the generation before.
_SEEN_LIMIT = 2048
# Members that were lately told how they are held.
_TOLD_LIMIT = 1024
# A datagram that claims to be longer than any of ours is not worth a checksum.
_DATAGRAM_LIMIT = 1400
# A peer that is held for dead and speaks is told so at most this often.
_TELL_INTERVAL = 0.5


class Gossip:
    """The protocol of one peer; its drivers are `peers` (sockets) and `simulations`.

    Every input takes `now`, seconds of one monotonic clock, and returns nothing unless said.
    After each input the driver drains `outbox`, `events` and `calls`, and calls `tick` at
    `deadline`; a tick that comes early or late does no harm.
    Randomness comes from `rng` alone: the same seed and inputs give the same bytes.
    """

    def __init__(
        self,
        config: GossipConfig,
        *,
        epoch: int,
        nonce: int,
        advertise: Address,
        rng: Random,
        now: float,
        wall_ms: int | None = None,
        seal: Seal | None = None,
    ) -> None:
        """Begin a life; `wall_ms` is Unix time, by which others' epochs are judged.

        Without it the own epoch stands for it, which a kept epoch makes too late.
        Without a `seal` all that is sent has a checksum and no more.
        """
        self.config = config
        me = Identity(config.name, epoch, nonce, advertise, config.zone)
        self._context = context = Context(
            config=config,
            rng=rng,
            me=me,
            table=MemberTable(config.name),
            started=now,
            seal=ChecksumSeal(config.cluster) if seal is None else seal,
            health=LocalHealth(config.awareness_limit),
            isolation=Isolation(config.isolation_limit),
            changed_at=now,
            first_epoch=epoch if wall_ms is None else wall_ms,
        )
        self._planner = planner = ProbePlanner(rng)
        self._spread = Spread(context)
        self._membership = Membership(context, self._spread, planner)
        self._detector = Detector(context, self._spread, self._membership, planner)
        self._contacts = Contacts(context, self._spread, self._membership, now)
        self._own = OwnPart(context, self._spread, overtaken=self._membership.raise_epoch)
        self._replicas = Replicas(context, self._spread, self._own, fetch=self._contacts.fetch)
        self._contacts.own = self._own
        self._contacts.replicas = self._replicas
        self._contacts.on_stream_failed = self._detector.paths.stream_failed
        self._detector.on_stream_only = self._contacts.repair_by_stream
        self._membership.on_epoch_raised = self._own.restart
        self._membership.on_return = self._contacts.came_back
        self._receipts = Receipts(context, self._spread)
        self._departure = Departure(
            context, self._spread, is_meeting=lambda: self._contacts.under_way
        )
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()
        self._told_at: dict[str, float] = {}
        self._rates = Rates(config)
        # An input that comes so long after the deadline tells that this process was stopped.
        self._lag_limit = max(config.probe_timeout / 2, 0.1)
        self._lag_noticed = now
        self.outbox = context.outbox
        self.events: list[Event] = context.events
        self.calls: list[Exchange] = context.calls
        self._detector.start(now)

    # Views

    @property
    def name(self) -> str:
        """This peer's name."""
        return self._context.me.name

    @property
    def epoch(self) -> int:
        """This life of the peer; it can rise while the peer runs (`EpochRaised`)."""
        return self._context.me.epoch

    @property
    def incarnation(self) -> int:
        """How often this peer had to refute within its epoch."""
        return self._context.me.incarnation

    @property
    def address(self) -> Address:
        """Where the others reach this peer."""
        return self._context.me.address

    @property
    def news(self) -> bytes:
        """What this peer says of itself, as it travels."""
        return self._context.me.news().encode()

    @property
    def members(self) -> Mapping[str, Member]:
        """All members but this peer, by name; read only."""
        return self._context.table.rows

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts of all owners, this peer included; read only."""
        return self._context.store.parts

    @property
    def root(self) -> bytes:
        """Fingerprint of living members and parts; 16 bytes, equal where converged."""
        return self._context.root

    @property
    def health(self) -> int:
        """Lifeguard's local health score: 0 is well."""
        return self._context.health.score

    @property
    def isolated(self) -> bool:
        """Whether most recent probes failed, so that this peer accuses nobody."""
        return self._context.isolation.isolated

    @property
    def joined(self) -> bool:
        """Whether this peer has met another, or was given no seed to meet."""
        return self._contacts.joined

    @property
    def seed_is_self(self) -> bool:
        """Whether all seeds turned out to be this peer."""
        return self._contacts.seed_is_self

    @property
    def conflict(self) -> str | None:
        """Address of another living process with this peer's name, if one was heard of."""
        return self._membership.conflict

    @property
    def blocked_paths(self) -> Mapping[str, str]:
        """Living members that one transport does not reach: `udp blocked` or `tcp blocked`."""
        return {name: path.value for name, path in self._detector.paths.blocked.items()}

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next."""
        return self._context.timers.deadline

    def statistics(self) -> Mapping[str, int]:
        """Return counters since the start, and how much is kept now."""
        membership, registry = self._spread.queues
        return {
            **self._context.counters,
            **self._membership.statistics(),
            **self._replicas.statistics(),
            "rumors_membership": len(membership) + len(self._spread.accusations),
            "rumors_registry": len(registry),
            "rumors_dropped": (
                membership.dropped + registry.dropped + self._spread.accusations.dropped
            ),
            "timers": len(self._context.timers),
        }

    # Inputs

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Take in one datagram; whatever it holds, nothing raises."""
        self._notice_lag(now)
        context = self._context
        counters = context.counters
        counters["datagrams_received"] += 1
        counters["bytes_received"] += len(datagram)
        try:
            if len(datagram) > _DATAGRAM_LIMIT:
                raise Refused("oversize")
            to_epoch, body = context.seal.open(datagram)
            meant = to_epoch == context.me.epoch
            # What is not meant for this life may be recorded elsewhere and sent in another's name:
            # it does not use up what that one may send.
            if not self._rates.admits(sender if meant else None, now):
                raise Refused("rate")
            packet = decode_body(body)
        except Refused as refused:
            if context.refuse(refused, sender, now):
                context.send(sender, 0, [[KEY_REFUSED, 0]], [])
            return
        if packet.source == context.me.name:
            self._hear_own_name(packet, sender, now)
        elif meant:
            self._take(packet, sender, now)
        elif to_epoch:
            self._misdirected(packet, sender)
        else:
            self._answer_anybody(packet, sender, now)
        self._spread.flush_if_due(now)

    def unreachable(self, address: Address, now: float) -> None:
        """Take in that the host at `address` says that nobody listens there.

        That is ICMP "port unreachable" for a datagram that this peer sent; alone it decides
        nothing.
        """
        self._notice_lag(now)
        self._detector.on_unreachable(address, now)
        self._spread.flush_if_due(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._notice_lag(now)
        self._context.timers.run(now)
        self._spread.flush_if_due(now)

    def join(self, seeds: Sequence[Address], now: float) -> None:
        """Take these addresses for seeds, in place of those before, and join through them."""
        self._contacts.join(seeds, now)

    def acquaint(self, members: Iterable[bytes], now: float) -> None:
        """Know these living members from the start, each by its `news`; nobody is told.

        To be called before any other input; no name may come twice.
        No event follows.
        """
        own = self.news
        table = self._context.table
        table.fill((news for news in members if news != own), now)
        self._planner.fill(table.rows)
        self._contacts.acquainted()

    def leave(self, now: float) -> None:
        """Leave gracefully; `LeaveCompleted` follows when that is acknowledged or given up."""
        self._departure.begin(now)

    def publish(self, key: str, value: bytes, now: float) -> int:
        """Write a record of this peer's own; return its part's version.

        Raises `RecordTooLarge`, with nothing changed.
        """
        version = self._own.publish(key, value, now)
        self._spread.flush_if_due(now)
        return version

    def withdraw(self, key: str, now: float) -> bool:
        """Remove a record of this peer's own; return whether there was one."""
        found = self._own.withdraw(key, now)
        self._spread.flush_if_due(now)
        return found

    def confirm(self, wanted: int, now: float) -> Receipt:
        """Have `wanted` other peers say that they hold all that is published by now.

        The receipt fills as they answer (no event tells it); set `cancelled` to end the asking.
        """
        return self._receipts.ask(self._own.part.version, wanted, now)

    def accept(self, sender: Address, now: float) -> Exchange:
        """Return the conversation on a stream that `sender` opened."""
        self._notice_lag(now)
        return self._contacts.accept(sender, now)

    # Datagrams

    def _take(self, packet: Packet, sender: Address, now: float) -> None:
        context = self._context
        row = context.table.get(packet.source)
        if row is not None and packet.epoch < row.epoch:
            self._answer_former_life(packet, row, sender, now)
            return
        fresh = [
            payload
            for payload in packet.updates
            if payload not in self._seen and payload not in self._seen_before
        ]
        if fresh:
            self._take_updates(fresh, packet.source, sender, now)
        row = context.table.get(packet.source)
        if row is None:
            self._answer_forgotten(packet, sender, now)
        if row is not None and row.status is Status.DEAD and row.epoch == packet.epoch:
            self._hear_the_dead(row, packet, sender, now)
        for message in packet.messages:
            self._take_message(message, packet, row, sender, now)

    def _take_updates(
        self, payloads: list[bytes], source: str, sender: Address, now: float
    ) -> None:
        allowed = self._rates.allowance(sender, len(payloads))
        if allowed < len(payloads):
            self._context.count("refused_rate", len(payloads) - allowed)
            del payloads[allowed:]
        for payload in payloads:
            self._take_update(payload, source, now)

    def _take_update(self, payload: bytes, source: str, now: float) -> None:
        try:
            update = decode_update(payload)
        except Malformed:
            self._context.count("refused_update")
            return
        declined = self._context.declined
        match update:
            case News():
                how: Source = "direct" if update.name == source else "rumor"
                self._membership.hear(update, payload, source, how, now)
                if update.name == self._context.me.name:
                    return  # to be answered each time that somebody says so
            case Delta():
                self._replicas.on_delta(update, payload, source, now)
            case Head():
                self._replicas.on_head(update, payload, source, now)
        if self._context.declined != declined:
            return  # it may be admitted when it is heard again
        self._seen.add(payload)
        if len(self._seen) >= _SEEN_LIMIT:
            self._seen_before, self._seen = self._seen, set()

    def _take_message(
        self, message: Message, packet: Packet, row: Member | None, sender: Address, now: float
    ) -> None:
        kind, sequence, source = message[0], message[1], packet.source
        assert isinstance(sequence, int)
        if kind == PING:
            if message[2] not in ("", self.name):
                self._answer_not_me(message, packet, sender)
            else:
                self._detector.on_ping(message, sender, packet.epoch, row)
        elif kind == ACK:
            if not self._detector.on_ack(sequence, source, now):
                self._contacts.on_answer(sequence, source, packet.epoch, now)
            self._departure.on_ack(sequence, source)
            self._compare(message, row, now)
        elif kind == PING_REQ:
            self._detector.on_ping_req(message, sender, packet.epoch, now)
        elif kind == NACK:
            self._detector.on_nack(sequence, source)
            self._compare(message, row, now)
        elif kind == RELAYED:
            self._detector.on_relayed(sequence, source, now)
            self._compare(message, row, now)
        elif kind == LEAVE:
            self._spread.send(sender, packet.epoch, [[ACK, sequence, self._context.root]])
        elif kind == HOLD:
            answer = self._receipts.on_hold(message, source, packet.epoch)
            if answer is not None:
                self._spread.send(sender, packet.epoch, [answer])
        elif kind == HELD:
            self._receipts.on_held(sequence, source)
        elif kind == KEY_REFUSED:
            self._context.hear_own_key_refused(sender, now)
        elif kind == GONE:
            self._detector.on_gone(sequence, source, now)
        elif kind == NOT_ME:
            self._detector.on_not_me(sequence, source, sender, now)
            self._contacts.on_answer(sequence, source, packet.epoch, now)
            if row is not None and row.status.living and self._may_tell(source, now):
                self._contacts.reborn(row, now)

    def _compare(self, message: Message, row: Member | None, now: float) -> None:
        """Compare the root that a living member told with its answer."""
        root = message[2]
        assert isinstance(root, bytes)
        if row is not None and row.status.living:
            self._contacts.on_root(row, root, now)

    def _answer_anybody(self, packet: Packet, sender: Address, now: float) -> None:
        """Answer what is addressed to no life, and believe nothing of it.

        It could have been recorded years ago: a seal does not tell, as an epoch does.
        """
        row = self._context.table.get(packet.source)
        for message in packet.messages:
            if message[0] in (PING, KEY_REFUSED):
                self._take_message(message, packet, row, sender, now)
            else:
                self._context.count("refused_epoch")
        self._context.count("refused_update", len(packet.updates))

    def _hear_own_name(self, packet: Packet, sender: Address, now: float) -> None:
        """A datagram in our own name: a seed that is ourselves, or another process."""
        for message in packet.messages:
            if message[0] == PING and packet.epoch == self.epoch:
                self._contacts.met_self(sender, now)
        self._context.count("refused_own_name")

    def _misdirected(self, packet: Packet, sender: Address) -> None:
        """A datagram for an earlier life of ours, or for another peer at this address."""
        self._context.count("refused_epoch")
        for message in packet.messages:
            if message[0] == PING:
                self._answer_not_me(message, packet, sender)

    def _answer_not_me(self, message: Message, packet: Packet, sender: Address) -> None:
        if not self._context.me.left:
            me = self._context.me.news().encode()
            self._spread.send(sender, packet.epoch, [[NOT_ME, message[1]]], [me])

    def _answer_former_life(self, packet: Packet, row: Member, sender: Address, now: float) -> None:
        """The speaker's life is over as far as we know: tell it of the later one."""
        self._context.count("refused_former_life")
        if self._may_tell(row.name, now):
            payload = self._membership.describe(row)
            self._spread.send(sender, packet.epoch, [], [payload])

    def _answer_forgotten(self, packet: Packet, sender: Address, now: float) -> None:
        """The speaker's life is over for us and forgotten: tell it, so that it begins a new one."""
        alive = News(packet.source, packet.epoch, 0, Status.ALIVE, sender, "", 0)
        obituary = self._membership.obituary(alive)
        if obituary is not None and self._may_tell(packet.source, now):
            self._spread.send(sender, packet.epoch, [], [obituary])

    def _hear_the_dead(self, row: Member, packet: Packet, sender: Address, now: float) -> None:
        """A member that is held for dead speaks: tell it, and exchange state."""
        if not self._may_tell(row.name, now):
            return
        if not any(message[0] == PING for message in packet.messages):
            payload = self._membership.describe(row)
            self._spread.send(sender, packet.epoch, [], [payload])
        self._contacts.returned(row.name, row.address, now)

    def _may_tell(self, name: str, now: float) -> bool:
        if now - self._told_at.get(name, float("-inf")) < _TELL_INTERVAL:
            return False
        self._told_at.pop(name, None)
        self._told_at[name] = now
        if len(self._told_at) > _TOLD_LIMIT:
            del self._told_at[next(iter(self._told_at))]
        return True

    # Being stopped

    def _notice_lag(self, now: float) -> None:
        """Discard what this peer could not have heard, if it was itself stopped or starved."""
        lag = now - max(self._context.timers.deadline, self._lag_noticed)
        if lag > self._lag_limit and self.config.stop_guard:
            self._lag_noticed = now
            self._context.count("lags")
            self._context.health.note(1)
            self._detector.abandon(now)
            self._membership.postpone(lag, now)
