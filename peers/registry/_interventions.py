"""What a peer decided on instances that it does not own, until their owners have adopted it.

An intervention stays until the owner that it is for has had its chance: it is alive (or left,
or in a later life), and no record that this peer sees is older than the decision. Then it stays
a little longer, because another peer may hear of its end before it hears of what made it
needless. One for an owner that is dead or unknown stays for two days, so that a partition of any
usual length cannot revive what was deregistered.
"""

from collections.abc import Callable, Iterable

from gossamer.gossip import Status
from gossamer.peers.model import Override, RegistryConfig

from ._deadlines import Deadlines
from ._records import Intervention, Kind, Record, Subject, decode_intervention, encode_intervention
from ._replication import Replication
from ._view import View

# Longer than a change that got lost waits for repair.
_SETTLE = 10.0


class Interventions:
    """This peer's own interventions of one family, oldest first; one for each instance.

    `key_of` gives the key of an instance's.
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
        """When `expire` is wanted next."""
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
        """Write a decision for `owner` to adopt; raises `RecordTooLarge`, nothing changed."""
        known = self._view.owner(owner)
        epoch = 0 if known is None else known.epoch
        written_ms = round(self._wall() * 1000)
        self._write(
            subject, Intervention(stamp, kind, owner, epoch, override, written_ms, tail), now
        )

    def resume(self, subject: Subject, value: bytes, now: float) -> None:
        """Write anew what an earlier life wrote, unless there is something later.

        Raises `Refused` or `Unknown` if it cannot be read, and `RecordTooLarge`.
        """
        intervention = decode_intervention(value)
        known = self._written.get(subject)
        if known is None or known.stamp < intervention.stamp:
            self._write(subject, intervention, now)

    def review(self, owner: str, now: float) -> None:
        """Look again at what is meant for an owner whose state changed."""
        for subject in self._targets.get(owner, ()):
            self._settle(subject, now)

    def settle(self, subject: Subject, now: float) -> None:
        """Look again at what was decided on an instance of which something changed."""
        if subject in self._written:
            self._settle(subject, now)

    def expire(self, now: float) -> None:
        """Drop what is needed no longer, or will never be."""
        for subject in self._ends.pop_due(now):
            self._end(subject, now)

    def _write(self, subject: Subject, intervention: Intervention, now: float) -> None:
        key = self._key_of(subject)
        self._mesh.publish(key, encode_intervention(intervention), now)
        # Forgotten first, so that it is the last in order of age.
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
        # Alive, but with its part not here yet, it may still come with the old record in it.
        owner = self._view.owner(name)
        return member.status.living and owner is not None and owner.epoch >= epoch

    def _read(self, key: str, now: float) -> None:
        self._view.apply(self._mesh.name, (key,), now)


# The stamp of what a record says of that which an intervention decides.
def _decided_at(record: Record, intervention: Intervention) -> int:
    match intervention.kind:
        case Kind.REMOVE:
            return record.stamp
        case Kind.REPORT:
            return record.report_stamp
        case Kind.STATUS | Kind.CLEAR:
            return record.override_stamp
