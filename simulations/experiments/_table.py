"""The results of an experiment as text: a paper's figures beside ours, and why they differ.

The text is Markdown.  It is the same for the same seed, so it can be kept beside the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | float | int | None


@dataclass(slots=True)
class Table:
    """One comparison: a heading, what is compared, the rows, and what explains them."""

    heading: str
    columns: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    about: str = ""
    """What was measured, and how the columns are to be read."""
    why: str = ""
    """What explains each difference that is not chance."""

    def add(self, *cells: Cell) -> None:
        """Add a row; numbers are shown with three digits that count."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells do not fit {len(self.columns)} columns")
        self.rows.append(cells)

    def text(self) -> str:
        """Return the table as Markdown."""
        cells = [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[index]) for row in cells) for index in range(len(self.columns))]
        lines = [_line(row, widths) for row in cells]
        lines.insert(1, _line(["-" * width for width in widths], widths))
        parts = [f"## {self.heading}"]
        if self.about:
            parts.append(self.about)
        parts.append("\n".join(lines))
        if self.why:
            parts.append(f"Why: {self.why}")
        return "\n\n".join(parts)


@dataclass(slots=True)
class Result:
    """All that one experiment found."""

    name: str
    title: str
    source: str
    """The paper, and its sections."""
    same: str
    differs: str
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    """The numbers that tests look at, by name."""

    def text(self, command: str) -> str:
        """Return everything as Markdown; `command` is how it is made again."""
        parts = [
            f"# {self.title}",
            f"Source: {self.source}",
            f"Made by `{command}`.",
            f"The same as in the source: {self.same}",
            f"Different from the source: {self.differs}",
            *(table.text() for table in self.tables),
        ]
        return "\n\n".join(parts) + "\n"


def difference(paper: float, ours: float) -> str:
    """Return by how much ours is more than the paper's, in percent."""
    if paper == 0:
        return "" if ours == 0 else "more than 0"
    percent = 100 * (ours - paper) / paper
    return f"{percent:+.0f} %" if abs(percent) < 1000 else f"×{ours / paper:.0f}"


def _shown(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case str():
            return cell
        case int():
            return f"{cell:,}"
        case float() if cell != 0 and (abs(cell) < 0.001 or abs(cell) >= 1e6):
            return f"{cell:.2g}"
        case float() if abs(cell) >= 100:
            return f"{cell:,.0f}"
        case float():
            return f"{cell:.3g}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"
