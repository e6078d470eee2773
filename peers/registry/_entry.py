"""All that is known of one instance: what each owner says, and what others decided.

Everything here is a function of the records alone, whatever order they came in.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from gossamer.peers.model import Override

from ._records import Intervention, Kind, Record, Report


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest word on an instance's override; None for "there is none"."""

    stamp: int
    override: Override | None


NO_DECISION = Decision(0, None)


@dataclass(slots=True)
class Entry:
    """The records of one instance by owner, and what others decided and told, by writer."""

    records: dict[str, Record] = field(default_factory=dict)
    interventions: dict[str, Intervention] = field(default_factory=dict)
    reports: dict[str, Intervention] = field(default_factory=dict)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    """Stamps and owners of the records beyond the limit, the highest last."""

    def admit(self, owner: str, record: Record, me: str, limit: int) -> bool:
        """Let a record compete if it is among the `limit` highest, or is `me`'s own.

        Returns whether no record has to wait for it.
        Without a bound, a change of an instance that has thousands of owners would take as many
        steps.
        """
        self.records[owner] = record
        if len(self.records) - (me in self.records) <= limit:
            return True
        least = min((each.stamp, name) for name, each in self.records.items() if name != me)
        del self.records[least[1]]
        insort(self.waiting, least)
        return False

    def discard(self, owner: str, stamp: int, me: str) -> str | None:
        """Take an owner's record away; return the owner whose record takes its place."""
        if owner not in self.records:
            del self.waiting[bisect_left(self.waiting, (stamp, owner))]
            return None
        del self.records[owner]
        return self.waiting.pop()[1] if self.waiting and owner != me else None

    @property
    def empty(self) -> bool:
        """Whether nothing is known any more."""
        return not (self.records or self.interventions or self.reports)

    @property
    def removed(self) -> int:
        """The stamp below which registrations and decisions are void."""
        return max(
            (each.stamp for each in self.interventions.values() if each.kind is Kind.REMOVE),
            default=0,
        )

    @property
    def highest(self) -> int:
        """The highest stamp of all that is known."""
        highest = 0
        for record in self.records.values():
            highest = max(highest, record.stamp, record.override_stamp, record.report_stamp)
        for told in (self.interventions, self.reports):
            for intervention in told.values():
                highest = max(highest, intervention.stamp)
        return highest

    def decision(self) -> Decision:
        """Return the decision with the highest stamp; between equals, the last writer by name.

        A removal is one too: a registration after it begins without an override, and carries
        that stamp on, so that what was void stays void when the removal is needed no longer.
        """
        # Nearly every instance has one owner and no interventions.
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
        """Return the service's last word about itself; between equals, the last writer by name.

        None if no record is left, or if all were removed.
        A removal needs no place in this: a registration after it is a later word.
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
