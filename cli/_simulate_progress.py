"""The progress of a simulation: one line on stderr, with an estimate of the remaining time."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar, TaskID

    from gossamer.simulations import Progress

# A shorter simulation needs no bar, and nobody would see a bar that is drawn more often.
PATIENCE = 1.0
DRAWN_EVERY = 0.1


class ProgressBar:
    """A bar that appears when a simulation lasts, and is gone when it ends."""

    def __init__(self, name: str, *, hidden: bool = False) -> None:
        self._name = name
        # A terminal without commands, or none at all, would only collect broken lines.
        self._wanted = not hidden and sys.stderr.isatty()
        self._began = time.monotonic()
        self._told = self._began
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Show the progress, unless it was shown a moment ago."""
        now = time.monotonic()
        if not self._wanted or now - self._began < PATIENCE or now - self._told < DRAWN_EVERY:
            return
        self._told = now
        share = min(max(progress.share, 0.0), 1.0)
        shown: dict[str, Any] = {
            "description": progress.note,
            "left": remaining(now - self._began, share),
        }
        begins = self._bar is None
        if self._bar is None:
            self._bar = self._open()
            self._task = self._bar.add_task("", total=1.0)
        assert self._task is not None
        self._bar.update(self._task, completed=share, **shown)
        # The first picture shows how far it is, and not an empty bar.
        if begins:
            self._bar.start()
        else:
            self._bar.refresh()

    def _open(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, Progress as Bar, TextColumn

        # Columns of fixed width, so that the bar does not jump; drawn only when we say so, since
        # a second thread would take its time from the simulation.
        return Bar(
            TextColumn(self._name, style="bold", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[left]}", style="cyan"),
            TextColumn("{task.description}", style="bright_black", markup=False),
            console=Console(file=sys.stderr, highlight=False),
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )


def remaining(elapsed: float, share: float) -> str:
    """What is left, by what was done so far; nothing as long as that says nothing."""
    if share < 0.02:
        return ""
    seconds = elapsed * (1 - share) / share
    if seconds < 60:
        return f"{max(1, round(seconds)):>2} s left"
    return f"{round(seconds) // 60} min {round(seconds) % 60} s left"
