"""The leases of the instances that are registered here.

A lease ends when its time has passed since the last heartbeat.
Only time in which this process runs counts: while the process is stopped, it cannot read the
heartbeats, which wait in its sockets.
A peer that holds leases asks for a tick every second.
A tick that is more than a second late shows that the process was stopped.
Then all leases move by the length of the stop and one second more, in which the process reads the
heartbeats that wait.
"""

from math import inf

from ._deadlines import Deadlines
from ._records import Subject

_PULSE = 1.0
_STALL = 1.0
_BACKLOG = 1.0


class Leases:
    """The end of each lease."""

    def __init__(self) -> None:
        # These times exclude the stops, so that a stop moves all leases at no cost.
        self._ends: Deadlines[Subject] = Deadlines()
        self._stopped = 0.0
        self._seen = -inf
        self.stalls = 0

    def __len__(self) -> int:
        return len(self._ends)

    def __contains__(self, subject: Subject) -> bool:
        return subject in self._ends

    @property
    def deadline(self) -> float:
        """The latest time at which `advance` must be called next."""
        if not self._ends:
            return inf
        return min(self._ends.next + self._stopped, self._seen + _PULSE)

    def advance(self, now: float) -> None:
        """Note that the process runs. At every input, the caller calls this first."""
        if self._ends and now - self._seen > _PULSE + _STALL:
            self._stopped += now - self._seen - _PULSE + _BACKLOG
            self.stalls += 1
        self._seen = max(self._seen, now)

    def renew(self, subject: Subject, ttl_ms: int, now: float) -> None:
        """Begin a lease, or renew it."""
        self._ends.set(subject, now - self._stopped + ttl_ms / 1000)

    def end(self, subject: Subject) -> None:
        """Remove the lease of a subject, if it has one."""
        self._ends.discard(subject)

    def pop_ended(self, now: float) -> list[Subject]:
        """Remove the leases that have ended, and return their subjects."""
        ended = []
        # This is the same sum as in `deadline`. A comparison with `now - stopped` could round to
        # just below the end, so that a tick at `deadline` would end nothing.
        while self._ends.next + self._stopped <= now:
            ended += self._ends.pop_due(self._ends.next)
        return ended
