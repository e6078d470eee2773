"""The registry as users see it, free of I/O.

Actions are plain calls: each checks its input first, changes this peer's own part at once, and
is seen by the next lookup; the core carries it to the others.
The driver hands every event of the core to `handle` and calls `tick` at `deadline`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gossamer.gossip import (
    Event,
    Gossip,
    HybridClock,
    IsolationChanged,
    Joined,
    Member,
    MemberFailed,
    MemberForgotten,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberSuspected,
    MemberUpdated,
    PartChanged,
    PartDropped,
    PreviousLife,
    RecordTooLarge,
    Status,
)

from ._checks import check_by, check_expires, check_names, check_override_status, check_reason
from ._entry import NO_DECISION, Decision
from ._errors import NotFound, Unavailable
from ._instance import Instance, Lookup, Override, Preserved, ServiceSummary
from ._limits import STAMP_MOST, RegistryConfig
from ._listing import Snapshot
from ._ownership import Ownership
from ._preservation import Preservation
from ._records import Kind, Record, Subject
from ._registration import read_registration
from ._subscription import Subscription, Subscriptions
from ._view import View

_UNKNOWN = Snapshot(0, (), (), False)


class Registry:
    """All instances that this peer knows, and those that it owns.

    `lookup`, `knows` and `services` may be called from any thread; everything else belongs to
    the thread that drives the core. `now` is that core's clock, `wall` gives Unix seconds.
    """

    def __init__(
        self,
        gossip: Gossip,
        *,
        wall: Callable[[], float],
        config: RegistryConfig | None = None,
        zone: str | None = None,
        default_address: str | None = None,
    ) -> None:
        self._gossip = gossip
        self._wall = wall
        self._config = config = config or RegistryConfig()
        self._zone = zone or None
        self._default_address = default_address
        clock = HybridClock()
        self._preservation = Preservation(config)
        self._view = View(
            gossip,
            wall=wall,
            observe=lambda stamp: clock.observe(stamp, round(wall() * 1000)),
            is_preserved=self._preservation.keeps,
        )
        self._own = Ownership(gossip, self._view, clock, wall=wall, config=config)
        self._subscriptions = Subscriptions(self._view)

    # Lookups

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """Return the instances of a service that are `UP`, or all; none if it is not known."""
        snapshot = self._view.snapshots.get(service)
        if snapshot is None:
            index = self._view.index_of(service)
            return Lookup(service, (), degraded=self._is_cut_off, index=index)
        instances = snapshot.every if all else snapshot.up
        if tag is not None:
            instances = tuple(each for each in instances if tag in each.tags)
        if zone is not None:
            instances = tuple(each for each in instances if each.zone == zone)
        degraded = snapshot.doubtful or self._is_cut_off
        return Lookup(service, instances, degraded=degraded, index=snapshot.index)

    def knows(self, service: str) -> bool:
        """Whether a service has an instance, of whatever status."""
        return service in self._view.snapshots

    def services(self) -> list[ServiceSummary]:
        """Return every service that has an instance, by name."""
        return [
            ServiceSummary(name, len(snapshot.every), len(snapshot.up))
            for name, snapshot in sorted(self._view.snapshots.items())
        ]

    def find(self, service: str, id: str) -> Instance | None:
        """Return one instance of whatever status, if it is known."""
        return self._view.find((service, id))

    @property
    def degraded(self) -> bool:
        """Whether some lookups are."""
        return self._is_cut_off or self._view.unverified > 0

    @property
    def _is_cut_off(self) -> bool:
        return self._gossip.isolated or not self._gossip.joined

    def preserved(self, now: float) -> list[Preserved]:
        """Return the services that self-preservation keeps instances of, by name."""
        counts: dict[str, int] = {}
        ends: dict[str, float] = {}
        for owner, subject in self._preserved():
            service = subject[0]
            counts[service] = counts.get(service, 0) + 1
            ends[service] = max(ends.get(service, 0.0), self._preservation.ends_at(owner))
        offset = self._wall() - now
        return [Preserved(name, counts[name], ends[name] + offset) for name in sorted(counts)]

    def _preserved(self) -> list[tuple[str, Subject]]:
        return [
            (owner, subject)
            for owner in self._preservation.kept
            for subject in set(self._view.subjects_of(owner))
            if self._preservation.keeps(owner, subject[0])
            and (shown := self._view.find(subject)) is not None
            and shown.owner == owner
        ]

    # Actions

    def register(
        self,
        service: str,
        *,
        port: int,
        address: str | None = None,
        id: str | None = None,
        tags: Iterable[str] = (),
        metadata: Mapping[str, str] | None = None,
        weight: int = 1,
        zone: str | None = None,
        ttl: float | None = None,
        status: str = "UP",
        now: float,
    ) -> tuple[Instance, bool]:
        """Register or replace an instance; return it, and whether it is new.

        Without an id it is made of service, address and port, so that the same process that
        registers again is the same instance; without an address it is this peer's.
        With `ttl` it needs a heartbeat that often, else it lives as long as this peer.
        A status that was set for the instance stays until it is cleared.
        Raises `BadInput`, `TooLarge`, or `Unavailable` when this peer is full.
        """
        subject, record = read_registration(
            service,
            id=id,
            port=port,
            address=self._default_address if address is None else address,
            tags=tags,
            metadata=metadata,
            weight=weight,
            zone=self._zone if zone is None else zone,
            ttl=ttl,
            status=status,
            wall_ms=self._own.wall_ms,
        )
        self._check_room(subject)
        self._begin(now)
        before = self._view.find(subject)
        if before is not None:
            record = replace(record, registered_ms=round(before.registered_at * 1000))
        decision = self._decision(subject)
        record = replace(
            record,
            stamp=self._own.stamp(subject),
            override=decision.override,
            override_stamp=decision.stamp,
        )
        self._publish(subject, record, now)
        return self._shown(subject), before is None

    def deregister(self, service: str, id: str, now: float) -> None:
        """End an instance, whoever owns it; raises `NotFound`."""
        self._begin(now)
        subject, _ = self._find(service, id)
        entry = self._view.entry(subject)
        assert entry is not None
        others = [
            (record.stamp, name)
            for name, record in entry.records.items()
            if name != self._gossip.name
        ]
        # Without one, what others said of the instance would take its place.
        if others or entry.interventions:
            owner = max(others)[1] if others else self._gossip.name
            self._intervene(subject, Kind.REMOVE, self._own.stamp(subject), None, owner, now)
        self._own.withdraw(subject, now)
        self._commit(now)

    def heartbeat(self, service: str, id: str, now: float) -> None:
        """Renew a lease; a peer that does not own the instance takes it over.

        Does nothing for an instance without a lease; raises `NotFound`, upon which the service
        should register again.
        """
        self._begin(now)
        subject, shown = self._find(service, id)
        mine = self._own.record(subject)
        entry = self._view.entry(subject)
        assert entry is not None
        theirs = entry.records[shown.owner]
        if theirs.ttl_ms is None:
            return
        if mine is not None and shown.owner == self._gossip.name:
            self._own.leases.renew(subject, theirs.ttl_ms, now)
            return
        self._check_room(subject)
        # One above the record that it follows, and no more: what was decided meanwhile with a
        # stamp of the clock, and is not known here yet, still wins.
        decision = entry.decision()
        taken = replace(
            theirs,
            stamp=min(theirs.stamp + 1, STAMP_MOST),
            override=decision.override,
            override_stamp=decision.stamp,
        )
        self._own.taken_over += 1
        self._publish(subject, taken, now)

    def set_status(
        self,
        service: str,
        id: str,
        status: str,
        *,
        reason: str | None = None,
        expires: float | None = None,
        by: str | None = None,
        now: float,
    ) -> Instance:
        """Override an instance's status, for `expires` seconds or until it is cleared.

        Raises `BadInput` and `NotFound`. `by` defaults to this peer's name.
        """
        subject = check_names(service, id)
        ends_ms = check_expires(expires)
        override = Override(
            status=check_override_status(status),
            reason=check_reason(reason),
            by=check_by(self._gossip.name if by is None else by),
            expires_at=None if ends_ms is None else (self._own.wall_ms + ends_ms) / 1000,
        )
        self._begin(now)
        self._decide(*self._find(*subject), Kind.STATUS, override, now)
        return self._shown(subject)

    def clear_status(self, service: str, id: str, *, now: float) -> Instance:
        """Take back what `set_status` set, if anything is; raises `NotFound`."""
        self._begin(now)
        subject, shown = self._find(service, id)
        if shown.override is not None:
            self._decide(subject, shown, Kind.CLEAR, None, now)
        return self._shown(subject)

    def accept_loss(self, service: str | None, now: float) -> int:
        """Give up the instances that self-preservation keeps, of one service or of all.

        Returns how many are shown no longer; leased ones stay until their leases run out.
        """
        self._begin(now)
        before = self._view.instances
        if service is None:
            self._preservation.accept_all(now)
        else:
            for owner, subject in self._preserved():
                if subject[0] == service:
                    self._preservation.accept(owner, service)
        self._commit(now)
        return before - self._view.instances

    def subscribe(
        self, service: str | None, changed: Callable[[str], None] | None = None
    ) -> Subscription:
        """Return a subscription that tells when a service changes, or any if None is given."""
        return self._subscriptions.open(service, changed)

    # What the driver calls

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next."""
        return min(self._own.deadline, self._view.deadline, self._preservation.deadline)

    def handle(self, event: Event, now: float) -> None:
        """Take in one event of the core."""
        self._begin(now)
        match event:
            case PartChanged(owner, changes):
                self._view.apply(owner, [key for key, _ in changes], now)
                self._own.interventions.review(owner, now)
            case PartDropped(owner):
                self._view.apply(owner, (), now)
            case PreviousLife(records):
                self._own.resume(records, now)
            case Joined() | IsolationChanged():
                self._view.unsettle()
            case MemberForgotten(name):
                self._preservation.forgotten(name, now)
                self._judge(name, now)
            case (
                MemberJoined(member)
                | MemberUpdated(member)
                | MemberSuspected(member)
                | MemberFailed(member)
                | MemberLeft(member)
                | MemberReturned(member)
            ):
                self._hear(event, member, now)
            case _:
                return
        self._commit(now)

    def tick(self, now: float) -> None:
        """Do what is due; early or late does no harm."""
        self._begin(now)
        if now < self.deadline:
            return
        self._own.expire(now)
        self._view.expire(now)
        self._preservation.tick(now)
        self._commit(now)

    def statistics(self) -> Mapping[str, int]:
        """Return counters since the start, and how much is kept now."""
        own, view = self._own, self._view
        return {
            "instances": view.instances,
            "instances_owned": own.instances,
            "instances_unverified": view.unverified,
            "services": len(view.snapshots),
            "leases": len(own.leases),
            "leases_expired": own.expired,
            "lease_stalls": own.leases.stalls,
            "overrides_waiting": len(own.interventions),
            "overrides_dropped": own.interventions.dropped,
            "overrides_adopted": own.adopted,
            "taken_over": own.taken_over,
            "given_up": own.given_up,
            "unpublished": own.unpublished,
            "refused_records": view.refused,
            "peers_preserved": len(self._preservation.kept),
            "instances_preserved": len(self._preserved()),
            "subscriptions": len(self._subscriptions),
        }

    def instances_of(self, owner: str) -> int:
        """Return how many instances a peer has registered, for the table of members."""
        found = self._view.owner(owner)
        return 0 if found is None else found.instances

    # Within

    def _begin(self, now: float) -> None:
        self._own.leases.advance(now)

    def _commit(self, now: float) -> None:
        changed = self._preservation.changed
        while changed:
            name = next(iter(changed))
            del changed[name]
            self._view.refresh(name, now)
        self._own.settle(now)
        self._subscriptions.tell(self._view.commit())

    def _hear(self, event: Event, member: Member, now: float) -> None:
        preservation = self._preservation
        match event:
            case MemberFailed(_, _, definite):
                preservation.failed(member.name, definite, now)
            case MemberLeft():
                preservation.left(member.name, now)
            case MemberSuspected():
                preservation.suspected(member.name, now)
            case MemberReturned():
                preservation.lived(member.name, now)
            case _ if member.status is Status.ALIVE:
                preservation.lived(member.name, now)
            case _ if member.status is Status.SUSPECT:
                preservation.suspected(member.name, now)
            case _:
                # Dead or left before this peer heard of it: no loss of its own.
                pass
        self._judge(member.name, now)

    def _judge(self, name: str, now: float) -> None:
        self._view.judge(name, now)
        self._own.interventions.review(name, now)

    def _find(self, service: str, id: str) -> tuple[Subject, Instance]:
        shown = self._view.find((service, id))
        if shown is not None:
            return (service, id), shown
        if self.knows(service):
            raise NotFound(f"service {service!r} has no instance {id!r}; register it first", "id")
        raise NotFound(f"service {service!r} is not known; register an instance first", "service")

    def _shown(self, subject: Subject) -> Instance:
        shown = self._view.find(subject)
        assert shown is not None, f"{subject} was just published and is not shown"
        return shown

    # An override outlives the registration that it was set on, unless that was deregistered.
    def _decision(self, subject: Subject) -> Decision:
        entry = self._view.entry(subject)
        known = NO_DECISION if entry is None else entry.decision()
        inherited = self._own.inherited(subject)
        if inherited is not None and inherited.stamp > known.stamp:
            return inherited
        return known

    def _decide(
        self,
        subject: Subject,
        shown: Instance,
        kind: Kind,
        override: Override | None,
        now: float,
    ) -> None:
        stamp = self._own.stamp(subject)
        mine = self._own.record(subject)
        if mine is None or shown.owner != self._gossip.name:
            self._intervene(subject, kind, stamp, override, shown.owner, now)
        else:
            self._own.decide(subject, mine, Decision(stamp, override), now)
        self._commit(now)

    def _publish(self, subject: Subject, record: Record, now: float) -> None:
        try:
            self._own.publish(subject, record, now)
        except RecordTooLarge as error:
            raise Unavailable(f"this peer is full: {error}") from error
        self._commit(now)

    def _intervene(
        self,
        subject: Subject,
        kind: Kind,
        stamp: int,
        override: Override | None,
        owner: str,
        now: float,
    ) -> None:
        try:
            self._own.interventions.write(subject, kind, stamp, override, owner, now)
        except RecordTooLarge as error:
            raise Unavailable(f"this peer is full: {error}") from error

    def _check_room(self, subject: Subject) -> None:
        if self._own.record(subject) is None and self._own.instances >= self._config.instances:
            raise Unavailable(
                f"this peer has its {self._config.instances} instances; register with another"
            )
