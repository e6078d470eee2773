# Tables, for a terminal and for a pipe.
#
# On a terminal, rich draws a table with colours, folded into the width of the terminal.  A column
# without unusual values is left out.  In a pipe, the same cells are plain aligned text, with all
# columns, complete, and with `-` for an empty cell, so that awk can count fields (a cell with
# spaces is the last one); rich is not imported then.
#
# Cells contain names from the network.  They pass through `harmless` and, for rich, into Text
# objects, which have no markup.

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ._failures import harmless

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    "UP": "green",
    "STARTING": "yellow",
    "OUT_OF_SERVICE": "magenta",
    "DOWN": "red",
    "alive": "green",
    "suspect": "yellow",
    "dead": "red",
    "left": "bright_black",
    "UNKNOWN": "yellow",
}

# A column that has to be folded keeps so many characters, if its cells have them.
NARROWEST = 12

Row = Mapping[str, Any]  # a JSON object of the peer


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how a row's cell reads, and what it reads where there is nothing to say."""

    heading: str
    cell: Callable[[Row], str]
    ordinary: str | None = None  # a terminal leaves the column out when all cells read so
    right: bool = False
    coloured: bool = False  # cells are statuses
    below: bool = False  # long and rare: a terminal shows it under the table, by the first column


def terminal() -> bool:
    """Whether people, and not a program, read stdout."""
    return sys.stdout.isatty()


def console() -> Console:
    """A rich console on stdout that leaves a closed pipe to the border around all commands."""
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return PipeConsole(file=sys.stdout, highlight=False, markup=False, emoji=False)


def show(columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Print a table on stdout."""
    found = [[harmless(column.cell(row)) for column in columns] for row in rows]
    if terminal():
        _show_rich(columns, found)
    else:
        _show_plain([[c.heading for c in columns], *found], [c.right for c in columns])


def show_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values below each other."""
    if not terminal():
        _show_plain([[name, harmless(value)] for name, value in pairs], [False, False])
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, Text(harmless(value), style=STYLES.get(value, "")))
    console().print(table)


def _show_plain(lines: list[list[str]], right: list[bool]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            (cell or "-").rjust(width) if flush_right else (cell or "-").ljust(width)
            for cell, width, flush_right in zip(line, widths, right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _show_rich(columns: Sequence[Column], lines: list[list[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    telling = [
        index
        for index, column in enumerate(columns)
        if column.ordinary is None or any(line[index] != column.ordinary for line in lines)
    ]
    shown = [index for index in telling if not columns[index].below]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for index in shown:
        column = columns[index]
        longest = max(len(line[index]) for line in lines)
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=column.right or column.coloured,
            min_width=min(longest, NARROWEST),
        )
    for line in lines:
        table.add_row(
            *(
                Text(line[i] or "-", style=STYLES.get(line[i], "") if columns[i].coloured else "")
                for i in shown
            )
        )
    out = console()
    out.print(table)
    notes = Table.grid(padding=(0, 2))
    notes.add_column(overflow="fold", min_width=NARROWEST)
    notes.add_column(style="cyan", no_wrap=True)
    notes.add_column(overflow="fold")
    for line in lines:
        for index in telling:
            if columns[index].below and line[index] != columns[index].ordinary:
                notes.add_row(Text(line[0]), columns[index].heading.lower(), Text(line[index]))
    if notes.row_count:
        out.print()
        out.print(notes)
