"""One peer's protocol, sans-IO: bytes and `now` in; bytes, events and a deadline out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from ._wiring import Wiring
from .basis import PROTOCOL, GossipConfig, Kind, Metric, Statistic, by_key, measured
from .kernel import Exchange, Identity
from .replication import Receipt
from .sealing import ChecksumSeal, Seal
from .state import Address, Event, Member, Part

_STATISTICS = (
    Statistic(
        "timers",
        "gossamer_timers",
        Kind.GAUGE,
        "timers",
        "Timers of the protocol that wait.",
    ),
    Statistic(
        "health",
        "gossamer_health_score",
        Kind.GAUGE,
        "points",
        "Lifeguard's local health score: 0 is well, and more makes this peer more patient.",
        in_info=False,
    ),
    Statistic(
        "joined",
        "gossamer_joined",
        Kind.GAUGE,
        "bool",
        "Whether this peer has met another, or was given no seed to meet (1), or not (0).",
        in_info=False,
    ),
    Statistic(
        "isolated",
        "gossamer_isolated",
        Kind.GAUGE,
        "bool",
        "Whether most recent probes failed, so that this peer accuses no member (1), or not (0).",
        in_info=False,
    ),
)


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
        own_seal = ChecksumSeal(config.cluster) if seal is None else seal
        self.inside = inside = Wiring(config, me, own_seal, rng, now, wall_ms=wall_ms)
        """The parts of the protocol; for tests, and no business of a driver."""
        # An input that comes so long after the deadline tells that this process was stopped.
        self._lag_limit = max(config.probe_timeout / 2, 0.1)
        self._lag_noticed = now
        self._context = context = inside.context
        self.outbox = context.outbox.datagrams
        self.events: list[Event] = context.events
        self.calls: list[Exchange] = context.calls

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
    def own_update(self) -> bytes:
        """What this peer says of itself, as it travels."""
        return self._context.me.update().encode()

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
        return self._context.root.digest

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
        return self.inside.joining.joined

    @property
    def seed_is_self(self) -> bool:
        """Whether all seeds turned out to be this peer."""
        return self.inside.seeds.are_self

    @property
    def conflict(self) -> str | None:
        """Address of another living process with this peer's name, if one was heard of."""
        return self.inside.own_life.conflict

    @property
    def blocked_paths(self) -> Mapping[str, str]:
        """Living members that one transport does not reach: `udp blocked` or `tcp blocked`."""
        return {name: path.value for name, path in self.inside.paths.blocked.items()}

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next."""
        return self._context.timers.deadline

    def metrics(self) -> Iterator[Metric]:
        """Return all that is measured since the start, and how much is kept now."""
        inside, context = self.inside, self._context
        yield from measured(PROTOCOL, context.counters)
        yield from inside.membership.metrics()
        yield from inside.replicas.metrics()
        yield from inside.spread.metrics()
        yield from inside.prober.metrics()
        yield from measured(
            _STATISTICS,
            {
                "timers": len(context.timers),
                "health": self.health,
                "joined": int(self.joined),
                "isolated": int(self.isolated),
            },
        )

    def statistics(self) -> Mapping[str, int]:
        """Return the numbers among the metrics, by the keys that `info` has for them."""
        return by_key(self.metrics())

    # Inputs

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Take in one datagram; whatever it holds, nothing raises."""
        self._notice_lag(now)
        self.inside.listener.receive(datagram, sender, now)
        self.inside.spread.flush_if_due(now)

    def unreachable(self, address: Address, now: float) -> None:
        """Take in that the host at `address` says that nobody listens there.

        That is ICMP "port unreachable" for a datagram that this peer sent; alone it decides
        nothing.
        """
        self._notice_lag(now)
        self.inside.relays.on_unreachable(address)
        self.inside.prober.on_unreachable(address, now)
        self.inside.spread.flush_if_due(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._notice_lag(now)
        self._context.timers.run(now)
        self.inside.spread.flush_if_due(now)

    def join(self, seeds: Sequence[Address], now: float) -> None:
        """Take these addresses for seeds, in place of those before, and join through them."""
        self.inside.joining.join(seeds, now)

    def acquaint(self, members: Iterable[bytes], now: float) -> None:
        """Know these living members from the start, each by its `own_update`; nobody is told.

        To be called before any other input; no name may come twice.
        No event follows.
        """
        own = self.own_update
        table = self._context.table
        table.fill((update for update in members if update != own), now)
        self.inside.planner.fill(table.rows)
        self.inside.joining.acquainted()

    def leave(self, now: float) -> None:
        """Leave gracefully; `LeaveCompleted` follows when that is acknowledged or given up."""
        self.inside.departure.begin(now)

    def publish(self, key: str, value: bytes, now: float) -> int:
        """Write a record of this peer's own; return its part's version.

        Raises `RecordTooLarge`, with nothing changed.
        """
        version = self.inside.own_part.publish(key, value, now)
        self.inside.spread.flush_if_due(now)
        return version

    def withdraw(self, key: str, now: float) -> bool:
        """Remove a record of this peer's own; return whether there was one."""
        found = self.inside.own_part.withdraw(key, now)
        self.inside.spread.flush_if_due(now)
        return found

    def confirm(self, wanted: int, now: float) -> Receipt:
        """Have `wanted` other peers say that they hold all that is published by now.

        The receipt fills as they answer (no event tells it); set `cancelled` to end the asking.
        """
        return self.inside.receipts.ask(self.inside.own_part.part.version, wanted, now)

    def accept(self, sender: Address, now: float) -> Exchange:
        """Return the conversation on a stream that `sender` opened."""
        self._notice_lag(now)
        return self.inside.exchanges.accept(sender, now)

    # Being stopped

    def _notice_lag(self, now: float) -> None:
        """Discard what this peer could not have heard, if it was itself stopped or starved."""
        if not self._context.timers.may_be_late(now):
            return  # as nearly always, and this is asked for each packet
        lag = now - max(self._context.timers.deadline, self._lag_noticed)
        if lag > self._lag_limit and self.config.stop_guard:
            self._lag_noticed = now
            self._context.counters.add("lags")
            self._context.health.note(1)
            self.inside.relays.abandon()
            self.inside.prober.abandon(now)
            self.inside.membership.suspicions.postpone(lag, now)
