"""The registry as users see it, free of I/O.

Actions are plain calls: each checks its input first, changes this peer's own part at once, and
is seen by the next lookup; the core carries it to the others.
The driver hands the events of the core to `handle_all` and calls `tick` at `deadline`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from gossamer.gossip import (
    Event,
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
    Metric,
    PartChanged,
    PartDropped,
    PreviousLife,
    RecordTooLarge,
    Status,
    by_key,
)
from gossamer.peers.model import (
    Instance,
    Lookup,
    Override,
    Preserved,
    Registration,
    RegistryConfig,
    ServiceSummary,
    TooLarge,
    Unavailable,
    check_names,
    check_override_status,
    clean_output,
    missing,
)

from ._families import Family
from ._losses import Losses
from ._ownership import Ownership
from ._preservation import Preservation
from ._records import Subject
from ._registration import read_override, read_registration
from ._replication import Replication
from ._statistics import registry_metrics
from ._subscription import Subscription, Subscriptions
from ._tail import TailTooLarge
from ._view import View


class Registry:
    """All instances that this peer knows, and those that it owns.

    `now` is the core's clock, `wall` gives Unix seconds.
    `families` read the records that are not the registry's own, by the first word of their keys.

    `lookup`, `knows` and `services` only read references that are replaced as a whole, so any
    thread may call them; everything else belongs to the thread that drives the core.
    """

    def __init__(
        self,
        mesh: Replication,
        *,
        wall: Callable[[], float],
        config: RegistryConfig | None = None,
        zone: str | None = None,
        default_address: str | None = None,
        families: Mapping[str, Family] = MappingProxyType({}),
    ) -> None:
        self._config = config = config or RegistryConfig()
        self._zone = zone or None
        self._default_address = default_address
        clock = HybridClock()
        living = (member.name for member in mesh.members.values() if member.status.living)
        self._mesh = mesh
        self._preservation = preservation = Preservation(config, living)
        self._view = view = View(
            mesh,
            wall=wall,
            observe=lambda stamp: clock.observe(stamp, round(wall() * 1000)),
            is_preserved=preservation.keeps,
            owners_limit=config.owners_per_instance,
            families=families,
        )
        self._shelf = view.services
        self._losses = Losses(view, preservation, wall)
        self._own = Ownership(mesh, view, clock, wall=wall, config=config)
        self._subscriptions = Subscriptions(view.services)

    # Questions

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """Return the instances of a service that are `UP`, or all; none if it is not known."""
        snapshot = self._shelf.snapshots.get(service)
        if snapshot is None:
            index = self._shelf.index_of(service)
            return Lookup(service, (), degraded=self._is_cut_off, index=index)
        instances = snapshot.every if all else snapshot.up
        if tag is not None:
            instances = tuple(each for each in instances if tag in each.tags)
        if zone is not None:
            instances = tuple(each for each in instances if each.zone == zone)
        degraded = snapshot.doubtful or self._is_cut_off
        return Lookup(service, instances, degraded=degraded, index=snapshot.index)

    def knows(self, service: str) -> bool:
        """Whether a service has an instance, of any status."""
        return service in self._shelf.snapshots

    def services(self) -> list[ServiceSummary]:
        """Return every service that has an instance, by name."""
        return [
            ServiceSummary(name, len(snapshot.every), len(snapshot.up))
            for name, snapshot in sorted(self._shelf.snapshots.items())
        ]

    def find(self, service: str, id: str) -> Instance | None:
        """Return one instance of any status, if it is known."""
        return self._view.find((service, id))

    @property
    def degraded(self) -> bool:
        """Whether some lookups are."""
        return self._is_cut_off or self._shelf.unverified > 0

    @property
    def _is_cut_off(self) -> bool:
        return self._mesh.isolated or not self._mesh.joined

    def preserved(self, now: float) -> list[Preserved]:
        """Return the services that self-preservation keeps instances of, by name."""
        return self._losses.by_service(now)

    def subscribe(
        self, service: str | None, changed: Callable[[str], None] | None = None
    ) -> Subscription:
        """Return a subscription that tells when a service changes, or any if None is given."""
        return self._subscriptions.open(service, changed)

    # Actions

    def register(self, wanted: Registration, now: float) -> tuple[Instance, bool]:
        """Register or replace an instance; return it, and whether it is new.

        Without an id it is made of service, address and port, so that the same process that
        registers again is the same instance; without an address it is this peer's.
        With `ttl` it needs a heartbeat that often, else it lives as long as this peer.
        A status that was set for the instance stays until it is cleared.
        Raises `BadInput`, `TooLarge`, or `Unavailable` when this peer is full.
        """
        subject, record = read_registration(
            wanted,
            address=self._default_address,
            zone=self._zone,
            wall_ms=self._own.wall_ms,
        )
        self._check_room(subject)
        self._begin(now)
        before = self._view.find(subject)
        if before is not None:
            record = replace(record, registered_ms=round(before.registered_at * 1000))
        with _full():
            self._own.register(subject, record, now)
        self._commit(now)
        return self._shown(subject), before is None

    def deregister(self, service: str, id: str, now: float) -> Instance:
        """End an instance of any owner, and return what ended; raises `NotFound`."""
        self._begin(now)
        subject, shown = self._find(service, id)
        with _full():
            self._own.remove(subject, now)
        self._commit(now)
        return shown

    def heartbeat(self, service: str, id: str, now: float) -> None:
        """Renew a lease; a peer that does not own the instance takes it over.

        Does nothing for an instance without a lease; raises `NotFound`, upon which the service
        should register again.
        """
        self._begin(now)
        subject, shown = self._find(service, id)
        if shown.ttl is None or self._own.renew(subject, now):
            return
        self._check_room(subject)
        with _full():
            self._own.take_over(subject, shown.owner, now)
        self._commit(now)

    def report(
        self, service: str, id: str, status: str, *, output: str | None = None, now: float
    ) -> Instance:
        """Tell what a service says of itself: its own status, and a line or two of output.

        An override stays, and decides what lookups show. The same status and output again change
        nothing. Works at any peer; the owner takes it into its record.
        Output beyond 256 bytes is cut off, and characters that would garble a terminal are
        replaced.
        Raises `BadInput` and `NotFound`.
        """
        subject = check_names(service, id)
        status, output = check_override_status(status), clean_output(output)
        self._begin(now)
        _, shown = self._find_now(*subject, now)
        if (shown.own_status, shown.output) != (status, output):
            with _full():
                self._own.report(subject, shown.owner, status, output, now)
            self._commit(now)
        return self._shown(subject)

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
        override = read_override(
            status, reason, expires, self._mesh.name if by is None else by, self._own.wall_ms
        )
        self._begin(now)
        self._decide(*self._find_now(*subject, now), override, now)
        return self._shown(subject)

    def clear_status(self, service: str, id: str, *, now: float) -> Instance:
        """Take back what `set_status` set, if anything is; raises `NotFound`."""
        self._begin(now)
        subject, shown = self._find_now(service, id, now)
        if shown.override is not None:
            self._decide(subject, shown, None, now)
        return self._shown(subject)

    def accept_loss(self, service: str | None, now: float) -> int:
        """Give up the instances that self-preservation keeps, of one service or of all.

        Returns how many are shown no longer; leased ones stay until their leases run out.
        """
        self._begin(now)
        before = self._shelf.instances
        self._losses.accept(service, now)
        self._commit(now)
        return before - self._shelf.instances

    # What the driver calls

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next."""
        return min(self._own.deadline, self._view.deadline, self._preservation.deadline)

    def handle_all(self, events: Iterable[Event], now: float) -> None:
        """Take in events of the core that came together."""
        self._begin(now)
        for event in events:
            self._take(event, now)
        self._commit(now)

    def _take(self, event: Event, now: float) -> None:
        preservation = self._preservation
        match event:
            # The most frequent first: a mesh that breaks apart, or heals, tells of nothing else.
            case MemberReturned(member):
                preservation.lived(member.name, now)
                self._judge(member.name, now)
            case MemberSuspected(member):
                preservation.suspected(member.name, now)
                self._judge(member.name, now)
            case MemberFailed(member, _, definite):
                preservation.failed(member.name, definite, now)
                self._judge(member.name, now)
            case MemberLeft(member):
                preservation.left(member.name, now)
                self._judge(member.name, now)
            case MemberJoined(member) | MemberUpdated(member):
                self._meet(member, now)
            case PartChanged(owner, changes):
                self._view.apply(owner, [key for key, _ in changes], now)
                self._own.review(owner, now)
            case PartDropped(owner):
                self._view.apply(owner, (), now)
            case PreviousLife(records):
                self._own.resume(records, now)
            case Joined() | IsolationChanged():
                self._shelf.unsettle()
            case MemberForgotten(name):
                preservation.forgotten(name, now)
                self._judge(name, now)
            case _:
                pass

    def tick(self, now: float) -> None:
        """Do what is due; early or late does no harm."""
        self._begin(now)
        if now < self.deadline:
            return
        self._own.expire(now)
        self._view.expire(now)
        self._preservation.tick(now)
        self._commit(now)

    def metrics(self) -> Iterator[Metric]:
        """Return what is measured since the start, and how much is kept now."""
        return registry_metrics(
            self._own, self._view, self._shelf, self._preservation, self._losses,
            self._subscriptions,
        )  # fmt: skip

    def statistics(self) -> Mapping[str, int]:
        """Return the numbers among the metrics, by the keys that `info` has for them."""
        return by_key(self.metrics())

    def kept(self) -> Mapping[str, int]:
        """Return how many entries each table has, whatever is shown of them."""
        return self._view.kept()

    def instances_of(self, owner: str) -> int:
        """Return how many instances a peer has registered, for the table of members."""
        found = self._view.owner(owner)
        return 0 if found is None else len(found.stamps)

    # Within

    def _begin(self, now: float) -> None:
        self._own.leases.advance(now)

    def _commit(self, now: float) -> None:
        for name in self._preservation.judge():
            self._view.refresh(name, now)
        self._own.settle(now)
        changed = self._shelf.commit()
        self._losses.changed()
        self._subscriptions.tell(changed)

    def _meet(self, member: Member, now: float) -> None:
        if member.status is Status.ALIVE:
            self._preservation.lived(member.name, now)
        elif member.status is Status.SUSPECT:
            self._preservation.suspected(member.name, now)
        # Dead or left before this peer heard of it: no loss of its own.
        self._judge(member.name, now)

    def _judge(self, name: str, now: float) -> None:
        self._view.judge(name, now)
        self._own.review(name, now)

    # An action can come before the tick that was due: an instance whose time is over would be
    # found here, and be gone when the action is done.
    def _find_now(self, service: str, id: str, now: float) -> tuple[Subject, Instance]:
        if self._view.deadline <= now:
            self._view.expire(now)
            self._commit(now)
        return self._find(service, id)

    def _find(self, service: str, id: str) -> tuple[Subject, Instance]:
        shown = self._view.find((service, id))
        if shown is not None:
            return (service, id), shown
        if self.knows(service):
            raise missing(service, id)
        raise missing(service)

    def _shown(self, subject: Subject) -> Instance:
        shown = self._view.find(subject)
        assert shown is not None, f"{subject} was just published and is not shown"
        return shown

    def _decide(
        self, subject: Subject, shown: Instance, override: Override | None, now: float
    ) -> None:
        with _full():
            self._own.override(subject, shown.owner, override, now)
        self._commit(now)

    def _check_room(self, subject: Subject) -> None:
        if self._own.record(subject) is None and self._own.instances >= self._config.instances:
            raise Unavailable(
                f"this peer has {self._config.instances} instances, which is the limit;"
                " register with another peer"
            )


@contextmanager
def _full() -> Iterator[None]:
    try:
        yield
    except TailTooLarge as error:
        raise TooLarge(str(error)) from error
    except RecordTooLarge as error:
        raise Unavailable(f"this peer is full: {error}") from error
