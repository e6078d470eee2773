"""The line on stderr that shows the progress of a sweep."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from gossamer.simulations.sweep import SweepProgress

# A terminal's line is drawn over; a log gets a line of its own now and then.
DRAWN_EVERY = 0.1
LOGGED_EVERY = 15.0


class ProgressLine:
    """A line that is rewritten on a terminal, and repeated seldom in a log."""

    def __init__(self) -> None:
        self.finished = 0
        self._terminal = sys.stderr.isatty()
        self._told = time.monotonic() - (LOGGED_EVERY if self._terminal else 0)
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, progress: SweepProgress) -> None:
        """Show the progress, unless it was shown a moment ago."""
        self.finished = progress.finished
        now = time.monotonic()
        if now - self._told < (DRAWN_EVERY if self._terminal else LOGGED_EVERY):
            return
        self._told = now
        text = describe(progress)
        if self._terminal:
            click.echo(f"\r{text}\x1b[K", nl=False, err=True)
            self._drawn = True
        else:
            click.echo(text, err=True)

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._drawn = False


def describe(progress: SweepProgress) -> str:
    """Return the progress as one line."""
    parts = [f"{progress.finished} of {progress.runs} runs"]
    if progress.resumed:
        parts.append(f"{progress.resumed} from before")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.seconds_left:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time as people say it: the largest unit that fits, and the one below."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
