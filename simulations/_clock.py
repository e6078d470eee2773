# Virtual time.
#
# A heap of (time, sequence, action, argument): the earliest entry runs first, and
# entries for the same instant run in the order in which they were asked for.  The
# sequence makes the order total, so that two runs of one seed are the same run.
#
# There is no cancellation: when an entry fires, its owner recognises that it is no longer
# wanted.  So an entry is a plain tuple, which heapq compares fastest.

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, isfinite
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What a fabric needs of a clock: the time, and to be called at a later one."""

    @property
    def now(self) -> float:
        """Seconds, never going backwards."""
        ...

    def call_at(self, time: float, action: Callable[[T], None], argument: T) -> None:
        """Call `action(argument)` at `time`, or as soon as possible when that is past."""
        ...


class VirtualClock:
    """A clock that stands still except while it runs what is due.

    `now` is in seconds and starts at `start`.
    """

    __slots__ = ("_heap", "_running", "_sequence", "now")

    def __init__(self, start: float = 0.0) -> None:
        if not isfinite(start):
            raise ValueError(f"start must be a finite number of seconds, not {start}")
        self.now = start
        self._heap: list[tuple[float, int, Callable[..., None], object]] = []
        self._sequence = 0
        self._running = False

    @property
    def next_at(self) -> float:
        """The time of the earliest entry; infinity when there is none."""
        return self._heap[0][0] if self._heap else inf

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return len(self._heap)

    @property
    def scheduled(self) -> int:
        """How many entries were ever asked for."""
        return self._sequence

    def call_at(self, time: float, action: Callable[[T], None], argument: T) -> None:
        """Call `action(argument)` at `time`; a time that is past means now, after all else due now.

        Raises ValueError when `time` is infinite or not a number; nothing is scheduled then.
        """
        if time < self.now:
            time = self.now
        elif not time < inf:
            raise ValueError(f"an entry needs a finite time, not {time}: do not schedule 'never'")
        self._sequence += 1
        heappush(self._heap, (time, self._sequence, action, argument))

    def step(self) -> bool:
        """Go to the earliest entry and run it; False when there is none."""
        if not self._heap:
            return False
        self.now, _, action, argument = heappop(self._heap)
        action(argument)
        return True

    def run_until(self, time: float) -> None:
        """Run everything due up to and including `time`; it is `time` afterwards.

        Raises ValueError when `time` is past or not finite, and RuntimeError when called from
        within an entry.
        Entries that raise leave the clock at their own time, with the rest still waiting.
        """
        if not self.now <= time < inf:
            raise ValueError(f"cannot run until {time}: it is {self.now} already")
        if self._running:
            raise RuntimeError("run_until was called by an entry of the clock that it runs")
        heap = self._heap
        self._running = True
        try:
            while heap and heap[0][0] <= time:
                self.now, _, action, argument = heappop(heap)
                action(argument)
        finally:
            self._running = False
        self.now = time

    def run_for(self, seconds: float) -> None:
        """Run everything due within the next `seconds`."""
        self.run_until(self.now + seconds)
