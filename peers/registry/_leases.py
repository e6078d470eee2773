"""The leases of the instances that are registered here.

A lease ends exactly its time after the last heartbeat, but only time in which this process ran
counts: while it was stopped, heartbeats could not be heard and wait in its sockets.
To notice that, a peer that holds leases wants a tick every second; a tick that comes later than
a second after it was due shows a stop, and all leases are moved by its length and a second more,
in which the heartbeats that wait are heard.
"""

from math import inf

from ._deadlines import Deadlines
from ._records import Subject

_PULSE = 1.0
_STALL = 1.0
_BACKLOG = 1.0


class Leases:
    """When each lease ends."""

    def __init__(self) -> None:
        # Moments are counted without the stops, so that a stop moves all leases at no cost.
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
        """When `advance` is wanted next, at the latest."""
        if not self._ends:
            return inf
        return min(self._ends.next + self._stopped, self._seen + _PULSE)

    def advance(self, now: float) -> None:
        """Note that the process runs; to be called before anything else at every input."""
        if self._ends and now - self._seen > _PULSE + _STALL:
            self._stopped += now - self._seen - _PULSE + _BACKLOG
            self.stalls += 1
        self._seen = max(self._seen, now)

    def renew(self, subject: Subject, ttl_ms: int, now: float) -> None:
        """Begin or renew a lease."""
        self._ends.set(subject, now - self._stopped + ttl_ms / 1000)

    def end(self, subject: Subject) -> None:
        """Forget a lease, if there is one."""
        self._ends.discard(subject)

    def pop_ended(self, now: float) -> list[Subject]:
        """Forget and return the leases that are over."""
        ended = []
        # The same sum as in `deadline`: `now - stopped` could round to just below it each time.
        while self._ends.next + self._stopped <= now:
            ended += self._ends.pop_due(self._ends.next)
        return ended
