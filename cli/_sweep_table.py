# A sweep's table.
#
# On a terminal a cell has its mean above and the margin below, so that ten measures fit into eighty
# columns, and what was never seen, or never wrong, has no column.  Through a pipe: all columns,
# `MEAN±MARGIN` in one word.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import floor, log10
from operator import itemgetter
from typing import TYPE_CHECKING

from gossamer.simulations.sweep import MEASURES, Estimate, Measure, as_text

from ._failures import harmless
from ._tables import Column, console, show, terminal

if TYPE_CHECKING:
    from rich.text import Text

    from gossamer.simulations.sweep import Row, SweepTable

# Most sweeps have none of these, and then a terminal need not say so.
_RARE = ("changes_unseen", "crashes_unseen", "false_deaths")
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Figures:
    """An estimate as it is written: rounded to what the margin leaves of it."""

    mean: str
    margin: str = ""
    """Empty where there is none."""
    n: str = ""
    """In how many runs it was seen, where not in all of them."""

    @classmethod
    def of(cls, estimate: Estimate, runs: int, factor: float = 1.0) -> Figures:
        """Return the figures of an estimate over so many runs."""
        if estimate.mean is None:
            return cls(NOTHING)
        n = str(estimate.n) if estimate.n < runs else ""
        mean = estimate.mean * factor
        if estimate.margin is None:
            return cls(f"{mean:.{_decimals(mean, 4)}f}", "", n)
        margin = estimate.margin * factor
        decimals = min(_decimals(margin, 2), _decimals(mean, 4))
        return cls(f"{mean:.{decimals}f}", f"{margin:.{decimals}f}", n)

    def __str__(self) -> str:
        margin = f"±{self.margin}" if self.margin else ""
        return f"{self.mean}{margin}{f'/{self.n}' if self.n else ''}"


def show_table(table: SweepTable) -> None:
    """Print the table for whoever reads stdout."""
    if terminal():
        _show_rich(table)
        return
    lines = [_line(table, row) for row in table.rows]
    left = {*table.plan.varied, "model"}
    show([Column(name, itemgetter(name), right=name not in left) for name in lines[0]], lines)


def _line(table: SweepTable, row: Row) -> dict[str, str]:
    line = {name: _value(row, name=name) for name in table.plan.varied}
    line.update(model=_models(row), runs=str(row.runs), failed=str(row.failed))
    for measure in MEASURES:
        line[_heading(measure, "[{}]")] = str(_figures(row, measure))
    return line


def _show_rich(table: SweepTable) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    cells: list[Callable[[Row], Text]] = []

    def add(heading: str, cell: Callable[[Row], str]) -> None:
        shown.add_column(Text(harmless(heading)), justify="right", overflow="fold")
        cells.append(lambda row: Text(harmless(cell(row))))

    for name in table.plan.varied:
        add(name, partial(_value, name=name))
    if any(row.models != table.rows[0].models for row in table.rows):
        add("model", _models)
    add("runs", lambda row: str(row.runs))
    for measure in _telling(table.rows):
        shown.add_column(_heading(measure, "\n{}"), justify="right", no_wrap=True)
        cells.append(partial(_stacked, measure=measure))
    for row in table.rows:
        shown.add_row(*(cell(row) for cell in cells))
    console().print(shown)


def _telling(rows: Sequence[Row]) -> list[Measure]:
    return [
        measure
        for measure in MEASURES
        if any(
            row.measures[measure.name].mean is not None
            and (row.measures[measure.name].mean != 0 or measure.name not in _RARE)
            for row in rows
        )
    ]


def _stacked(row: Row, *, measure: Measure) -> Text:
    from rich.text import Text

    figures = _figures(row, measure)
    text = Text(figures.mean)
    if figures.margin:
        text.append(f"\n±{figures.margin}", "bright_black")
    if figures.n:
        text.append(f"\nin {figures.n}", "yellow")
    return text


def _figures(row: Row, measure: Measure) -> Figures:
    return Figures.of(row.measures[measure.name], row.runs, measure.factor)


def _value(row: Row, *, name: str) -> str:
    return as_text(row.values[name])


def _models(row: Row) -> str:
    return "+".join(row.models)


def _heading(measure: Measure, form: str) -> str:
    return measure.heading + (form.format(measure.unit) if measure.unit else "")


# How many decimals show so many digits of a number, and not more than three.
def _decimals(number: float, digits: int) -> int:
    if number == 0:
        return 0
    return min(3, max(0, digits - 1 - floor(log10(abs(number)))))
