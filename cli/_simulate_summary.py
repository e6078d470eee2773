# The results of a simulation for people: plots and tables on a terminal, only tables in a pipe.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gossamer.simulations.report import (
    FalseAccusations,
    Lookups,
    Report,
    Spread,
    Traffic,
    Work,
    digits,
    duration,
    many,
    outcome,
    percent,
    report_of,
    size,
)

from ._failures import harmless
from ._output import say
from ._tables import Column, Row, console, show, show_pairs, terminal

if TYPE_CHECKING:
    from gossamer.simulations.scenario import Description


# A number and its unit are two words to people and must be one to awk.
def _cell(name: str) -> Any:
    def read(row: Row) -> str:
        text = str(row[name])
        return text if terminal() else text.replace(" ", "")

    return read


TIMES = (
    Column("COUNT", _cell("count"), right=True),
    Column("P50", _cell("p50"), right=True),
    Column("P99", _cell("p99"), right=True),
    Column("MAX", _cell("max"), right=True),
    Column("TIME UNTIL", lambda row: row["what"]),
)
THEORY = (
    Column("MEASURED", _cell("measured"), right=True),
    Column("THEORY", _cell("expected"), right=True),
    Column("SOURCE", _cell("source"), right=True),
    Column("QUANTITY", lambda row: row["what"]),
)
HAPPENINGS = (
    Column("FROM", _cell("at"), right=True),
    Column("UNTIL", _cell("until"), right=True),
    Column("EVENT", lambda row: row["what"]),
)
SCENARIOS = (
    Column("NAME", lambda row: row["name"]),
    Column("SUMMARY", lambda row: row["summary"]),
    Column("PARAMETERS", lambda row: row["parameters"], ordinary="", below=True),
)
# Of further events the summary shows only the number; `report.json` has them all.
SHOWN_HAPPENINGS = 12


def show_summary(report: Report | Mapping[str, Any]) -> None:
    """Print a report, or the document of one, on stdout."""
    found = report_of(report)
    _head(found)
    if terminal():
        _charts(found)
    if found.timeline and not _is_drawn(found):
        _heading("Timeline")
        _happenings(found)
    _times(found)
    _theory(found)
    _heading("Totals")
    show_pairs(_totals(found))
    say("")
    _verdict(found)


def show_scenarios(found: Sequence[Description]) -> None:
    """Print the built-in scenarios."""
    show(
        SCENARIOS,
        [
            {
                "name": each.name,
                "summary": each.summary,
                "parameters": " ".join(
                    f"{name}={value}" for name, value in each.parameters.items()
                ),
            }
            for each in found
        ],
    )


def _heading(text: str) -> None:
    click.echo("")
    click.echo(click.style(text, bold=True) if terminal() else text)


def _paragraph(text: str, style: str = "") -> None:
    if not terminal():
        say(text)
        return
    from rich.text import Text

    console().print(Text(harmless(text), style=style))


def _head(report: Report) -> None:
    _paragraph(
        f"{report.scenario}: {many(report.peers, 'peer')}, {report.duration:g} s of virtual time,"
        f" seed {report.seed}",
        "bold",
    )
    if report.summary:
        _paragraph(report.summary)
    _paragraph(f"Model: {report.model} ({report.model_reason})")


def _is_drawn(report: Report) -> bool:
    return terminal() and _draws() and bool(report.series.seconds)


# Blocks and braille need an encoding that has them.
def _draws() -> bool:
    return "utf" in console().encoding.lower()


def _charts(report: Report) -> None:
    if not _draws():
        return
    from ._simulate_charts import convergence_curve, over_time

    out = console()
    coloured = out.color_system is not None and not out.no_color
    for lines in (
        over_time(report, out.width, coloured=coloured),
        convergence_curve(report, out.width),
    ):
        if lines:
            out.print()
            for line in lines:
                out.print(line, no_wrap=True, overflow="crop")


def _happenings(report: Report) -> None:
    rows = [
        {
            "at": f"{one.at:.4g} s",
            "until": "" if one.until is None else f"{one.until:.4g} s",
            "what": one.what,
        }
        for one in report.timeline[:SHOWN_HAPPENINGS]
    ]
    show(HAPPENINGS, rows)
    if (more := len(report.timeline) - SHOWN_HAPPENINGS) > 0:
        say(f"and {many(more, 'event')} more; --json has them all")


def _times(report: Report) -> None:
    spread, crashes = report.convergence, report.detection
    rows = [
        _spread("50 % of the reachable peers knew a change", spread.half),
        _spread("99 % of them knew it", spread.nearly),
        _spread("all of them knew it", spread.everybody),
        _spread("the first peer declared a crashed one dead", crashes.first),
        _spread("all reachable peers did", crashes.everybody),
        _spread("roots were equal again after healing", report.healing.equal_roots),
    ]
    if report.lookups is not None:
        rows.append(_spread("a wrong answer was right again", report.lookups.wrong_for))
    rows = [row for row in rows if row["count"] != "0"]
    if rows:
        _heading("Times")
        show(TIMES, rows)
    late = spread.changes - spread.complete
    if late:
        _paragraph(
            f"{late:,} of {many(spread.changes, 'change')} did not reach all before the end."
        )
    if missed := crashes.crashes - crashes.detected:
        _paragraph(
            f"{missed:,} of {many(crashes.crashes, 'crash', 'crashes')} did not become known to"
            " all: the end came first, or the peer came back."
        )


def _spread(what: str, spread: Spread) -> dict[str, str]:
    return {
        "what": what,
        "count": f"{spread.count:,}",
        "p50": duration(spread.p50),
        "p99": duration(spread.p99),
        "max": duration(spread.max),
    }


def _theory(report: Report) -> None:
    if not report.theory:
        return
    sources: dict[str, list[str]] = {}
    rows = []
    for each in report.theory:
        remarks = sources.setdefault(each.source, [])
        if each.remark and each.remark not in remarks:
            remarks.append(each.remark)
        rows.append(
            {
                "what": each.quantity,
                "measured": _quantity(each.measured, each.unit),
                "expected": _quantity(each.expected, each.unit),
                "source": f"[{list(sources).index(each.source) + 1}]",
            }
        )
    _heading("Beside theory")
    show(THEORY, rows)
    for number, (source, remarks) in enumerate(sources.items(), 1):
        _paragraph(f"[{number}] {'. '.join([source, *remarks])}")


def _quantity(value: float | None, unit: str) -> str:
    match unit:
        case _ if value is None:
            return "-"
        case "s":
            return duration(value)
        case "ms":
            return duration(value / 1000)
        case "1/s":
            return f"{digits(value)}/s"
        case _:
            return f"{digits(value)} {unit}".rstrip()


def _totals(report: Report) -> list[tuple[str, str]]:
    pairs = [("outcome", outcome(report))]
    # The fast model does not measure this, which does not mean that it is zero.
    modelled = report.model == "faithful"
    if modelled:
        pairs.append(("false alarms", _false(report.false_accusations)))
    if report.lookups is not None:
        pairs.append(("lookups", _lookups(report.lookups)))
    pairs.append(("traffic", _traffic(report.traffic, streams=modelled)))
    return [*pairs, ("digest", report.digest), ("work", _work(report.work))]


def _false(found: FalseAccusations) -> str:
    if not found.suspicions and not found.deaths:
        return "none: nobody suspected a living member that it could reach"
    said = (
        f"{many(found.suspicions, 'suspicion')} of living members that could be reached"
        f" ({found.suspicions_of_healthy:,} of healthy ones),"
        f" {many(found.deaths, 'death')} ({found.deaths_of_healthy:,} of healthy ones,"
        f" {found.deaths_at_healthy:,} at healthy observers)"
    )
    if found.suspicions_by_cut or found.deaths_by_cut:
        said += (
            f"; a cut began {found.suspicions_by_cut:,} of these suspicions"
            f" and {found.deaths_by_cut:,} of these deaths, which came to their end after it"
        )
    return said


def _lookups(found: Lookups) -> str:
    said = f"{found.made:,}, {found.wrong:,} wrong"
    if found.wrong:
        said += (
            f" ({percent(found.rate)}): {found.missing:,} missed a live instance,"
            f" {found.dead:,} returned a dead one"
        )
    if found.missing_behind_cut:
        said += f"; {found.missing_behind_cut:,} missed only what was behind a cut"
    return said


def _traffic(found: Traffic, *, streams: bool) -> str:
    said = (
        f"{digits(found.datagrams_per_peer_per_second)} datagrams with"
        f" {size(found.bytes_per_peer_per_second)}"
    )
    if streams:
        said += f", and {size(found.stream_bytes_per_peer_per_second)} on streams"
    if found.cpu_ms_per_peer_per_second is not None:
        said += f"; {digits(found.cpu_ms_per_peer_per_second)} ms of processor"
    return f"{said}; per peer and second"


def _work(found: Work) -> str:
    return (
        f"{found.events:,} events in {duration(found.wall_seconds)}"
        f" ({found.events_per_second:,.0f} a second), {found.peak_rss_mib:,.0f} MiB at most"
    )


def _verdict(report: Report) -> None:
    said = "converged" if report.converged else "NOT converged"
    if terminal():
        from rich.text import Text

        style = "bold green" if report.converged else "bold red"
        console().print(Text.assemble((f"The mesh had {said} at the end.", style)))
    else:
        say(f"The mesh had {said} at the end.")
