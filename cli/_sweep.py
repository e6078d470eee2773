"""`gossamer simulate sweep`: a scenario with many values and seeds, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._authority import split_authority
from ._failures import BadInput, NegativeAnswer, NoPeer
from ._options import json_option
from ._output import note, print_json
from ._simulate import changing_the_scenario, model_option, suggest_scenarios

if TYPE_CHECKING:
    from gossamer.simulations import Choice
    from gossamer.simulations.sweep import Backend, Plan, SweepTable

# Failures beyond these are in the file; the first ones usually tell.
SHOWN_FAILURES = 3


def _vary(
    _ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=V1,V2, such as loss=0,0.05,0.1.")
        if name in found:
            raise click.BadParameter(f"{name!r} is varied twice; give all its values at once.")
        found[name] = [value.strip() for value in values.split(",")]
    return found


def _scheduler(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    scheme, separator, authority = text.partition("://")
    try:
        if not separator or scheme not in ("tcp", "tls"):
            raise ValueError("is not tcp://HOST:PORT, such as tcp://127.0.0.1:8786")
        split_authority(authority)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}.") from None
    return text


@click.command(short_help="Run a scenario with many values and seeds, into one table.")
@click.argument("scenario", shell_complete=suggest_scenarios)
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=V1,V2,…",
    callback=_vary,
    help="Values to try; repeatable: every combination is run.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Runs of each combination, each with its own seed.",
)
@changing_the_scenario
@model_option
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Processes to run in.  [default: one for each core]",
)
@click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    callback=_scheduler,
    help="Run on the Dask cluster of this scheduler instead.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to keep the results.  [default: ./sweep-SCENARIO-…]",
)
@json_option
def sweep(
    scenario: str,
    vary: dict[str, list[str]],
    seeds: int,
    changes: dict[str, str],
    model: Choice,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run SCENARIO with every combination of values, and each with several seeds.

    One table shows the means of each combination, with 95 % confidence intervals over the seeds.

    Each result is written to DIR/runs.jsonl at once.  The same command continues an interrupted
    sweep, and a command with more values or seeds runs only what is new.
    DIR also gets table.json and, if a number is varied, sweep.png and sweep.svg.

    The exit code is 1 if a run failed, 3 if the scheduler could not be reached.
    """
    if workers is not None and scheduler is not None:
        raise BadInput(
            "--workers is for local processes and --scheduler for a cluster; give only one."
        )
    from gossamer.simulations import MissingExtra
    from gossamer.simulations.scenario import ScenarioError
    from gossamer.simulations.sweep import (
        SchedulerUnreachable,
        SweepError,
        cluster,
        default_directory,
        make_plan,
        processes,
    )

    try:
        plan = make_plan(scenario, vary, seeds=seeds, changes=changes, model=model)
        backend = processes(workers) if scheduler is None else cluster(scheduler)
        directory = out or default_directory(plan)
        table = _run(plan, directory, backend, quiet=as_json)
    except (SweepError, ScenarioError, MissingExtra) as error:
        raise BadInput(_ended(str(error))) from None
    except SchedulerUnreachable as error:
        raise NoPeer(f"{error}; the finished runs are kept.") from None
    if as_json:
        print_json({**table.as_json(), "directory": str(directory)})
    else:
        from ._sweep_table import show_table

        show_table(table)
        note(f"Results are in {directory}.")
    if table.failures:
        raise NegativeAnswer(_failures(table))


def _run(plan: Plan, directory: Path, backend: Backend, *, quiet: bool) -> SweepTable:
    from gossamer.simulations import MissingExtra
    from gossamer.simulations.sweep import run_sweep, write_plots

    from ._sweep_progress import ProgressLine

    with ProgressLine() as line:
        try:
            table = run_sweep(plan, directory, backend, line.show)
        except KeyboardInterrupt:
            line.clear()
            note(f"{line.finished} of {len(plan.runs)} runs are kept in {directory}.")
            raise
    try:
        write_plots(table, directory)
    except MissingExtra as error:
        if not quiet:
            note(f"No picture was made: {error}.")
    return table


# A sentence with a suggestion ends with a question mark.
def _ended(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def _failures(table: SweepTable) -> str:
    told = [
        f"{table.plan.describe(failed.run)}: {failed.why}"
        for failed in table.failures[:SHOWN_FAILURES]
    ]
    more = len(table.failures) - len(told)
    if more:
        told.append(f"and {more} more")
    return (
        f"{len(table.failures)} of {len(table.plan.runs)} runs failed ({'; '.join(told)});"
        " the same command tries them again."
    )
