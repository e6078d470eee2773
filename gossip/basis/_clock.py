"""Hybrid logical clock: stamps that follow the wall clock and never go back.

A stamp is `milliseconds << 16 | counter` (Kulkarni and others 2014, in 64 bits).
The higher stamp decides between two owners of the same instance, so stamps must grow along every
chain of events, even if the clocks of the hosts disagree.
"""

# With a stamp from a clock that is further ahead, every later change would lose until the other
# clocks have reached that time.
_AHEAD_MS = 24 * 3600 * 1000
# Milliseconds until the year 2527: peers refuse a stamp above this, and room to count is left.
STAMP_LIMIT = 1 << 60


class HybridClock:
    """Makes stamps that are larger than all stamps that it made or observed before."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, wall_ms: int) -> int:
        """Return a new stamp."""
        self._last = max(wall_ms << 16, self._last + 1)
        return self._last

    def observe(self, stamp: int, wall_ms: int) -> bool:
        """Observe another peer's stamp; if it is more than a day ahead, ignore it, return False."""
        if stamp >> 16 > wall_ms + _AHEAD_MS:
            return False
        self._last = max(self._last, stamp)
        return True
