# The screen of the demonstration: a line for the phase, a panel per peer, the lookups, the log.
#
# Each root has its own colour, computed from the root.  Equal colours mean equal roots, so the user
# sees convergence at a glance, without reading the digits beside it.
# The frame is 23 lines of at least 80 columns, the size of the smallest usual terminal.

from __future__ import annotations

from colorsys import hls_to_rgb
from io import StringIO
from pathlib import Path
from time import perf_counter

import trio
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ._demo_mesh import DemoMesh, Place
from ._demo_story import Story
from ._tables import console

FRAMES_A_SECOND = 10
LOG_LINES = 7
PICTURE_WIDTH = 88
_WIDEST = 112
_HUES = 17
_STATES = {
    "waiting": ("○", "bright_black"),
    "running": ("●", "green"),
    "crashed": ("✖", "red"),
    "left": ("◌", "bright_black"),
}


class Screen:
    """Draws a mesh and the story that is played with it."""

    def __init__(self, mesh: DemoMesh, story: Story) -> None:
        self._mesh = mesh
        self._story = story

    async def draw(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Draw until cancelled, and leave the last frame standing.

        On the terminal's alternate screen, where a frame replaces the one before without a blink.
        """
        out = console()
        try:
            with Live(console=out, auto_refresh=False, redirect_stdout=False, screen=True) as live:
                task_status.started()
                while True:
                    if perf_counter() >= self._mesh.quiet_until:
                        live.update(self.frame(out.width), refresh=True)
                        await trio.sleep(1 / FRAMES_A_SECOND)
                    else:
                        await trio.sleep(0.005)
        finally:
            out.print(self.frame(out.width))

    def save(self, path: str) -> None:
        """Save the frame as it is now; raises OSError."""
        out = Console(
            record=True,
            width=PICTURE_WIDTH,
            file=StringIO(),
            force_terminal=True,
            color_system="truecolor",
        )
        out.print(self.frame(PICTURE_WIDTH))
        Path(path).write_text(out.export_svg(title="gossamer demo"), encoding="utf-8")

    def frame(self, width: int) -> RenderableType:
        """One frame, for a terminal of that many columns."""
        # A multiple of the panels in a row, so that the edges stand below each other.
        half = len(self._mesh.places) // 2
        width = max(19 * half, min(width, _WIDEST) // half * half)
        frame = Group(
            self._heading(width),
            self._row(self._mesh.places[:half], width),
            self._between(width),
            self._row(self._mesh.places[half:], width),
            self._lookups(),
            self._log(),
        )
        return Constrain(frame, width)

    def _heading(self, width: int) -> RenderableType:
        story = self._story
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(" gossamer ", "bold black on cyan")
        line.append(f" {story.number}/{story.count} {story.title} ", "bold")
        line.append(story.saying, "bright_black" if story.finished else "default")
        done = round(width * min(1.0, story.elapsed / story.seconds))
        bar = Text.assemble(("━" * done, "cyan"), ("━" * (width - done), "bright_black"))
        return Group(line, bar)

    def _row(self, places: list[Place], width: int) -> RenderableType:
        row = Table.grid(padding=0)
        for _ in places:
            row.add_column(width=width // len(places))
        row.add_row(*(self._panel(place) for place in places))
        return row

    def _panel(self, place: Place) -> RenderableType:
        sign, colour = _STATES[place.state]
        info = place.peer.info() if place.peer is not None else None
        state: str = place.state
        instances = None
        lines = Text(no_wrap=True, overflow="ellipsis")
        if info is not None and place.state == "running":
            if info["degraded"]:
                state, colour = "degraded", "yellow"
            members = info["members"]
            assert isinstance(members, dict)
            root = str(info["root"])
            lines.append(f"{sign} {state}\n", colour)
            lines.append(f"sees {members['alive']} peers\n")
            instances = f"{info['instances']} instances"
            lines.append(f"██ {root[:4]}…{root[-4:]}", root_colour(root))
        else:
            lines.append(f"{sign} {state}\n\n\n", colour)
        life = f" (life {place.restarts + 1})" if place.restarts else ""
        return Panel(
            lines,
            title=f"{place.name}{life}",
            title_align="left",
            subtitle=instances,
            subtitle_align="right",
            border_style=colour,
            height=5,
        )

    def _between(self, width: int) -> RenderableType:
        if self._mesh.is_cut:
            return Text(" ×  cut  × ".join(["╌" * (width // 2 - 5)] * 2)[:width], "bold red")
        return Text("│".center(width // 4) * 4, "bright_black", no_wrap=True)

    def _lookups(self) -> RenderableType:
        lookups, network = self._mesh.lookups, self._mesh.network.statistics()
        rate = lookups.asked / max(perf_counter() - lookups.since, 0.001) if lookups.asked else 0.0
        unanswered = lookups.asked - lookups.answered
        verdict = "bold red" if unanswered else "bold green"
        grid = Table.grid(expand=True)
        cells = []
        for value, name, style in (
            (f"{lookups.asked:,}", "asked", "bold"),
            (f"{lookups.answered:,}", "answered", verdict),
            (f"{unanswered:,}", "unanswered", verdict),
            (f"{rate:,.0f}", "/s", ""),
            (f"{network['dropped']:,}", "packets lost", ""),
        ):
            grid.add_column(no_wrap=True)
            cells.append(Text.assemble((value, style), " ", (name, "bright_black")))
        grid.add_row(*cells)
        return Panel(grid, title="lookups", title_align="left", border_style=verdict, height=3)

    def _log(self) -> RenderableType:
        shown = self._story.lines[-LOG_LINES:]
        blank = [Text()] * (LOG_LINES - len(shown))
        return Group(
            *(
                Text.assemble(
                    (f"{at:6.2f} s  ", "bright_black"), line, no_wrap=True, overflow="ellipsis"
                )
                for at, line in shown
            ),
            *blank,
        )


def root_colour(root: str) -> str:
    """The colour of a root; roots that differ nearly always differ in colour too."""
    # Its first half is the members', its second the registry's.
    number = int(root[: len(root) // 2], 16) ^ int(root[len(root) // 2 :], 16)
    hue = number % _HUES / _HUES
    lightness = 0.58 + number // _HUES % 3 * 0.1
    red, green, blue = (round(255 * part) for part in hls_to_rgb(hue, lightness, 0.85))
    return f"rgb({red},{green},{blue})"
