"""Hybrid logical clock: stamps that follow the wall clock and never go back.

A stamp is `milliseconds << 16 | counter` (Kulkarni and others 2014, in 64 bits).
It decides between two owners of the same instance, so it must grow along every chain of events
even where the hosts' clocks disagree.
"""

# A stamp from a clock that is further ahead would make every later change lose for as long.
_AHEAD_MS = 24 * 3600 * 1000
STAMP_LIMIT = (1 << 63) - 1


class HybridClock:
    """Makes stamps larger than all that were made or observed here."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, wall_ms: int) -> int:
        """Return a new stamp."""
        self._last = max(wall_ms << 16, self._last + 1)
        return self._last

    def observe(self, stamp: int, wall_ms: int) -> bool:
        """Take in another peer's stamp; False if it is more than a day ahead, and ignored."""
        if stamp >> 16 > wall_ms + _AHEAD_MS:
            return False
        self._last = max(self._last, stamp)
        return True
