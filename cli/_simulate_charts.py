# Small plots for a terminal, one below the other, with the same seconds in the same columns.
#
# A line is a rich Text; its first columns have the label, and the last ones the highest value.
# Without colour the bands are letters, because all blocks would look alike.

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gossamer.simulations.report import (
    Convergence,
    Lane,
    Report,
    convergence_finding,
    digits,
    duration,
    grid,
    is_logarithmic,
    lanes,
    per_peer_per_second,
    reaches,
    size,
    slices,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL = 17
SIDE = 14  # columns at the right for the highest value
WIDEST = 120
BAND_LINES = 8
CURVE_LINES = 6
QUIET = "bright_black"
COLOURS = {
    "a": ("#4b7ba3", "alive"),
    "S": ("#f2d38a", "suspect to some"),
    "s": ("#e69f00", "suspect"),
    "D": ("#dc8a80", "dead to some"),
    "d": ("#b3202a", "dead"),
    "l": ("#8a8a8a", "left"),
    ".": ("default", "unknown"),
}
# Seconds between the numbers of an axis.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def over_time(report: Report, width: int, *, coloured: bool) -> list[Text]:
    """Timeline, bands and sparklines, for a terminal of that many columns."""
    columns = min(width, WIDEST) - LABEL - SIDE
    series = report.series
    if not series.seconds or columns < 16:
        return []
    end = max(report.duration, series.seconds[-1])
    lines = [
        line
        for lane in lanes(report.timeline, report.duration)
        for line in _lane(lane, columns, end)
    ]
    if series.bands:
        lines += _bands(report, columns, coloured=coloured)
    datagrams = per_peer_per_second(series.datagrams, report)
    total = [one + other for one, other in zip(series.bytes, series.stream_bytes, strict=True)]
    for label, values, style, peak in (
        ("different roots", series.roots, "green", f"{max(series.roots):,}"),
        ("wrong answers", series.wrong, "yellow", f"{max(series.wrong):,}"),
        ("datagrams/peer", datagrams, "cyan", f"{digits(_rough(max(datagrams)))}/s"),
        (
            "bytes/peer",
            rates := per_peer_per_second(total, report),
            "cyan",
            f"{size(max(rates))}/s",
        ),
    ):
        bars = sparkline(_maxima(values, series.seconds, columns, end))
        lines.append(_row(label, Text(bars, style), f"≤ {peak}"))
    lines.append(_row("", Text(_axis(columns, end), QUIET), ""))
    return lines


def _rough(value: float) -> float:
    return float(f"{value:.3g}")


def _row(label: str, middle: Text, side: str) -> Text:
    line = Text(no_wrap=True, overflow="crop")
    line.append(label[: LABEL - 1].ljust(LABEL), QUIET)
    line.append_text(middle)
    return line.append(f" {side}".rstrip(), QUIET)


def _maxima(values: Sequence[float], seconds: list[float], columns: int, end: float) -> list[float]:
    return [max(values[low:high]) for low, high in slices(seconds, columns, end)]


def sparkline(values: Sequence[float]) -> str:
    """One block for each value; what is not nothing is seen, however small beside the highest."""
    highest = max(values, default=0)
    if not highest:
        return _EIGHTHS[0] * len(values)
    return "".join(
        _EIGHTHS[max(1, round(8 * value / highest))] if value > 0 else _EIGHTHS[0]
        for value in values
    )


# A bar with its label after it, before it, or where neither has room on a line of its own.
def _lane(lane: Lane, columns: int, end: float) -> list[Text]:
    marks = [" "] * columns
    places: list[int] = []
    for start, until in lane.spans:
        first = min(columns - 1, int(start / end * columns))
        last = first if until is None else min(columns - 1, int(until / end * columns))
        places += [first, last]
        for place in range(first, last + 1):
            marks[place] = "▼" if until is None else "━"
    low, high = min(places), max(places)
    widest = columns + SIDE  # nothing else stands at the right of a label
    label = lane.label if len(lane.label) <= widest else lane.label[: widest - 1] + "…"
    room = len(label) + 1
    if columns - high > room:
        marks[high + 2 : high + 1 + room] = label
    elif low >= room:
        marks[low - room : low - 1] = label
    else:
        alone = " " * max(0, min(low, columns - len(label))) + label
        return [_row("", Text(alone), ""), _row("", Text("".join(marks)), "")]
    return [_row("", Text("".join(marks)), "")]


def _bands(report: Report, columns: int, *, coloured: bool) -> list[Text]:
    found = grid(report.series, columns, BAND_LINES * (2 if coloured else 1))
    rows = found.rows
    each = found.peers_in_row
    lines = []
    step = 2 if coloured else 1
    for first in range(0, len(rows), step):
        if coloured:
            below = rows[first + 1] if first + 1 < len(rows) else None
            middle = _half_blocks(rows[first], below)
        else:
            middle = Text(rows[first].replace("a", "·").replace(".", " "))
        lines.append(_row(found.names[first], middle, ""))
    entries = [letter for letter in COLOURS if any(letter in row for row in rows)]
    lines += _legend(entries, columns + SIDE, coloured=coloured)
    if each > 1:
        lines.append(_row("", Text(f"{each} peers per row, the gravest state shown", QUIET), ""))
    return lines


def _legend(letters: list[str], columns: int, *, coloured: bool) -> list[Text]:
    lines = [Text()]
    for letter in letters:
        colour, name = COLOURS[letter]
        if coloured:
            sign = "□" if letter == "." else "■"
        else:
            sign = {"a": "·", ".": "blank"}.get(letter, letter)
        if len(lines[-1]) + len(sign) + len(name) + 1 > columns:
            lines.append(Text())
        lines[-1].append(sign, colour if coloured else "").append(f" {name}  ", QUIET)
    return [_row("", line, "") for line in lines]


# Two rows in one line of text: the upper half has the one colour, its ground the other.
def _half_blocks(above: str, below: str | None) -> Text:
    text = Text()
    for column, letter in enumerate(above):
        colour = COLOURS[letter][0]
        ground = "default" if below is None else COLOURS[below[column]][0]
        if colour == "default":
            text.append("▄" if ground != "default" else " ", ground)
        else:
            text.append("▀", f"{colour} on {ground}")
    return text


def _axis(columns: int, end: float) -> str:
    marks = [" "] * columns
    step = next((step for step in _STEPS if end / step <= columns // 10), end)
    number = 0
    while number * step <= end:
        text = digits(float(f"{number * step:.4g}")) + (" s" if number == 0 else "")
        place = round(columns * number * step / end)
        place = min(max(0, place - len(text) // 2 if number else 0), columns - len(text))
        marks[place : place + len(text)] = text
        number += 1
    return "".join(marks)


def convergence_curve(report: Report, width: int) -> list[Text]:
    """Share of the reachable peers that know a change, over the time since it was made."""
    found = report.convergence
    if not found.changes or not found.curve.x or not found.curve.x[-1]:
        return []
    columns = min(width, WIDEST, 90) - LABEL - SIDE
    if columns < 16:
        return []
    first, half, last = reaches(found)
    low = max(first, half / 30)
    logarithmic = is_logarithmic(half, last)

    def at(place: float) -> float:
        return low * (last / low) ** place if logarithmic else last * place

    rows = _braille([_known(found, at((x + 0.5) / (2 * columns))) for x in range(2 * columns)])
    labels = {0: "100 %", CURVE_LINES // 2: "50 %", CURVE_LINES - 1: "0 %"}
    lines = [Text(convergence_finding(report) + ".")]
    for number, row in enumerate(rows):
        lines.append(_row(f"{labels.get(number, ''):>{LABEL - 2}} ", Text(row, "cyan"), ""))
    marks = [" "] * columns
    for number in range(4):
        text = duration(float(f"{at(number / 3):.2g}"))
        place = round(columns * number / 3) - (0, len(text) // 2, len(text) // 2, len(text))[number]
        marks[place : place + len(text)] = text
    lines.append(_row("", Text("".join(marks), QUIET), "(log)" if logarithmic else ""))
    return lines


def _known(found: Convergence, at: float) -> float:
    from bisect import bisect_right

    place = bisect_right(found.curve.x, at)
    return found.curve.y[place - 1] if place else 0.0


# A character of braille holds 2 dots beside each other and 4 above each other.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def _braille(heights: list[float]) -> list[str]:
    cells = [[0] * (len(heights) // 2) for _ in range(CURVE_LINES)]
    most = CURVE_LINES * 4 - 1
    before = round(heights[0] * most)
    for x, height in enumerate(heights):
        level = round(height * most)
        for filled in range(min(before + 1, level), level + 1):
            y = most - filled
            cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        before = level
    return ["".join(chr(0x2800 + dots) for dots in row) for row in cells]
