"""The timers of the protocol, in one heap.

Timers of the same time run in the order in which they were set, so that a seed fixes the whole run.
A cancelled timer stays in the heap until its time comes, until it reaches the top, or until the
heap has doubled.
So other peers cannot make the heap grow by having this peer set and cancel timers in the far
future.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf

_SWEEP_FIRST = 256


class Timer:
    """One thing to be done at `when`, unless it is cancelled first."""

    __slots__ = ("action", "when")

    def __init__(self, when: float, action: Callable[[float], None] | None) -> None:
        self.when = when
        self.action = action

    def cancel(self) -> None:
        """Make sure that the action does not run; no effect if it already ran."""
        self.action = None


class Timers:
    """A heap of timers; the driver asks for `deadline` and calls `run`."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._sweep_at = _SWEEP_FIRST

    def at(self, when: float, action: Callable[[float], None]) -> Timer:
        """Have `action(now)` called at the first `run` that is not before `when`."""
        timer = Timer(when, action)
        self._count += 1
        heappush(self._heap, (when, self._count, timer))
        if len(self._heap) > self._sweep_at:
            self._sweep()
        return timer

    @property
    def deadline(self) -> float:
        """When `run` is wanted next; infinity when nothing is waiting."""
        heap = self._heap
        while heap and heap[0][2].action is None:
            heappop(heap)
        return heap[0][0] if heap else inf

    def may_be_late(self, now: float) -> bool:
        """Whether `deadline` can lie before `now`; costs less than to ask for it."""
        heap = self._heap
        return bool(heap) and heap[0][0] < now

    def run(self, now: float) -> None:
        """Run the timers that are due, in order of time; actions may set further timers."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heappop(heap)[2]
            action, timer.action = timer.action, None
            if action is not None:
                action(now)

    def clear(self) -> None:
        """Drop all that is waiting."""
        self._heap.clear()

    def _sweep(self) -> None:
        # In place: `run` may be at work on the same list.
        self._heap[:] = [entry for entry in self._heap if entry[2].action is not None]
        heapify(self._heap)
        self._sweep_at = max(_SWEEP_FIRST, 2 * len(self._heap))

    def __len__(self) -> int:
        return len(self._heap)
