# One function per picture; each returns a figure, or None if there is nothing to show.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ._lanes import Lane, lanes
from ._panels import draw_bands, draw_count, draw_rate, draw_timeline, mark
from ._report import Report
from ._spreading import draw_convergence, draw_detection
from ._style import GREEN, ORANGE, WIDTH, headline
from ._wording import members_finding, outcome, traffic_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Heights of panels, in inches.
LANE = 0.36
CURVE = 1.5
EDGES = 1.0


def draw_members(report: Report) -> Figure | None:
    """Members' states over time, a band per peer."""
    if not report.series.bands:
        return None
    height = _bands_height(report)
    figure, panels = _over_time(report, [height])
    _with_bands(panels[0], report, height)
    headline(figure, members_finding(report))
    return figure


def draw_traffic(report: Report) -> Figure | None:
    """Datagrams, bytes, and bytes of streams per peer and second."""
    if not report.series.seconds:
        return None
    figure, panels = _over_time(report, [CURVE] * 3)
    series = report.series
    draw_rate(panels[0], report, series.datagrams, "Datagrams per peer and second")
    draw_rate(panels[1], report, series.bytes, "kB in datagrams per peer and second", 1e3)
    draw_rate(panels[2], report, series.stream_bytes, "kB on streams per peer and second", 1e3)
    headline(figure, traffic_finding(report))
    return figure


def draw_overview(report: Report) -> Figure | None:
    """Everything over time on one axis, from what befell the mesh to what it cost."""
    series = report.series
    if not series.seconds:
        return None
    bands = [min(3.4, _bands_height(report))] if series.bands else []
    figure, panels = _over_time(report, [*bands, 1.0, 1.0, 1.1, 1.1])
    if bands:
        _with_bands(panels[0], report, bands[0])
    rest = panels[len(bands) :]
    draw_count(rest[0], report, series.roots, "Different roots among running peers", GREEN)
    draw_count(rest[1], report, series.wrong, "Wrong answers (peer, instance)", ORANGE)
    draw_rate(rest[2], report, series.datagrams, "Datagrams per peer and second")
    total = [one + other for one, other in zip(series.bytes, series.stream_bytes, strict=True)]
    draw_rate(rest[3], report, total, "kB per peer and second, streams included", 1e3)
    headline(figure, f"{report.scenario}: {_lower(outcome(report))}")
    return figure


def _over_time(report: Report, heights: list[float]) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    rows = lanes(report.timeline, report.duration)
    above = [max(1, len(rows)) * LANE] if rows else []
    figure = Figure(figsize=(WIDTH, sum(above) + sum(heights) + EDGES), layout="constrained")
    grid = figure.add_gridspec(len(above) + len(heights), 1, height_ratios=[*above, *heights])
    panels: list[Axes] = []
    for number in range(len(above) + len(heights)):
        panels.append(figure.add_subplot(grid[number], sharex=panels[0] if panels else None))
    end = max([report.duration, *report.series.seconds[-1:]])
    panels[0].set_xlim(0, end)
    if rows:
        draw_timeline(panels[0], rows, end)
    below = panels[len(above) :]
    for panel in below[:-1]:
        panel.tick_params(axis="x", labelbottom=False)
    below[-1].set_xlabel("Seconds since the scenario began")
    _mark_all(below, rows)
    figure.align_ylabels()
    return figure, below


def _mark_all(panels: list[Axes], rows: list[Lane]) -> None:
    for panel in panels:
        mark(panel, rows)


def _with_bands(panel: Axes, report: Report, height: float) -> None:
    entries = draw_bands(panel, report, height)
    panel.legend(
        handles=entries,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(entries),
        fontsize=9,
        handlelength=1.2,
        handleheight=1.0,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


# Bands are as thick as in five peers at most, and as thin as one pixel at least.
def _bands_height(report: Report) -> float:
    return min(7.0, max(1.2, 0.22 * len(report.series.bands)))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


PLOTS: dict[str, Callable[[Report], Figure | None]] = {
    "overview": draw_overview,
    "convergence": draw_convergence,
    "members": draw_members,
    "traffic": draw_traffic,
    "detection": draw_detection,
}
