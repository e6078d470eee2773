"""The interventions that this peer has written, until the owners of the instances adopt them.

An intervention is done when two conditions hold.
First, its owner has had a chance to adopt it: the owner is alive and this peer has its part, or the
owner has left or began a later life.
Second, no record of the instance that this peer sees is older than the intervention.
This peer keeps an intervention for ten seconds after it is done, because another peer may hear of
its end before it hears of the change that made it unnecessary.
This peer drops an intervention that is not done after two days (`override_kept_for`).
The time is so long because an owner may seem dead or unknown only as a result of a partition.
When the partition heals, that owner must not revive an instance that was deregistered meanwhile.
"""

from collections.abc import Callable, Iterable

from gossamer.gossip import Status
from gossamer.peers.model import Override, RegistryConfig

from ._deadlines import Deadlines
from ._records import Intervention, Kind, Record, Subject, decode_intervention, encode_intervention
from ._replication import Replication
from ._view import View

# In seconds. A lost change waits less than this for its repair.
_SETTLE = 10.0


class Interventions:
    """This peer's own interventions of one family: at most one for each instance, oldest first.

    `key_of` returns the record key of an instance's intervention.
    """

    def __init__(
        self,
        mesh: Replication,
        view: View,
        key_of: Callable[[Subject], str],
        *,
        wall: Callable[[], float],
        config: RegistryConfig,
    ) -> None:
        self._mesh = mesh
        self._view = view
        self._key_of = key_of
        self._wall = wall
        self._config = config
        self._written: dict[Subject, Intervention] = {}
        self._targets: dict[str, dict[Subject, None]] = {}
        self._settling: dict[Subject, None] = {}
        self._ends: Deadlines[Subject] = Deadlines()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._written)

    @property
    def deadline(self) -> float:
        """The time at which `expire` must be called next."""
        return self._ends.next

    def write(
        self,
        subject: Subject,
        kind: Kind,
        stamp: int,
        override: Override | None,
        owner: str,
        now: float,
        tail: bytes = b"",
    ) -> None:
        """Write an intervention for `owner` to adopt.

        Raises `RecordTooLarge`; then nothing has changed.
        """
        known = self._view.owner(owner)
        epoch = 0 if known is None else known.epoch
        written_ms = round(self._wall() * 1000)
        self._write(
            subject, Intervention(stamp, kind, owner, epoch, override, written_ms, tail), now
        )

    def resume(self, subject: Subject, value: bytes, now: float) -> None:
        """Write an intervention of an earlier life again, unless there is a later one.

        Raises `Refused` or `Unknown` if it cannot be read, and `RecordTooLarge`.
        """
        intervention = decode_intervention(value)
        known = self._written.get(subject)
        if known is None or known.stamp < intervention.stamp:
            self._write(subject, intervention, now)

    def review(self, owner: str, now: float) -> None:
        """Check the interventions for an owner again, because the owner's state changed."""
        for subject in self._targets.get(owner, ()):
            self._settle(subject, now)

    def settle(self, subject: Subject, now: float) -> None:
        """Check the intervention for an instance again, because something of it changed."""
        if subject in self._written:
            self._settle(subject, now)

    def expire(self, now: float) -> None:
        """Drop the interventions that were done long enough ago, or have become too old."""
        for subject in self._ends.pop_due(now):
            self._end(subject, now)

    def _write(self, subject: Subject, intervention: Intervention, now: float) -> None:
        key = self._key_of(subject)
        self._mesh.publish(key, encode_intervention(intervention), now)
        # The old one is removed first, so that the new one comes last in the order of age.
        self._forget(subject)
        self._written[subject] = intervention
        self._targets.setdefault(intervention.owner, {})[subject] = None
        self._read(key, now)
        if len(self._written) > self._config.overrides:
            self.dropped += 1
            self._drop(next(iter(self._settling or self._written)), now)

    def _settle(self, subject: Subject, now: float) -> None:
        intervention = self._written[subject]
        if self._is_done(subject, intervention):
            if subject not in self._settling:
                self._settling[subject] = None
                self._ends.set(subject, now + _SETTLE)
        else:
            self._settling.pop(subject, None)
            self._ends.set(subject, now + max(self._remaining(intervention), _SETTLE))

    def _end(self, subject: Subject, now: float) -> None:
        intervention = self._written[subject]
        done = self._is_done(subject, intervention)
        if (done and subject in self._settling) or self._remaining(intervention) <= 0:
            self._drop(subject, now)
        else:
            self._settling.pop(subject, None)
            self._settle(subject, now)

    def _remaining(self, intervention: Intervention) -> float:
        age = self._wall() - intervention.written_ms / 1000
        return self._config.override_kept_for - max(age, 0.0)

    def _drop(self, subject: Subject, now: float) -> None:
        self._forget(subject)
        self._mesh.withdraw(self._key_of(subject), now)
        self._read(self._key_of(subject), now)

    def _forget(self, subject: Subject) -> None:
        intervention = self._written.pop(subject, None)
        if intervention is not None:
            targets = self._targets[intervention.owner]
            del targets[subject]
            if not targets:
                del self._targets[intervention.owner]
        self._settling.pop(subject, None)
        self._ends.discard(subject)

    def _is_done(self, subject: Subject, intervention: Intervention) -> bool:
        entry = self._view.entry(subject)
        records: Iterable[Record] = () if entry is None else entry.records.values()
        waiting = any(_decided_at(record, intervention) < intervention.stamp for record in records)
        return not waiting and self._had_its_chance(intervention)

    def _had_its_chance(self, intervention: Intervention) -> bool:
        name, epoch = intervention.owner, intervention.owner_epoch
        member = self._mesh.members.get(name)
        if name == self._mesh.name:
            return True
        if member is None or member.epoch < epoch:
            return False
        if member.epoch > epoch or member.status is Status.LEFT:
            return True
        # If the owner is alive but its part is not here yet, the part may contain the old record.
        owner = self._view.owner(name)
        return member.status.living and owner is not None and owner.epoch >= epoch

    def _read(self, key: str, now: float) -> None:
        self._view.apply(self._mesh.name, (key,), now)


# Returns the stamp of that item of the record which the intervention changes.
def _decided_at(record: Record, intervention: Intervention) -> int:
    match intervention.kind:
        case Kind.REMOVE:
            return record.stamp
        case Kind.REPORT:
            return record.report_stamp
        case Kind.STATUS | Kind.CLEAR:
            return record.override_stamp
