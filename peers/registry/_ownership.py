"""What a peer does about its own part of the registry, whenever something else changes.

For each of its instances:
- a removal with a higher stamp: the record is withdrawn;
- a higher (stamp, owner) under an owner that is here: the record is withdrawn, and a decision
  on the override that the other owner may not know is left as an intervention;
- a decision or a report with a higher stamp: the record takes it over, and keeps its own stamp;
- a lease or an override that ended: withdrawn, or taken out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gossamer.gossip import STAMP_LIMIT, HybridClock, RecordTooLarge
from gossamer.peers.model import Override, RegistryConfig

from ._entry import NO_DECISION, Decision, Entry
from ._families import INSTANCES, INTERVENTIONS, REPORTS, Refused, Unknown, family_of
from ._interventions import Interventions
from ._leases import Leases
from ._owner import Standing
from ._records import (
    Kind,
    Record,
    Report,
    Subject,
    decode_record,
    encode_record,
    instance_key,
    intervention_key,
    parse_key,
    report_key,
    report_tail,
)
from ._replication import Replication
from ._tail import TailTooLarge, write_tail
from ._view import View


class Ownership:
    """A peer's own instances with their leases, and its interventions."""

    def __init__(
        self,
        mesh: Replication,
        view: View,
        clock: HybridClock,
        *,
        wall: Callable[[], float],
        config: RegistryConfig,
    ) -> None:
        self._mesh = mesh
        self._view = view
        self._clock = clock
        self._wall = wall
        self._config = config
        # Decisions on instances of this peer's process in an earlier life.
        self._inherited: dict[Subject, Decision] = {}
        self.leases = Leases()
        self.interventions = Interventions(mesh, view, intervention_key, wall=wall, config=config)
        self.reports = Interventions(mesh, view, report_key, wall=wall, config=config)
        self._resumed: Mapping[str, Callable[[Subject, bytes, float], None]] = {
            INSTANCES: self._resume_record,
            INTERVENTIONS: self.interventions.resume,
            REPORTS: self.reports.resume,
        }
        self.expired = 0
        self.given_up = 0
        self.taken_over = 0
        self.adopted = 0
        self.unpublished = 0
        self.unresumed = 0

    @property
    def deadline(self) -> float:
        """When `expire` is wanted next."""
        return min(self.leases.deadline, self.interventions.deadline, self.reports.deadline)

    @property
    def instances(self) -> int:
        """How many instances are registered here."""
        owner = self._view.owner(self._mesh.name)
        return 0 if owner is None else len(owner.stamps)

    @property
    def wall_ms(self) -> int:
        """The time in Unix milliseconds."""
        return round(self._wall() * 1000)

    def record(self, subject: Subject) -> Record | None:
        """Return the record that this peer publishes of an instance."""
        entry = self._view.entry(subject)
        return None if entry is None else entry.records.get(self._mesh.name)

    def register(self, subject: Subject, record: Record, now: float) -> None:
        """Publish a new registration; raises `RecordTooLarge`, nothing changed.

        An override outlives the registration that it was set on, unless that was deregistered.
        """
        entry = self._view.entry(subject)
        decision = NO_DECISION if entry is None else entry.decision()
        inherited = self._inherited.get(subject)
        if inherited is not None and inherited.stamp > decision.stamp:
            decision = inherited
        record = replace(
            record,
            stamp=self._stamp(entry),
            override=decision.override,
            override_stamp=decision.stamp,
        )
        self._publish(subject, record, now)

    def remove(self, subject: Subject, now: float) -> None:
        """End an instance of any owner; raises `RecordTooLarge`, nothing changed."""
        entry = self._view.entry(subject)
        assert entry is not None
        me = self._mesh.name
        others = [(each.stamp, name) for name, each in entry.records.items() if name != me]
        mine = entry.records.get(me)
        # Without an intervention, what others said of the instance would take its place, and a
        # heartbeat that is faster than this would have it taken over by another peer.
        if others or entry.interventions or (mine is not None and mine.leased):
            owner = max(others)[1] if others else me
            self.interventions.write(subject, Kind.REMOVE, self._stamp(entry), None, owner, now)
        self._withdraw(subject, now)

    def renew(self, subject: Subject, now: float) -> bool:
        """Renew a lease that this peer holds; return whether it does."""
        mine = self.record(subject)
        if mine is None or mine.ttl_ms is None:
            return False
        self.leases.renew(subject, mine.ttl_ms, now)
        return True

    def take_over(self, subject: Subject, owner: str, now: float) -> None:
        """Become the owner of a leased instance; raises `RecordTooLarge`, nothing changed.

        The stamp is one above that of the record that is copied, and no more: what was decided
        meanwhile, with a stamp of the clock, and is not known here yet, still wins.
        The service's last report keeps its stamp.
        """
        entry = self._view.entry(subject)
        assert entry is not None
        theirs, decision = entry.records[owner], entry.decision()
        report = entry.report() or theirs.report
        try:
            record = _reported(theirs, report)
        except TailTooLarge:
            # A report that other peers still have in mind may now lose against this record.  That
            # is less harm than a service that beats and is not heard.
            record = replace(theirs, status=report.status)
        record = replace(
            record,
            stamp=min(theirs.stamp + 1, STAMP_LIMIT),
            override=decision.override,
            override_stamp=decision.stamp,
        )
        self._publish(subject, record, now)
        self.taken_over += 1

    def override(self, subject: Subject, owner: str, override: Override | None, now: float) -> None:
        """Set or clear an override; raises `RecordTooLarge`, nothing changed."""
        stamp = self._stamp(self._view.entry(subject))
        mine = self.record(subject)
        if mine is None or owner != self._mesh.name:
            kind = Kind.CLEAR if override is None else Kind.STATUS
            self.interventions.write(subject, kind, stamp, override, owner, now)
        else:
            self._amend(subject, self._decided(mine, Decision(stamp, override)), now)

    def report(self, subject: Subject, owner: str, status: str, output: str, now: float) -> None:
        """Tell a service's own status; raises `RecordTooLarge`, nothing changed."""
        stamp = self._stamp(self._view.entry(subject))
        mine = self.record(subject)
        if mine is None or owner != self._mesh.name:
            tail = report_tail(status, output)
            self.reports.write(subject, Kind.REPORT, stamp, None, owner, now, tail)
        else:
            self._amend(subject, _reported(mine, Report(stamp, status, output)), now)

    def review(self, owner: str, now: float) -> None:
        """Look again at what waits for an owner whose state changed."""
        self.interventions.review(owner, now)
        self.reports.review(owner, now)

    def expire(self, now: float) -> None:
        """End what is over: leases, and interventions that are needed no longer."""
        for subject in self.leases.pop_ended(now):
            self.expired += 1
            self._withdraw(subject, now)
        self.interventions.expire(now)
        self.reports.expire(now)

    def settle(self, now: float) -> None:
        """Act on every instance of which the view says that something changed."""
        touched = self._view.touched
        while touched:
            subject = next(iter(touched))
            del touched[subject]
            entry = self._view.entry(subject)
            mine = None if entry is None else entry.records.get(self._mesh.name)
            if entry is not None and mine is not None:
                self._settle_record(subject, entry, mine, now)
            self.interventions.settle(subject, now)
            self.reports.settle(subject, now)

    def resume(self, records: Mapping[str, bytes], now: float) -> None:
        """Take up what an earlier life of this peer left in the mesh.

        Leased instances are published again and expire unless somebody renews them; those of
        the process ended with it, but what was decided on them waits for their return.
        """
        for key, value in records.items():
            resume = self._resumed.get(family_of(key))
            try:
                if resume is not None:
                    resume(parse_key(key), value, now)
            except Refused:
                self.unresumed += 1
            except Unknown:
                pass  # nobody can tell whether it outlives its process
            except RecordTooLarge:
                self.unpublished += 1

    def _resume_record(self, subject: Subject, value: bytes, now: float) -> None:
        record = decode_record(value)
        mine = self.record(subject)
        decided = Decision(record.override_stamp, record.override)
        if mine is not None:
            self._adopt(subject, mine, decided, record.report, now)
        elif not record.leased:
            if record.override is not None:
                self._inherited[subject] = decided
        elif self.instances < self._config.instances:
            self._publish(subject, record, now)

    def _settle_record(self, subject: Subject, entry: Entry, mine: Record, now: float) -> None:
        if entry.removed > mine.stamp:
            self._withdraw(subject, now)
            return
        rival = self._rival(entry, mine)
        if rival is not None:
            self._give_up(subject, mine, rival, now)
            return
        self._adopt(subject, mine, entry.decision(), entry.report() or mine.report, now)

    # An owner that is not here may be given the instance back, but cannot keep it alive.
    def _rival(self, entry: Entry, mine: Record) -> str | None:
        best = mine.stamp, self._mesh.name
        for name, record in entry.records.items():
            owner = self._view.owner(name)
            if owner is not None and owner.standing is Standing.HERE:
                best = max(best, (record.stamp, name))
        return None if best[1] == self._mesh.name else best[1]

    def _give_up(self, subject: Subject, mine: Record, rival: str, now: float) -> None:
        self.given_up += 1
        entry = self._view.entry(subject)
        assert entry is not None
        theirs = entry.records[rival]
        self._withdraw(subject, now)
        try:
            if mine.override_stamp > theirs.override_stamp:
                kind = Kind.CLEAR if mine.override is None else Kind.STATUS
                self.interventions.write(
                    subject, kind, mine.override_stamp, mine.override, rival, now
                )
            if mine.report_stamp > theirs.report_stamp:
                told = report_tail(mine.status, mine.output)
                self.reports.write(subject, Kind.REPORT, mine.report_stamp, None, rival, now, told)
        except RecordTooLarge:
            self.unpublished += 1

    # What is decided or told with a higher stamp than this peer's record knows, and the end of
    # an override, are taken into the record.
    def _adopt(
        self, subject: Subject, mine: Record, decision: Decision, report: Report, now: float
    ) -> None:
        record = mine
        if report.stamp > mine.report_stamp:
            try:
                record = _reported(record, report)
            except TailTooLarge:
                # The operator's decision must not wait for a report that finds no room.
                self.unpublished += 1
        try:
            if decision.stamp > mine.override_stamp:
                record = self._decided(record, decision)
            elif self._is_over(mine.override):
                record = replace(record, override=None)
            if record is not mine:
                self._amend(subject, record, now)
                self.adopted += 1
        except RecordTooLarge:
            self.unpublished += 1

    def _decided(self, record: Record, decision: Decision) -> Record:
        override = None if self._is_over(decision.override) else decision.override
        return replace(record, override=override, override_stamp=decision.stamp)

    def _is_over(self, override: Override | None) -> bool:
        return (
            override is not None
            and override.expires_at is not None
            and override.expires_at <= self._wall()
        )

    # A stamp above all that is known of an instance also beats one from a clock so far ahead
    # that the hybrid clock ignores it.
    def _stamp(self, entry: Entry | None) -> int:
        highest = 0 if entry is None else entry.highest
        return min(max(self._clock.next(self.wall_ms), highest + 1), STAMP_LIMIT)

    def _publish(self, subject: Subject, record: Record, now: float) -> None:
        self._mesh.publish(instance_key(subject), encode_record(record), now)
        self._inherited.pop(subject, None)
        if record.ttl_ms is None:
            self.leases.end(subject)
        else:
            self.leases.renew(subject, record.ttl_ms, now)
        self._read(instance_key(subject), now)

    # The stamp of the registration and the lease are left as they are.
    def _amend(self, subject: Subject, record: Record, now: float) -> None:
        record = replace(record, updated_ms=self.wall_ms)
        self._mesh.publish(instance_key(subject), encode_record(record), now)
        self._read(instance_key(subject), now)

    def _withdraw(self, subject: Subject, now: float) -> None:
        self.leases.end(subject)
        self._inherited.pop(subject, None)
        self._mesh.withdraw(instance_key(subject), now)
        self._read(instance_key(subject), now)

    def _read(self, key: str, now: float) -> None:
        self._view.apply(self._mesh.name, (key,), now)


def _reported(record: Record, report: Report) -> Record:
    tail = write_tail(record.tail, report_stamp=report.stamp, output=report.output)
    return replace(record, status=report.status, tail=tail)
