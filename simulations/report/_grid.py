# Samples laid out evenly: one row per peer (or per few), one column per slice of time.
#
# If several peers or samples fall into one cell, the cell shows the gravest state.  The commonest
# state would hide a short suspicion, which is what the reader looks for.

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from ._report import Series

# From the least to the most remarkable.
GRAVITY = ".alSsDd"


@dataclass(frozen=True, slots=True)
class Grid:
    """Letters of `Series.bands` in rows and columns of equal size."""

    rows: list[str]
    names: list[str]
    """The first peer of each row."""
    peers_in_row: int
    start: float
    end: float


def grid(series: Series, columns: int, rows: int) -> Grid:
    """Fit the bands into at most so many columns and rows."""
    seconds = series.seconds
    if not seconds or not series.bands:
        return Grid([], [], 1, 0.0, 0.0)
    start, end = 0.0, max(seconds[-1], 1e-9)
    picked = slices(seconds, columns, end)
    each = -(-len(series.bands) // rows)
    found = []
    for first in range(0, len(series.bands), each):
        together = series.bands[first : first + each]
        found.append(
            "".join(
                # Most cells hold one letter; a thousand peers have a million cells.
                together[0][low]
                if each == 1 and high - low == 1
                else _gravest([band[index] for band in together for index in range(low, high)])
                for low, high in picked
            )
        )
    return Grid(found, series.peers[::each], each, start, end)


def slices(seconds: list[float], columns: int, end: float) -> list[tuple[int, int]]:
    """Index ranges of the samples that fall into each of so many equal slices of time.

    A slice without one shows the sample before it: a state lasts until another is seen, and what
    follows from an event is never drawn ahead of it.
    """
    ranges = []
    for column in range(columns):
        low = bisect_left(seconds, end * column / columns)
        high = bisect_left(seconds, end * (column + 1) / columns)
        ranges.append((low, high) if low < high else (max(0, low - 1), max(0, low - 1) + 1))
    return ranges


def _gravest(letters: list[str]) -> str:
    return max(letters, key=GRAVITY.find)
