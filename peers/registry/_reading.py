"""Reads the records in owners' parts into what is known of each instance.

Each change of a part is handed to the record's family. Two families are read here: instances,
and the decisions of peers on instances that they do not own (with reports as a third, which is
read as decisions are); other rooms bring their own.
"""

from collections.abc import Callable, Mapping

from ._entry import Entry
from ._families import Family, Refused, Unknown, family_of
from ._owner import Owner
from ._records import (
    Intervention,
    Kind,
    Record,
    Subject,
    decode_intervention,
    decode_record,
    instance_key,
    parse_key,
)

Touch = Callable[[Subject, float], None]


class Reading:
    """Hands what owners' parts say to the families of their records, each change once."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        self._families = families
        self.refused = 0
        """Records that were damaged."""
        self.unknown = 0
        """Records of a family, a form or a kind that only a later version knows."""

    def read(self, owner: Owner, key: str, value: bytes | None, now: float) -> None:
        """Read what an owner's part says under a key now, unless that was read before."""
        if owner.values.get(key) == value:
            return
        if value is None:
            del owner.values[key]
        else:
            owner.values[key] = value
        name = family_of(key)
        family = self._families.get(name)
        try:
            if family is not None:
                family.apply(owner.name, key, value, now)
            elif name:
                raise Unknown(f"a family {name}")
        except Refused:
            self.refused += value is not None
        except Unknown:
            self.unknown += value is not None


class InstanceRecords:
    """The family of instances: each owner's record competes in the entry of its instance."""

    def __init__(
        self,
        owners: Mapping[str, Owner],
        entries: dict[Subject, Entry],
        *,
        me: str,
        limit: int,
        observe: Callable[[int], object],
        touch: Touch,
    ) -> None:
        self._owners = owners
        self._entries = entries
        self._me = me
        self._limit = limit
        self._observe = observe
        self._touch = touch
        self.waiting = 0
        """Records that had to wait because too many owners claim their instance."""

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Let an owner's record of an instance compete, in place of its last one."""
        subject = parse_key(key)
        was_there = self._forget(owner, subject)
        try:
            record = None if value is None else decode_record(value)
        except (Refused, Unknown):
            if was_there:
                self._touch(subject, now)
            raise
        if record is not None:
            self._admit(self._entries.setdefault(subject, Entry()), owner, record)
            self._owners[owner].stamps[subject] = record.stamp
            self._observe(max(record.stamp, record.override_stamp, record.report_stamp))
        self._touch(subject, now)

    def _admit(self, entry: Entry, owner: str, record: Record) -> None:
        if not entry.admit(owner, record, self._me, self._limit):
            self.waiting += 1

    def _forget(self, owner: str, subject: Subject) -> bool:
        stamp = self._owners[owner].stamps.pop(subject, None)
        if stamp is None:
            return False
        entry = self._entries[subject]
        next_one = entry.discard(owner, stamp, self._me)
        if next_one is not None:
            value = self._owners[next_one].values[instance_key(subject)]
            self._admit(entry, next_one, decode_record(value))
        return True


class InterventionRecords:
    """A family of interventions: either reports, or all other kinds."""

    def __init__(
        self,
        entries: dict[Subject, Entry],
        *,
        reports: bool,
        observe: Callable[[int], object],
        touch: Touch,
    ) -> None:
        self._entries = entries
        self._reports = reports
        self._observe = observe
        self._touch = touch

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Take a writer's intervention into the entry of its instance."""
        subject = parse_key(key)
        was_there = self._forget(owner, subject)
        try:
            intervention = None if value is None else decode_intervention(value)
            if intervention is not None and (intervention.kind is Kind.REPORT) != self._reports:
                raise Refused("an intervention in the family of others")
        except (Refused, Unknown):
            if was_there:
                self._touch(subject, now)
            raise
        if intervention is not None:
            entry = self._entries.setdefault(subject, Entry())
            self._of(entry)[owner] = intervention
            self._observe(intervention.stamp)
        self._touch(subject, now)

    def _forget(self, writer: str, subject: Subject) -> bool:
        entry = self._entries.get(subject)
        return entry is not None and self._of(entry).pop(writer, None) is not None

    def _of(self, entry: Entry) -> dict[str, Intervention]:
        return entry.reports if self._reports else entry.interventions
