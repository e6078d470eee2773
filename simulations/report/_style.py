# The style of the plots, in one place.
#
# Readers with any common kind of colour-blindness can tell the colours apart: they differ in
# lightness, from pale blue over amber to dark red, and not only in hue (Okabe and Ito; checked in
# grey).

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
QUIET = "#6b6b6b"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
SHADE = "#ececec"

# The status of a member: colour and name. A capital means that only some peers say so.
STATES = {
    "a": ("#c6dcec", "alive"),
    "S": ("#fbe3a6", "suspect to some"),
    "s": ("#e69f00", "suspect"),
    "D": ("#e3958b", "dead to some"),
    "d": ("#a4161a", "dead to most"),
    "l": ("#8a8a8a", "left"),
    ".": ("#ffffff", "unknown"),
}

WIDTH = 10.0  # inches
DOTS = 150  # per inch; a picture is 1,500 pixels wide

SETTINGS: dict[str, object] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that it is there everywhere
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": DOTS,
    # Names inside an SVG are drawn from this salt instead of a clock: same report, same bytes.
    "svg.hashsalt": "gossamer",
    # A name with a dollar sign is a name, not a formula.
    "text.parse_math": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Within it matplotlib draws as this package wants it, whatever the user's own settings."""
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()
        with rc_context(SETTINGS):  # type: ignore[arg-type]  # its keys are a Literal of hundreds
            yield


def save(figure: Figure, directory: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG; raises OSError."""
    _settle(figure)
    written = []
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        path = directory / f"{name}.{kind}"
        figure.savefig(path, format=kind, dpi=DOTS, facecolor="white", metadata=metadata)
        written.append(path)
    return written


# The solver behind the layout adds up in the order of memory addresses: its last digits differ from
# run to run, and with them the names of clip paths in an SVG.
def _settle(figure: Figure) -> None:
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(side, 6) for side in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def headline(figure: Figure, text: str) -> None:
    """The finding above a figure."""
    from textwrap import fill

    figure.suptitle(
        fill(text, 90), x=0.012, ha="left", fontsize=12.5, fontweight="bold", linespacing=1.2
    )


def plain(axes: Axes, title: str) -> None:
    """A panel with a quiet title at its left and lines to read values by."""
    axes.set_title(title, loc="left", fontsize=10, color=INK, pad=5)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
