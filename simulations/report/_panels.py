# The panels of the figures; panels over time share their axis.

from __future__ import annotations

from typing import TYPE_CHECKING

from ._grid import grid
from ._lanes import Lane
from ._report import Report
from ._style import BLUE, INK, QUIET, SHADE, STATES, plain
from ._wording import per_peer_per_second

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

# A panel is some 1,300 pixels wide; more columns or rows than pixels would be lost in drawing.
COLUMNS = 1000
ROWS = 1000
# Up to so many peers, bands are parted by a white line.
PARTED = 100
# A name beside a band needs so much of the height, in inches.
NAME = 0.15


def draw_timeline(axes: Axes, rows: list[Lane], end: float) -> None:
    """What happened: a row for each kind, with its label above its marks."""
    axes.set_ylim(len(rows), 0)
    axes.set_yticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    for number, lane in enumerate(rows):
        for start, until in lane.spans:
            if until is None:
                axes.plot([start], [number + 0.75], marker="v", color=INK, ms=6, clip_on=False)
            else:
                axes.broken_barh(
                    [(start, max(until - start, end / 500))],
                    (number + 0.62, 0.26),
                    color=QUIET,
                    linewidth=0,
                )
        first = lane.spans[0][0]
        late = first > 0.6 * end
        axes.text(
            min(first, end),
            number + 0.48,
            lane.label,
            ha="right" if late else "left",
            va="bottom",
            fontsize=9,
            clip_on=False,
        )


def mark(axes: Axes, rows: list[Lane]) -> None:
    """Carry the timeline through a panel below it: shades for what lasts, lines for moments."""
    many = sum(len(lane.spans) for lane in rows) > 30
    for lane in rows:
        for start, until in lane.spans:
            if until is not None:
                axes.axvspan(start, until, color=SHADE, zorder=0, linewidth=0)
            axes.axvline(start, color=QUIET, linewidth=0.4 if many else 0.8, linestyle=(0, (2, 2)))
            if until is not None:
                axes.axvline(
                    until, color=QUIET, linewidth=0.4 if many else 0.8, linestyle=(0, (2, 2))
                )


def draw_bands(axes: Axes, report: Report, height: float) -> list[Patch]:
    """One band per peer, coloured by its status at the others; returns the legend's entries.

    `height` is the panel's, in inches.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    found = grid(report.series, COLUMNS, ROWS)
    letters = list(STATES)
    colours = ListedColormap([colour for colour, _ in STATES.values()])
    count = len(found.rows)
    axes.imshow(
        [[letters.index(letter) for letter in row] for row in found.rows],
        cmap=colours,
        norm=BoundaryNorm(range(len(letters) + 1), len(letters)),
        aspect="auto",
        interpolation="nearest",
        extent=(found.start, found.end, count, 0),
    )
    if count <= PARTED:
        axes.hlines(
            range(1, count),
            found.start,
            found.end,
            color="white",
            linewidth=min(0.8, 16 * height / count / 3),
        )
    each = found.peers_in_row
    step = _tick_step(count, int(height / NAME))
    places = range(0, count, step)
    axes.set_yticks([place + 0.5 for place in places])
    axes.set_yticklabels([found.names[place] for place in places], fontsize=8)
    axes.tick_params(axis="y", length=0 if step == 1 else 3)
    beside = "one band per peer" if each == 1 else f"{each} peers per band, the gravest shown"
    axes.set_title(f"Status of the members, {beside}", loc="left", fontsize=10, pad=5)
    seen = {letter for row in found.rows for letter in row}
    return [
        Patch(facecolor=colour, edgecolor=QUIET, linewidth=0.5, label=name)
        for letter, (colour, name) in STATES.items()
        if letter in seen
    ]


def _tick_step(count: int, names: int) -> int:
    for step in (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500):
        if count / step <= names:
            return step
    return -(-count // names)


def draw_rate(
    axes: Axes, report: Report, counts: list[int], title: str, factor: float = 1.0
) -> None:
    """Counts between samples as a rate per peer and second."""
    rates = [rate / factor for rate in per_peer_per_second(counts, report)]
    axes.stairs(rates, [0.0, *report.series.seconds], color=BLUE, linewidth=1.2, baseline=None)
    axes.stairs(rates, [0.0, *report.series.seconds], color=BLUE, fill=True, alpha=0.18)
    axes.set_ylim(0, _ceiling(rates))
    plain(axes, title)


def draw_count(axes: Axes, report: Report, counts: list[int], title: str, colour: str) -> None:
    """A number of things at each sample."""
    from matplotlib.ticker import MaxNLocator

    # What is counted at a sample holds until the next one.
    seconds = report.series.seconds
    edges = [0.0, *seconds[1:], max(report.duration, seconds[-1] + 1e-9)]
    axes.stairs(counts, edges, color=colour, linewidth=1.2, baseline=None)
    axes.stairs(counts, edges, color=colour, fill=True, alpha=0.18)
    axes.set_ylim(0, max(2.0, _ceiling(counts)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=2))
    plain(axes, title)


def _ceiling(values: list[float] | list[int]) -> float:
    return max(values, default=0) * 1.08 or 1.0
