# A sweep's table.
#
# On a terminal a cell has its mean above and the margin below, so that ten measures fit into eighty
# columns.  A measure that never occurred has no column.  In a pipe the table has all columns, with
# `MEAN±MARGIN` in one word.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from operator import itemgetter
from typing import TYPE_CHECKING

from gossamer.simulations.sweep import MEASURES, Estimate, Measure, as_text

from ._failures import harmless
from ._tables import Column, console, show, terminal

if TYPE_CHECKING:
    from rich.table import Table
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
    """Print the table on stdout."""
    if terminal():
        _show_rich(table)
        return
    lines = [_line(table, row) for row in table.rows]
    left = {*table.plan.varied, "model"}
    show([Column(name, itemgetter(name), right=name not in left) for name in lines[0]], lines)


def _line(table: SweepTable, row: Row) -> dict[str, str]:
    line = {name: _value(row, name) for name in table.plan.varied}
    line.update(model=_models(row), runs=str(row.runs), failed=str(row.failed))
    for measure in MEASURES:
        unit = f"[{measure.unit}]" if measure.unit else ""
        line[f"{measure.what}-{measure.which}{unit}"] = str(_figures(row, measure))
    return line


# What does not fit beside the varied values stands below, with the values again.
def _show_rich(table: SweepTable) -> None:
    from rich.text import Text

    keys = [
        _Shown(name, [Text(harmless(_value(row, name))) for row in table.rows])
        for name in table.plan.varied
    ]
    if any(row.models != table.rows[0].models for row in table.rows):
        keys.append(_Shown("model", [Text(_models(row)) for row in table.rows]))
    keys.append(_Shown("runs", [Text(str(row.runs)) for row in table.rows]))
    out = console()
    room = out.width - sum(key.width for key in keys)
    blocks: list[list[_Shown]] = [[]]
    for measure in _telling(table.rows):
        heading = f"{measure.what}\n{measure.which}\n{measure.unit}"
        shown = _Shown(heading, [_stacked(row, measure) for row in table.rows])
        if blocks[-1] and sum(each.width for each in blocks[-1]) + shown.width > room:
            blocks.append([])
        blocks[-1].append(shown)
    for place, block in enumerate(blocks):
        if place:
            out.print()
        out.print(_grid([*keys, *block]))


@dataclass(frozen=True, slots=True)
class _Shown:
    heading: str
    cells: Sequence[Text]

    @property
    def width(self) -> int:
        lines = [
            *self.heading.split("\n"),
            *(x for cell in self.cells for x in str(cell).split("\n")),
        ]
        return max(map(len, lines)) + 1


def _grid(columns: Sequence[_Shown]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        grid.add_column(Text(column.heading), justify="right", no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*cells)
    return grid


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


def _stacked(row: Row, measure: Measure) -> Text:
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


def _value(row: Row, name: str) -> str:
    return as_text(row.values[name])


def _models(row: Row) -> str:
    return "+".join(row.models)


# How many decimals show so many digits of a number, and not more than three.
def _decimals(number: float, digits: int) -> int:
    if number == 0:
        return 0
    return min(3, max(0, digits - 1 - floor(log10(abs(number)))))
