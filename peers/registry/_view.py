"""What lookups see: all owners' parts and the members' states, folded into answers.

For each instance the records of all owners compete.
Those compete that are not removed and whose owner is here, or that are kept without it:
leased ones until the lease runs out, and those of owners that are preserved.
One whose owner is here wins over one that is kept; then the higher (stamp, owner) wins.

The view is a function of the parts, the members and the time: it reads both where the core
keeps them, and events only tell where to look. So no order of events leads elsewhere.
Work is done per instance that changed, then once per service that changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from types import MappingProxyType

from gossamer.gossip import BoundedMap, Gossip
from gossamer.peers.model import Instance, Override

from ._deadlines import Deadlines
from ._entry import Entry
from ._listing import Listing, Snapshot
from ._owner import Held, Owner, Standing
from ._records import (
    KEYS_RECORD,
    Record,
    Refused,
    Subject,
    decode_intervention,
    decode_record,
    instance_key,
    parse_key,
)

# The ends of overrides are moments of the wall clock, which may be set: look again after this.
_WALL_PATIENCE = 60.0
# Looking again sooner might be at the same moment, as floats have it.
_WALL_GRAIN = 0.001
# Emptied services whose last index is remembered by name.
_EMPTIED = 1024


class _Service:
    __slots__ = ("entries", "every", "shown", "unverified", "up")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.shown: dict[str, Instance] = {}
        self.every = Listing()
        self.up = Listing()
        self.unverified = 0

    def show(self, id: str, instance: Instance | None) -> None:
        old = self.shown.pop(id, None)
        if old is not None:
            self.every.remove(old)
            self.unverified -= not old.verified
            if old.status == "UP":
                self.up.remove(old)
        if instance is not None:
            self.shown[id] = instance
            self.every.add(instance)
            self.unverified += not instance.verified
            if instance.status == "UP":
                self.up.add(instance)


class View:
    """The registry as one peer sees it; `snapshots` may be read from any thread."""

    def __init__(
        self,
        gossip: Gossip,
        *,
        wall: Callable[[], float],
        observe: Callable[[int], object],
        is_preserved: Callable[[str, str], bool],
        owners_limit: int,
    ) -> None:
        self._gossip = gossip
        self._wall = wall
        self._observe = observe
        self._is_preserved = is_preserved
        self._owners_limit = owners_limit
        self._services: dict[str, _Service] = {}
        self._owners: dict[str, Owner] = {}
        self._due: Deadlines[Subject] = Deadlines()
        self._emptied = BoundedMap[str, int](_EMPTIED)
        self._unknown_index = 0
        self._dirty: dict[str, None] = {}
        self.touched: dict[Subject, None] = {}
        """Instances of which something changed; whoever acts on them takes them out."""
        self.snapshots: dict[str, Snapshot] = {}
        # Starting at the time keeps an index of an earlier life from meaning another state now.
        self.index = int(wall() * 1000)
        self.instances = 0
        self.unverified = 0
        self.refused = 0
        self.waiting = 0
        """Records that had to wait because too many owners claim their instance."""

    @property
    def deadline(self) -> float:
        """When `expire` is wanted next."""
        return self._due.next

    def entry(self, subject: Subject) -> Entry | None:
        """Return all that is known of an instance."""
        service = self._services.get(subject[0])
        return None if service is None else service.entries.get(subject[1])

    def find(self, subject: Subject) -> Instance | None:
        """Return an instance as `all=True` shows it."""
        service = self._services.get(subject[0])
        return None if service is None else service.shown.get(subject[1])

    def owner(self, name: str) -> Owner | None:
        """Return the owner of a part."""
        return self._owners.get(name)

    def owners(self) -> Iterable[Owner]:
        """Return all owners of parts."""
        return self._owners.values()

    def subjects_of(self, name: str) -> Iterator[Subject]:
        """Iterate over what an owner's part is about; the part must not change meanwhile."""
        owner = self._owners.get(name)
        if owner is not None:
            yield from (held.subject for held in owner.held.values() if held.subject is not None)

    def index_of(self, service: str) -> int:
        """Return the index of a service, also of one that is not known."""
        snapshot = self.snapshots.get(service)
        if snapshot is not None:
            return snapshot.index
        # Indices are unique, so that of another service's end means nothing but "empty" here.
        return self._emptied.get(service, self._unknown_index)

    def apply(self, name: str, keys: Iterable[str], now: float) -> None:
        """Read what the part of `name` says under `keys` now."""
        part = self._gossip.parts.get(name)
        if part is None:
            self._drop(name, now)
            return
        owner = self._owners.get(name)
        if owner is None or owner.epoch != part.epoch:
            keys = dict.fromkeys([*(owner.held if owner is not None else ()), *part.records])
            owner = self._enter(name, part.epoch, now)
        for key in keys:
            self._read(owner, key, part.records.get(key), now)

    def judge(self, name: str, now: float) -> None:
        """Read what is known of the member `name` now."""
        part = self._gossip.parts.get(name)
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

    def unsettle(self) -> None:
        """Give every service a new index, since what an answer is worth has changed."""
        self._dirty.update(dict.fromkeys(self.snapshots))

    def commit(self) -> list[str]:
        """Replace the snapshots of services that changed and return their names."""
        changed = list(self._dirty)
        self._dirty.clear()
        for name in changed:
            self.index += 1
            self._freeze(name)
        return changed

    def _enter(self, name: str, epoch: int, now: float) -> Owner:
        owner = self._owners.setdefault(name, Owner(name, epoch))
        owner.epoch = epoch
        owner.gone_at = inf
        self._judge(owner, now)
        self._refresh_all(owner, now)
        return owner

    def _judge(self, owner: Owner, now: float) -> bool:
        if owner.name == self._gossip.name:
            return False
        return owner.judge(self._gossip.members.get(owner.name), now)

    def _drop(self, name: str, now: float) -> None:
        owner = self._owners.get(name)
        if owner is not None:
            for key in list(owner.held):
                self._read(owner, key, None, now)
            del self._owners[name]

    def _refresh_all(self, owner: Owner, now: float) -> None:
        for held in owner.held.values():
            if held.subject is not None and held.is_instance:
                self._resolve(held.subject, now)

    def _read(self, owner: Owner, key: str, value: bytes | None, now: float) -> None:
        old = owner.held.get(key)
        if (old.value if old is not None else None) == value:
            return
        if old is not None:
            del owner.held[key]
            if old.subject is not None:
                self._forget(owner, old.subject, old)
        subject = old.subject if old is not None else None
        if value is not None:
            held = owner.held[key] = self._parse(owner.name, key, value)
            owner.instances += held.is_instance
            subject = held.subject or subject
        if subject is not None:
            self._resolve(subject, now)

    def _parse(self, owner: str, key: str, value: bytes) -> Held:
        if key == KEYS_RECORD:
            return Held(value, None, False)
        try:
            kind, subject = parse_key(key)
            if kind == "i":
                record = decode_record(value)
                self._admit(self._enter_subject(subject), owner, record)
                self._observe(max(record.stamp, record.override_stamp))
                return Held(value, subject, True)
            intervention = decode_intervention(value)
        except Refused:
            self.refused += 1
            return Held(value, None, False)
        self._enter_subject(subject).interventions[owner] = intervention
        self._observe(intervention.stamp)
        return Held(value, subject, False)

    def _enter_subject(self, subject: Subject) -> Entry:
        service = self._services.get(subject[0])
        if service is None:
            service = self._services[subject[0]] = _Service()
        entry = service.entries.get(subject[1])
        if entry is None:
            entry = service.entries[subject[1]] = Entry()
        return entry

    def _admit(self, entry: Entry, owner: str, record: Record) -> None:
        if not entry.admit(owner, record, self._gossip.name, self._owners_limit):
            self.waiting += 1

    def _forget(self, owner: Owner, subject: Subject, old: Held) -> None:
        entry = self._services[subject[0]].entries[subject[1]]
        if old.is_instance:
            owner.instances -= 1
            stamp = decode_record(old.value).stamp
            next_one = entry.discard(owner.name, stamp, self._gossip.name)
            if next_one is not None:
                value = self._owners[next_one].held[instance_key(subject)].value
                self._admit(entry, next_one, decode_record(value))
        else:
            del entry.interventions[owner.name]

    def _resolve(self, subject: Subject, now: float) -> None:
        self.touched[subject] = None
        name, key = subject
        service = self._services.get(name)
        entry = service.entries.get(key) if service is not None else None
        if service is None or entry is None:
            return
        instance, due = self._choose(subject, entry, now)
        if due < inf:
            self._due.set(subject, due)
        else:
            self._due.discard(subject)
        old = service.shown.get(key)
        if instance != old:
            self.instances += (instance is not None) - (old is not None)
            before = service.unverified
            service.show(key, instance)
            self.unverified += service.unverified - before
            self._dirty[name] = None
        if entry.empty:
            del service.entries[key]
            if not service.entries:
                del self._services[name]

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
        return _show(subject, name, record, override, verified), due

    def _keeps(self, owner: Owner, service: str) -> bool:
        return owner.standing is Standing.LOST and self._is_preserved(owner.name, service)

    def _freeze(self, name: str) -> None:
        service = self._services.get(name)
        if service is not None and service.shown:
            self._emptied.pop(name, None)
            self.snapshots[name] = Snapshot(
                self.index, service.every.freeze(), service.up.freeze(), service.unverified > 0
            )
        elif self.snapshots.pop(name, None) is not None:
            forgotten = self._emptied.keep(name, self.index)
            if forgotten is not None:
                self._unknown_index = forgotten[1]


_NO_METADATA: Mapping[str, str] = MappingProxyType({})


def _show(
    subject: Subject, owner: str, record: Record, override: Override | None, verified: bool
) -> Instance:
    return Instance(
        service=subject[0],
        id=subject[1],
        address=record.address,
        port=record.port,
        status=record.status if override is None else override.status,
        own_status=record.status,
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
    )


def _seconds(ms: int | None) -> float | None:
    if ms is None:
        return None
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
