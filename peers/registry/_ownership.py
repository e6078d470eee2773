"""What a peer does about its own part of the registry, whenever something else changes.

For each of its instances:
- a removal with a higher stamp: the record is withdrawn;
- a higher (stamp, owner) under an owner that is here: the record is withdrawn, and a decision
  on the override that the other owner may not know is left as an intervention;
- a decision with a higher stamp: the record takes it over, and keeps its own stamp;
- a lease or an override that ended: withdrawn, or taken out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gossamer.gossip import Gossip, HybridClock, RecordTooLarge
from gossamer.peers.model import STAMP_MOST, Override, RegistryConfig

from ._entry import NO_DECISION, Decision, Entry
from ._interventions import Interventions
from ._leases import Leases
from ._owner import Standing
from ._records import (
    KEYS_RECORD,
    Kind,
    Record,
    Refused,
    Subject,
    decode_intervention,
    decode_record,
    encode_record,
    instance_key,
    parse_key,
)
from ._view import View


class Ownership:
    """A peer's own instances with their leases, and its interventions."""

    def __init__(
        self,
        gossip: Gossip,
        view: View,
        clock: HybridClock,
        *,
        wall: Callable[[], float],
        config: RegistryConfig,
    ) -> None:
        self._gossip = gossip
        self._view = view
        self._clock = clock
        self._wall = wall
        self._config = config
        # Decisions on instances of this peer's process in an earlier life.
        self._inherited: dict[Subject, Decision] = {}
        self.leases = Leases()
        self.interventions = Interventions(gossip, view, wall=wall, config=config)
        self.expired = 0
        self.given_up = 0
        self.taken_over = 0
        self.adopted = 0
        self.unpublished = 0

    @property
    def deadline(self) -> float:
        """When `expire` is wanted next."""
        return min(self.leases.deadline, self.interventions.deadline)

    @property
    def instances(self) -> int:
        """How many instances are registered here."""
        owner = self._view.owner(self._gossip.name)
        return 0 if owner is None else owner.instances

    @property
    def wall_ms(self) -> int:
        """The time in Unix milliseconds."""
        return round(self._wall() * 1000)

    def record(self, subject: Subject) -> Record | None:
        """Return the record that this peer publishes of an instance."""
        entry = self._view.entry(subject)
        return None if entry is None else entry.records.get(self._gossip.name)

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
        """End an instance, whoever owns it; raises `RecordTooLarge`, nothing changed."""
        entry = self._view.entry(subject)
        assert entry is not None
        me = self._gossip.name
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
        """
        entry = self._view.entry(subject)
        assert entry is not None
        theirs, decision = entry.records[owner], entry.decision()
        record = replace(
            theirs,
            stamp=min(theirs.stamp + 1, STAMP_MOST),
            override=decision.override,
            override_stamp=decision.stamp,
        )
        self._publish(subject, record, now)
        self.taken_over += 1

    def override(self, subject: Subject, owner: str, override: Override | None, now: float) -> None:
        """Set or clear an override; raises `RecordTooLarge`, nothing changed."""
        stamp = self._stamp(self._view.entry(subject))
        mine = self.record(subject)
        if mine is None or owner != self._gossip.name:
            kind = Kind.CLEAR if override is None else Kind.STATUS
            self.interventions.write(subject, kind, stamp, override, owner, now)
        else:
            self._decide(subject, mine, Decision(stamp, override), now)

    def expire(self, now: float) -> None:
        """End what is over: leases, and interventions that are needed no longer."""
        for subject in self.leases.pop_ended(now):
            self.expired += 1
            self._withdraw(subject, now)
        self.interventions.expire(now)

    def settle(self, now: float) -> None:
        """Act on every instance of which the view says that something changed."""
        touched = self._view.touched
        while touched:
            subject = next(iter(touched))
            del touched[subject]
            entry = self._view.entry(subject)
            mine = None if entry is None else entry.records.get(self._gossip.name)
            if entry is not None and mine is not None:
                self._settle_record(subject, entry, mine, now)
            self.interventions.settle(subject, now)

    def resume(self, records: Mapping[str, bytes], now: float) -> None:
        """Take up what an earlier life of this peer left in the mesh.

        Leased instances are published again and expire unless somebody renews them; those of
        the process ended with it, but what was decided on them waits for their return.
        """
        for key, value in records.items():
            if key == KEYS_RECORD:
                continue
            try:
                kind, subject = parse_key(key)
                if kind == "i":
                    self._resume_record(subject, decode_record(value), now)
                else:
                    self.interventions.resume(subject, decode_intervention(value), now)
            except Refused:
                self._view.refused += 1
            except RecordTooLarge:
                self.unpublished += 1

    def _resume_record(self, subject: Subject, record: Record, now: float) -> None:
        mine = self.record(subject)
        decided = Decision(record.override_stamp, record.override)
        if mine is not None:
            if decided.stamp > mine.override_stamp:
                self._adopt(subject, mine, decided, now)
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
        decision = entry.decision()
        override = mine.override
        if decision.stamp > mine.override_stamp:
            self._adopt(subject, mine, decision, now)
        elif override is not None and _is_over(override, self._wall()):
            self._adopt(subject, mine, Decision(mine.override_stamp, None), now)

    # An owner that is not here may be given the instance back, but cannot keep it alive.
    def _rival(self, entry: Entry, mine: Record) -> str | None:
        best = mine.stamp, self._gossip.name
        for name, record in entry.records.items():
            owner = self._view.owner(name)
            if owner is not None and owner.standing is Standing.HERE:
                best = max(best, (record.stamp, name))
        return None if best[1] == self._gossip.name else best[1]

    def _give_up(self, subject: Subject, mine: Record, rival: str, now: float) -> None:
        self.given_up += 1
        entry = self._view.entry(subject)
        theirs = 0 if entry is None else entry.records[rival].override_stamp
        self._withdraw(subject, now)
        if mine.override_stamp > theirs:
            kind = Kind.CLEAR if mine.override is None else Kind.STATUS
            try:
                self.interventions.write(
                    subject, kind, mine.override_stamp, mine.override, rival, now
                )
            except RecordTooLarge:
                self.unpublished += 1

    def _adopt(self, subject: Subject, mine: Record, decision: Decision, now: float) -> None:
        try:
            self._decide(subject, mine, decision, now)
            self.adopted += 1
        except RecordTooLarge:
            self.unpublished += 1

    # A stamp above all that is known of an instance also beats one from a clock so far ahead
    # that the hybrid clock ignores it.
    def _stamp(self, entry: Entry | None) -> int:
        highest = 0 if entry is None else entry.highest
        return min(max(self._clock.next(self.wall_ms), highest + 1), STAMP_MOST)

    def _publish(self, subject: Subject, record: Record, now: float) -> None:
        self._gossip.publish(instance_key(subject), encode_record(record), now)
        self._inherited.pop(subject, None)
        if record.ttl_ms is None:
            self.leases.end(subject)
        else:
            self.leases.renew(subject, record.ttl_ms, now)
        self._read(instance_key(subject), now)

    # The stamp of the registration and the lease are left as they are.
    def _decide(self, subject: Subject, mine: Record, decision: Decision, now: float) -> None:
        override = decision.override
        if override is not None and _is_over(override, self._wall()):
            override = None
        record = replace(
            mine, override=override, override_stamp=decision.stamp, updated_ms=self.wall_ms
        )
        self._gossip.publish(instance_key(subject), encode_record(record), now)
        self._read(instance_key(subject), now)

    def _withdraw(self, subject: Subject, now: float) -> None:
        self.leases.end(subject)
        self._inherited.pop(subject, None)
        self._gossip.withdraw(instance_key(subject), now)
        self._read(instance_key(subject), now)

    def _read(self, key: str, now: float) -> None:
        self._view.apply(self._gossip.name, (key,), now)


def _is_over(override: Override, wall: float) -> bool:
    return override.expires_at is not None and override.expires_at <= wall
