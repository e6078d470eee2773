# The clock of a fabric that runs on trio: entries wait in the heap of a virtual clock,
# and one task runs them at their time in trio's clock, which may be virtual (MockClock).

from collections.abc import Callable
from typing import TypeVar

import trio

from ._clock import VirtualClock

T = TypeVar("T")


class TrioClock:
    """A clock for a fabric, in trio's time; `serve` must run for anything to happen."""

    __slots__ = ("_entries", "_next_at", "_sooner")

    def __init__(self) -> None:
        self._entries = VirtualClock()
        self._sooner = trio.Event()
        self._next_at = 0.0

    @property
    def now(self) -> float:
        """trio's time, in seconds."""
        return trio.current_time()

    def call_at(self, time: float, action: Callable[[T], None], argument: T) -> None:
        """Call `action(argument)` at `time`, from the serving task."""
        self._entries.call_at(time, action, argument)
        if time < self._next_at:
            self._sooner.set()

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run entries as they fall due, until cancelled."""
        task_status.started()
        while True:
            self._entries.run_until(max(self._entries.now, trio.current_time()))
            self._sooner = trio.Event()
            self._next_at = self._entries.next_at
            with trio.move_on_at(self._next_at):
                await self._sooner.wait()
