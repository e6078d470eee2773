# A sweep's picture: each measure over the parameter that was varied, with its confidence interval.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gossamer.simulations.report import (
    BLUE,
    GREEN,
    ORANGE,
    QUIET,
    WIDTH,
    require_plots,
    save,
    style,
)
from gossamer.simulations.scenario import Value

from ._plan import SweepError, as_text
from ._table import MEASURES, Measure, Row, SweepTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart in grey too, by lightness and by marker.
_LINES: Final = (
    (BLUE, "o"),
    (ORANGE, "s"),
    (GREEN, "^"),
    ("#e69f00", "D"),
    ("#a4161a", "v"),
    ("#222222", "x"),
)
_COLUMNS: Final = 3
_PANEL_HEIGHT: Final = 2.3  # inches
# What is said of a panel; the table has less room.
_TITLES: Final[Mapping[str, str]] = {
    "convergence_p50": "Change known to all, median",
    "convergence_p99": "Change known to all, 99th percentile",
    "convergence_max": "Change known to all, longest",
    "changes_unseen": "Changes not known to all in the end",
    "detection_first": "Crash known to the first",
    "detection_all": "Crash known to all",
    "crashes_unseen": "Crashes not known to all in the end",
    "false_deaths": "False deaths in a run",
    "wrong_lookups": "Lookups that were wrong",
    "healing": "Equal roots after a cut",
    "datagrams": "Datagrams per peer",
    "bytes": "Bytes per peer",
}


def write_plots(table: SweepTable, directory: Path) -> list[Path]:
    """Write `sweep.png` and `sweep.svg` and return the paths, or none if there is no line to draw.

    The first varied parameter whose values are all numbers goes from left to right; values of the
    others make lines of their own, up to six.
    Raises `SweepError` when a file cannot be written, and `MissingExtra` without matplotlib.
    """
    across = _across(table)
    if across is None:
        return []
    lines = _lines(table, across)
    shown = [measure for measure in MEASURES if _tells(measure, table.rows)]
    if len(lines) > len(_LINES) or not shown:
        return []
    require_plots()
    with style():
        figure = _draw(table, across, lines, shown)
        try:
            return save(figure, directory, "sweep")
        except OSError as error:
            raise SweepError(
                f"no picture can be written to {directory}: {error.strerror or error}"
            ) from None


def _across(table: SweepTable) -> str | None:
    for name in table.plan.varied:
        values = {row.values[name] for row in table.rows}
        if len(values) > 1 and all(type(value) in (int, float) for value in values):
            return name
    return None


def _lines(table: SweepTable, across: str) -> dict[str, list[Row]]:
    lines: dict[str, list[Row]] = {}
    for row in table.rows:
        others = [f"{name} {as_text(row.values[name])}" for name in row.values if name != across]
        lines.setdefault(", ".join(others), []).append(row)
    for rows in lines.values():
        rows.sort(key=lambda row: _number(row.values[across]))
    return lines


# A measure that was never seen has nothing to draw; one that is 0 throughout says so in the table.
def _tells(measure: Measure, rows: Sequence[Row]) -> bool:
    return any(row.measures[measure.name].mean for row in rows)


def _draw(
    table: SweepTable, across: str, lines: Mapping[str, list[Row]], shown: Sequence[Measure]
) -> Figure:
    from matplotlib.figure import Figure

    height = -(-len(shown) // _COLUMNS)
    figure = Figure(figsize=(WIDTH, 0.9 + _PANEL_HEIGHT * height), layout="constrained")
    axes = list(figure.subplots(height, _COLUMNS, squeeze=False).flat)
    values = [_number(row.values[across]) for row in table.rows]
    for panel, measure in zip(axes, shown, strict=False):
        for (label, rows), (colour, marker) in zip(lines.items(), _LINES, strict=False):
            _draw_line(panel, across, rows, measure, label, colour, marker)
        unit = measure.unit.replace("/s", " per second")
        panel.set_title(_TITLES[measure.name], loc="left", fontsize=9)
        panel.set_ylabel(unit.strip())
        panel.set_xlabel(across)
        if min(values) > 0 and max(values) >= 20 * min(values):
            panel.set_xscale("log")
        panel.set_ylim(bottom=0)
        panel.grid(axis="y")
    for panel in axes[len(shown) :]:
        panel.set_visible(False)
    runs = f"{table.plan.seeds} seeds" if table.plan.seeds > 1 else "1 seed"
    figure.suptitle(
        f"{Path(table.plan.scenario).stem}: means over {runs}, with 95 % confidence intervals",
        x=0.01,
        ha="left",
    )
    if len(lines) > 1:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, labelcolor=QUIET)
    return figure


def _draw_line(
    panel: Axes,
    across: str,
    rows: Sequence[Row],
    measure: Measure,
    label: str,
    colour: str,
    marker: str,
) -> None:
    x, y, low, high = [], [], [], []
    for row in rows:
        found = row.measures[measure.name]
        # Where nothing was seen the line has a gap, which is not the same as 0.
        mean = float("nan") if found.mean is None else found.mean * measure.factor
        margin = (found.margin or 0.0) * measure.factor
        x.append(_number(row.values[across]))
        y.append(mean)
        # None of these figures can be negative, so that an interval below 0 says nothing.
        low.append(max(0.0, mean - margin) if found.mean is not None else mean)
        high.append(mean + margin)
    panel.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    panel.plot(x, y, color=colour, marker=marker, markersize=4, linewidth=1.4, label=label)


def _number(value: Value) -> float:
    assert not isinstance(value, str)
    return float(value)
