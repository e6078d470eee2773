"""`gossamer demo`: a mesh in one process that registers, crashes, is cut and heals."""

from __future__ import annotations

import random
import sys
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from ._failures import BadInput, NegativeAnswer
from ._options import finite, json_option
from ._output import print_json, say
from ._tables import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._demo_mesh import DemoMesh
    from ._demo_screen import Screen
    from ._demo_story import Story

# Peers know of a crash after less than a second; in a shorter demo the phases would only wait.
LEAST = 3.0
MOST = 3600.0


@click.command(short_help="Watch a small mesh at work, live.")
@click.option(
    "--for",
    "seconds",
    type=float,
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    callback=finite,
    help="How long the demo lasts.",
)
@click.option("--save-svg", metavar="PATH", hidden=True, help="Save a picture of the cut.")
@json_option
def demo(seconds: float, save_svg: str | None, as_json: bool) -> None:
    """Watch eight complete peers in one process, on a network in memory, in real time.

    They register services, one crashes and comes back, the network is cut in two and heals,
    and one leaves; consumers look services up all the time.
    Every figure is measured while it happens.

    The exit code is 1 if the mesh did not agree in the end, or a lookup found nothing.
    """
    if not LEAST <= seconds <= MOST:
        raise BadInput(
            f"--for {seconds:g} is out of range; give from {LEAST:g} to {MOST:g} seconds."
        )
    import trio

    from ._log import configure_logging

    # Peers that fall silent are the story here; their warnings would spoil the picture.
    configure_logging(level="critical")
    summary, missed = trio.run(_play, seconds, save_svg, as_json, strict_exception_groups=True)
    if as_json:
        print_json(summary)
    if missed:
        raise NegativeAnswer(
            f"The mesh did not do in time what it should ({'; '.join(missed)});"
            " try again with a longer --for on a machine that is less busy."
        )


async def _play(
    seconds: float, save_svg: str | None, as_json: bool
) -> tuple[dict[str, object], list[str]]:
    import trio

    from gossamer.simulations import open_memory_network

    from ._demo_mesh import DemoMesh
    from ._demo_story import Story

    live = terminal() and not as_json
    rng = random.Random()
    async with open_memory_network(rng) as network, trio.open_nursery() as nursery:
        mesh = DemoMesh(network, nursery, rng)
        story = Story(mesh, seconds, _ignore if live or as_json else _print_line)
        picture: Callable[[str], None] = _ignore
        async with trio.open_nursery() as drawing:
            if live or save_svg:
                from ._demo_screen import Screen  # and with it rich

                screen = Screen(mesh, story)
                picture = partial(_save, screen, save_svg)
                if live:
                    await drawing.start(screen.draw)
            await story.play(picture)
            summary, missed = _summary(mesh, story)
            drawing.cancel_scope.cancel()
        if not as_json:
            _print_summary(summary)
        await mesh.stop()
        nursery.cancel_scope.cancel()
    return summary, missed


def _ignore(*_: object) -> None:
    pass


def _print_line(at: float, line: str) -> None:
    say(f"{at:6.2f} s  {line}")
    sys.stdout.flush()


def _save(screen: Screen, path: str | None, phase: str) -> None:
    if path is not None and phase == "Cut":
        try:
            screen.save(path)
        except OSError as error:
            raise BadInput(f"--save-svg cannot write {path} ({error.strerror}).") from error


def _summary(mesh: DemoMesh, story: Story) -> tuple[dict[str, object], list[str]]:
    lookups, measures = mesh.lookups, story.measures
    unanswered = lookups.asked - lookups.answered
    missed = list(measures.missed)
    if unanswered:
        missed.append(f"{unanswered:,} of {lookups.asked:,} lookups found nothing")
    packets = mesh.network.statistics()
    summary: dict[str, object] = {
        "converged": not measures.missed,
        "seconds": round(story.elapsed, 2),
        "peers": len(mesh.places),
        "lookups": {
            "asked": lookups.asked,
            "answered": lookups.answered,
            "degraded": lookups.degraded,
            "slowest_microseconds": round(lookups.slowest * 1e6, 1),
        },
        "milliseconds": {
            **measures.milliseconds,
            "registration_median": median(measures.registrations or [0.0]),
            "registration_slowest": max(measures.registrations, default=0.0),
            "registration_in_cut": measures.cut_registrations,
        },
        "missed": missed,
        "packets": {"sent": packets["sent"], "lost": packets["dropped"]},
    }
    return summary, missed


def _print_summary(summary: dict[str, Any]) -> None:
    lookups, times = summary["lookups"], summary["milliseconds"]
    say("")
    say(
        f"{lookups['answered']:,} of {lookups['asked']:,} lookups were answered,"
        f" the slowest in {lookups['slowest_microseconds']:,.0f} µs."
    )
    say(
        f"A registration was known at every peer after {times['registration_median']:.1f} ms"
        f" (median), {times['registration_slowest']:.1f} ms at most."
    )
    if summary["converged"]:
        say("In the end all peers agreed.")
