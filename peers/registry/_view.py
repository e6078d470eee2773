"""What lookups see: all owners' parts and the members' states, folded into answers.

For each instance the records of all owners compete.
Those compete that are not removed and whose owner is here, or that are kept without it:
leased ones until the lease runs out, and those of owners that are preserved.
One whose owner is here wins over one that is kept; then the higher (stamp, owner) wins.
The service's own status is its last report, whichever peer wrote it; an override hides it.

The view is a function of the parts, the members and the time: it reads both where the core
keeps them, and events only tell where to look. So no order of events leads elsewhere.
Work is done per instance that changed, then once per service that changed.
"""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from types import MappingProxyType

from gossamer.peers.model import Instance, Override

from ._deadlines import Deadlines
from ._entry import Entry
from ._families import INSTANCES, INTERVENTIONS, REPORTS, Family
from ._owner import Owner, Standing
from ._reading import InstanceRecords, InterventionRecords, Reading
from ._records import Record, Report, Subject
from ._replication import Replication
from ._services import Services

# The ends of overrides are moments of the wall clock, which may be set: look again after this.
_WALL_PATIENCE = 60.0
# Looking again sooner might be at the same moment, as floats have it.
_WALL_GRAIN = 0.001


class View:
    """The registry as one peer sees it; `services` are what it shows.

    `families` reads the records that are not the registry's own.
    """

    def __init__(
        self,
        mesh: Replication,
        *,
        wall: Callable[[], float],
        observe: Callable[[int], object],
        is_preserved: Callable[[str, str], bool],
        owners_limit: int,
        families: Mapping[str, Family] = MappingProxyType({}),
    ) -> None:
        self._mesh = mesh
        self._wall = wall
        self._is_preserved = is_preserved
        self._owners: dict[str, Owner] = {}
        self._entries: dict[Subject, Entry] = {}
        self._due: Deadlines[Subject] = Deadlines()
        self._instances = InstanceRecords(
            self._owners,
            self._entries,
            me=mesh.name,
            limit=owners_limit,
            observe=observe,
            touch=self._resolve,
        )
        self._reading = Reading(
            {
                **families,
                INSTANCES: self._instances,
                INTERVENTIONS: InterventionRecords(
                    self._entries, reports=False, observe=observe, touch=self._resolve
                ),
                REPORTS: InterventionRecords(
                    self._entries, reports=True, observe=observe, touch=self._resolve
                ),
            }
        )
        self.touched: dict[Subject, None] = {}
        """Instances that changed; `Ownership.settle` acts on them and takes them out."""
        # Starting at the time keeps an index of an earlier life from meaning another state now.
        self.services = Services(int(wall() * 1000))

    @property
    def deadline(self) -> float:
        """When `expire` is wanted next."""
        return self._due.next

    @property
    def refused(self) -> int:
        """Records that were damaged."""
        return self._reading.refused

    @property
    def unknown(self) -> int:
        """Records that only a later version knows."""
        return self._reading.unknown

    @property
    def waiting(self) -> int:
        """Records that had to wait because too many owners claim their instance."""
        return self._instances.waiting

    def kept(self) -> dict[str, int]:
        """Return how many entries of each table are kept; all of them are bounded by the parts."""
        entries = self._entries.values()
        tables = {
            "entries": len(entries),
            "competing": sum(len(each.records) for each in entries),
            "waiting": sum(len(each.waiting) for each in entries),
            "deadlines": len(self._due),
        }
        return tables | self.services.kept()

    def entry(self, subject: Subject) -> Entry | None:
        """Return all that is known of an instance."""
        return self._entries.get(subject)

    def find(self, subject: Subject) -> Instance | None:
        """Return an instance as `all=True` shows it."""
        return self.services.find(subject)

    def owner(self, name: str) -> Owner | None:
        """Return the owner of a part."""
        return self._owners.get(name)

    def instances_of(self, name: str) -> Iterable[Subject]:
        """Return the instances in an owner's part; the part must not change meanwhile."""
        owner = self._owners.get(name)
        return () if owner is None else owner.stamps

    def apply(self, name: str, keys: Iterable[str], now: float) -> None:
        """Read what the part of `name` says under `keys` now."""
        part = self._mesh.parts.get(name)
        if part is None:
            self._drop(name, now)
            return
        owner = self._owners.get(name)
        if owner is None or owner.epoch != part.epoch:
            keys = dict.fromkeys([*(owner.values if owner is not None else ()), *part.records])
            owner = self._enter(name, part.epoch, now)
        for key in keys:
            self._reading.read(owner, key, part.records.get(key), now)

    def judge(self, name: str, now: float) -> None:
        """Read what is known of the member `name` now."""
        part = self._mesh.parts.get(name)
        owner = self._owners.get(name)
        if part is None and owner is None:
            return  # most members publish nothing
        if part is None or owner is None or part.epoch != owner.epoch:
            self.apply(name, (), now)
        elif self._judge(owner, now):
            self._refresh_all(owner, now)

    def refresh(self, name: str, now: float) -> None:
        """Show the instances of an owner anew, since it is preserved or no longer is."""
        owner = self._owners.get(name)
        if owner is not None:
            self._refresh_all(owner, now)

    def expire(self, now: float) -> None:
        """Hide what is kept no longer, and end overrides."""
        for subject in self._due.pop_due(now):
            self._resolve(subject, now)

    def _enter(self, name: str, epoch: int, now: float) -> Owner:
        owner = self._owners.setdefault(name, Owner(name, epoch))
        owner.epoch = epoch
        owner.gone_at = inf
        self._judge(owner, now)
        self._refresh_all(owner, now)
        return owner

    def _judge(self, owner: Owner, now: float) -> bool:
        if owner.name == self._mesh.name:
            return False
        return owner.judge(self._mesh.members.get(owner.name), now)

    def _drop(self, name: str, now: float) -> None:
        owner = self._owners.get(name)
        if owner is not None:
            for key in list(owner.values):
                self._reading.read(owner, key, None, now)
            del self._owners[name]

    def _refresh_all(self, owner: Owner, now: float) -> None:
        for subject in owner.stamps:
            self._resolve(subject, now)

    def _resolve(self, subject: Subject, now: float) -> None:
        self.touched[subject] = None
        entry = self._entries.get(subject)
        if entry is None:
            return
        instance, due = self._choose(subject, entry, now)
        if due < inf:
            self._due.set(subject, due)
        else:
            self._due.discard(subject)
        self.services.show(subject, instance)
        if entry.empty:
            del self._entries[subject]

    # The instance to show, and when to look again.
    def _choose(self, subject: Subject, entry: Entry, now: float) -> tuple[Instance | None, float]:
        removed = entry.removed if entry.interventions else 0
        due = inf
        best: tuple[bool, int, str] | None = None
        for name, record in entry.records.items():
            if record.stamp < removed:
                continue
            owner = self._owners[name]
            until = owner.shown_until(record)
            here = owner.standing is Standing.HERE
            if now >= until and not self._keeps(owner, subject[0]):
                continue
            if now < until < due:
                due = until
            best = max(best, (here, record.stamp, name)) if best else (here, record.stamp, name)
        if best is None:
            return None, inf
        verified, _, name = best
        override = entry.decision().override
        if override is not None and override.expires_at is not None:
            remaining = override.expires_at - self._wall()
            if remaining <= 0:
                override = None
            else:
                due = min(due, now + max(_WALL_GRAIN, min(remaining, _WALL_PATIENCE)))
        record = entry.records[name]
        # Nearly every instance has one owner and no reports.
        is_alone = len(entry.records) == 1 and not entry.reports
        own = None if is_alone else entry.report()
        return _show(subject, name, record, own, override, verified), due

    def _keeps(self, owner: Owner, service: str) -> bool:
        return owner.standing is Standing.LOST and self._is_preserved(owner.name, service)


_NO_METADATA: Mapping[str, str] = MappingProxyType({})


def _show(
    subject: Subject,
    owner: str,
    record: Record,
    report: Report | None,
    override: Override | None,
    verified: bool,
) -> Instance:
    own = record if report is None else report
    return Instance(
        service=subject[0],
        id=subject[1],
        address=record.address,
        port=record.port,
        status=own.status if override is None else override.status,
        own_status=own.status,
        tags=record.tags,
        metadata=MappingProxyType(dict(record.metadata)) if record.metadata else _NO_METADATA,
        weight=record.weight,
        zone=record.zone,
        ttl=_seconds(record.ttl_ms),
        owner=owner,
        verified=verified,
        registered_at=record.registered_ms / 1000,
        updated_at=record.updated_ms / 1000,
        override=override,
        output=own.output,
        source=record.source,
    )


def _seconds(ms: int | None) -> float | None:
    if ms is None:
        return None
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
