"""All that a peer knows about one subject: the record of each owner, and the interventions.

All results depend on the records alone, and not on the order in which they came.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from gossamer.peers.model import Override

from ._records import Intervention, Kind, Record, Report


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest decision on an instance's override; None means that it has no override."""

    stamp: int
    override: Override | None


NO_DECISION = Decision(0, None)


@dataclass(slots=True)
class Entry:
    """The records of one instance by owner, and its interventions and reports by writer."""

    records: dict[str, Record] = field(default_factory=dict)
    interventions: dict[str, Intervention] = field(default_factory=dict)
    reports: dict[str, Intervention] = field(default_factory=dict)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    """The stamps and owners of the records beyond the limit, the highest last."""

    def admit(self, owner: str, record: Record, me: str, limit: int) -> bool:
        """Add a record.

        If other peers now have more than `limit` records here, the lowest of those moves to
        `waiting`; the record of `me`, this peer, never moves.
        Returns whether no record had to move.
        Without the limit, each change of an instance with thousands of owners would take thousands
        of steps.
        """
        self.records[owner] = record
        if len(self.records) - (me in self.records) <= limit:
            return True
        least = min((each.stamp, name) for name, each in self.records.items() if name != me)
        del self.records[least[1]]
        insort(self.waiting, least)
        return False

    def discard(self, owner: str, stamp: int, me: str) -> str | None:
        """Remove an owner's record; return the owner whose waiting record must be added now.

        Returns None if no record must be added.
        """
        if owner not in self.records:
            del self.waiting[bisect_left(self.waiting, (stamp, owner))]
            return None
        del self.records[owner]
        return self.waiting.pop()[1] if self.waiting and owner != me else None

    @property
    def empty(self) -> bool:
        """Whether there is no record, no intervention and no report."""
        return not (self.records or self.interventions or self.reports)

    @property
    def removed(self) -> int:
        """The stamp of the latest removal, or 0; older registrations and decisions are void."""
        return max(
            (each.stamp for each in self.interventions.values() if each.kind is Kind.REMOVE),
            default=0,
        )

    @property
    def highest(self) -> int:
        """The highest stamp in the records, interventions and reports."""
        highest = 0
        for record in self.records.values():
            highest = max(highest, record.stamp, record.override_stamp, record.report_stamp)
        for told in (self.interventions, self.reports):
            for intervention in told.values():
                highest = max(highest, intervention.stamp)
        return highest

    def decision(self) -> Decision:
        """Return the decision with the highest stamp.

        Of equal stamps, a decision in a record wins over one in an intervention; then the writer
        wins whose name sorts last.
        A removal is a decision too. A registration after a removal begins without an override and
        keeps the stamp of the removal, so that older decisions stay void when the removal has
        been dropped.
        """
        # This is faster, and nearly every instance has one owner and no interventions.
        if not self.interventions and len(self.records) == 1:
            (record,) = self.records.values()
            return Decision(record.override_stamp, record.override)
        removed = self.removed
        best, best_rank = Decision(removed, None), (removed, True, "")
        for owner, record in self.records.items():
            rank = (record.override_stamp, True, owner)
            if record.stamp >= removed and rank > best_rank:
                best, best_rank = Decision(record.override_stamp, record.override), rank
        for writer, each in self.interventions.items():
            rank = (each.stamp, False, writer)
            if each.kind is not Kind.REMOVE and rank > best_rank:
                best, best_rank = Decision(each.stamp, each.override), rank
        return best

    def report(self) -> Report | None:
        """Return the latest report of the service about itself.

        Of equal stamps, a report in a record wins over one in an intervention; then the writer
        wins whose name sorts last.
        Returns None if there is no record, or if all records were removed.
        A removal does not compete here, because a registration after it counts as a later report.
        """
        if not self.reports and len(self.records) == 1:
            (record,) = self.records.values()
            return record.report
        removed = self.removed
        best: tuple[int, bool, str] | None = None
        found: Report | None = None
        for owner, record in self.records.items():
            rank = (record.report_stamp, True, owner)
            if record.stamp >= removed and (best is None or rank > best):
                best, found = rank, record.report
        if best is not None:
            for writer, each in self.reports.items():
                rank = (each.stamp, False, writer)
                if rank > best:
                    best, found = rank, each.report
        return found
