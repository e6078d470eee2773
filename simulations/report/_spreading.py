# Durations: the curve of convergence, and the histogram of detection.

from __future__ import annotations

from typing import TYPE_CHECKING

from ._report import Convergence, Report, Theory
from ._scale import is_logarithmic, reaches, tree_time
from ._style import BLUE, INK, ORANGE, WIDTH, headline, plain
from ._wording import convergence_finding, detection_finding, duration, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNITS = {"s": 1.0, "ms": 1e-3}


def draw_convergence(report: Report) -> Figure | None:
    """Share of the reachable peers that know a change, over the time since it was made."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    found = report.convergence
    if not found.changes or not found.curve.x:
        return None
    figure = Figure(figsize=(WIDTH, 5.0), layout="constrained")
    axes = figure.add_subplot()
    x, y = found.curve.x, found.curve.y
    tree = tree_time(report)
    first, half, last = reaches(found)
    last = max(last, tree[0] if tree else 0.0)
    # A peer that knows it at the last point still knows it afterwards.
    axes.plot([*x, last], [*y, y[-1]], color=BLUE, linewidth=2.2, drawstyle="steps-post")
    if is_logarithmic(half, last):
        axes.set_xscale("log")
        axes.set_xlim(max(first, half / 30), last * 1.3)
    else:
        axes.set_xlim(0, last * 1.04)
    axes.set_ylim(0, 1.04)
    _times(axes, last, "Time since the change was made")
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    _mark_spread(axes, found)
    if tree is not None:
        _mark_theory(axes, *tree)
    plain(axes, "Share of the reachable peers that know a change")
    headline(figure, convergence_finding(report))
    return figure


def _mark_spread(axes: Axes, found: Convergence) -> None:
    names: dict[float, list[str]] = {}
    for name, at in (("p50", found.p50), ("p99", found.p99), ("max", found.max)):
        if at is not None:
            names.setdefault(at, []).append(name)
    for number, (at, same) in enumerate(names.items()):
        axes.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        said = f"known to all, {' and '.join(same)}: {duration(at)}"
        _beside(axes, at, 0.45 - 0.09 * number, said, INK)


def _mark_theory(axes: Axes, at: float, theory: Theory) -> None:
    axes.axvline(at, color=ORANGE, linewidth=1.2)
    _beside(axes, at, 0.08, f"theory, {theory.source}: {duration(at)}", ORANGE)


# On the side where there is room; a white ground keeps lines from crossing the letters.
def _beside(axes: Axes, at: float, height: float, text: str, colour: str) -> None:
    place = axes.transData.transform((at, 0))[0]
    left, right = axes.transAxes.transform([(0, 0), (1, 0)])[:, 0]
    over = (place - left) / (right - left) > 0.6
    axes.annotate(
        text,
        (at, height),
        xycoords=("data", "axes fraction"),
        xytext=(-6 if over else 6, 0),
        textcoords="offset points",
        ha="right" if over else "left",
        va="center",
        fontsize=9.5,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
    )


# One unit for an axis, named once; on a logarithmic one each label has its own.
def _times(axes: Axes, longest: float, label: str) -> None:
    from matplotlib.ticker import FuncFormatter

    if axes.get_xscale() == "log":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
        axes.set_xlabel(label)
        return
    unit = "s" if longest >= 1 else "ms"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / _UNITS[unit]:.6g}"))
    axes.set_xlabel(f"{label}, {unit}")


def draw_detection(report: Report) -> Figure | None:
    """Histogram of the time until the first, and until all, knew of a crash."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    found = report.detection
    rows = [
        (found.first_times, "Crashes known to the first peer", BLUE, found.first.p50),
        (found.all_times, "Crashes known to all reachable peers", ORANGE, found.everybody.p50),
    ]
    rows = [row for row in rows if row[0]]
    if not rows:
        return None
    longest = max(max(times) for times, *_ in rows)
    count = max(20, min(40, len(found.first_times)))
    edges = [longest * 1.02 * number / count for number in range(count + 1)]
    figure = Figure(figsize=(WIDTH, 1.0 + 2.0 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (times, title, colour, middle) in zip(panels, rows, strict=True):
        axes.hist(times, bins=edges, color=colour, alpha=0.75, edgecolor="white", linewidth=0.6)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=2))
        axes.set_xlim(0, edges[-1])
        axes.margins(y=0.28)  # room for the label above the bars
        plain(axes, title)
        if middle is not None:
            axes.axvline(middle, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
            _beside(axes, middle, 0.92, f"median {duration(middle)}", INK)
    _times(panels[-1], longest, "Time since the crash")
    headline(figure, detection_finding(report))
    return figure
