"""Plausible epochs: an epoch is the Unix time at which a life began, in milliseconds.

An epoch from the far future would never end, so a peer does not believe an epoch that is more than
a day ahead of its clock.
"""

# Clocks may be a day apart.
_AHEAD = 24 * 3600 * 1000
# With a clock that is known to be far behind, all that can be said is that peers are not restarted
# less often than this.
_AHEAD_CLOCKLESS = 10 * 365 * _AHEAD


class Epochs:
    """Judges epochs by the wall clock at this peer's start and the time since then."""

    def __init__(self, first: int, started: float) -> None:
        """`first` is the wall clock in milliseconds at the monotonic time `started`."""
        self._first = first
        self._started = started
        self._ahead = _AHEAD

    def plausible(self, epoch: int, now: float) -> bool:
        """Whether an epoch can be of a peer that started by now, clocks being a day apart."""
        return epoch <= self._first + int((now - self._started) * 1000) + self._ahead

    def believe(self, epoch: int, now: float) -> None:
        """Take the epoch of the mesh that the operator named for plausible, whatever our clock."""
        if not self.plausible(epoch, now):
            self._first = epoch
            self._ahead = _AHEAD_CLOCKLESS
