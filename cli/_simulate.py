"""`gossamer simulate`: rehearse on a virtual network what may happen to a mesh."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._failures import BadInput, NegativeAnswer
from ._options import json_option
from ._output import note, print_json, say
from ._suggestions import plain_names

if TYPE_CHECKING:
    from gossamer.simulations import Choice
    from gossamer.simulations.report import Report

# Any other word after `simulate` is a scenario.
_PLACES = {
    "list": "gossamer.cli._simulate:list_scenarios",
    "sweep": "gossamer.cli._sweep:sweep",
}
_RUN = "SCENARIO"


class Simulate(click.Group):
    """A group whose other commands are the names of scenarios, and paths to them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        if cmd_name == _RUN:
            return run
        if cmd_name not in _PLACES:
            return None
        module, _, attribute = _PLACES[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    # Options may come before the scenario too, and click does not know the names of scenarios.
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours = args and (args[0] in _PLACES or args[0] in ctx.help_option_names)
        if not ours and (args or not ctx.resilient_parsing):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [_RUN, "[OPTIONS]"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        run.format_options(ctx, formatter)
        with formatter.section("Scenarios"):
            formatter.write_dl([(each.name, each.summary) for each in _descriptions()])
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        return [
            *super().shell_complete(ctx, incomplete),
            *suggest_scenarios(ctx, None, incomplete),
        ]


def _descriptions() -> list[Any]:
    from gossamer.simulations.scenario import builtin_names, describe

    return [describe(name) for name in builtin_names()]


def suggest_scenarios(_ctx: click.Context, _param: Any, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="file")]
    return [
        CompletionItem(each.name, help=each.summary)
        for each in _descriptions()
        if each.name.startswith(incomplete)
    ]


def suggest_parameters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names for `--set`, with the equals sign that follows them."""
    from gossamer.simulations.scenario import ScenarioError, builtin_names, parameter_names

    # While an option waits for its value, click does not recognise arguments.
    scenario = ctx.params.get("scenario") or next(iter(ctx.args), builtin_names()[0])
    try:
        names = parameter_names(scenario)
    except ScenarioError:
        return []
    return [f"{name}=" for name in plain_names(list(names), incomplete)]


def _changes(
    _ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE, such as loss=0.05.")
        if name in found:
            raise click.BadParameter(f"{name!r} is set twice; set it once.")
        found[name] = value
    return found


def _change(changes: dict[str, str], name: str, value: str | None) -> None:
    if value is None:
        return
    if name in changes:
        raise BadInput(f"--{name} and --set {name}=… are the same; give one of them.")
    changes[name] = value


def changing_the_scenario(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that change a scenario; it takes them as `changes` alone."""

    @click.option("--peers", metavar="N", help="How many peers the mesh has at the beginning.")
    @click.option(
        "--loss", metavar="P", help="Share of datagrams that the network loses, such as 0.05."
    )
    @click.option("--latency", metavar="MS", help="Mean time that a packet takes, in milliseconds.")
    @click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_changes,
        shell_complete=suggest_parameters,
        help="Change any other value of the scenario; repeatable.",
    )
    @wraps(command)
    def changed(
        changes: dict[str, str],
        peers: str | None,
        loss: str | None,
        latency: str | None,
        **others: Any,
    ) -> None:
        for name, value in (("peers", peers), ("loss", loss), ("latency", latency)):
            _change(changes, name, value)
        command(changes=changes, **others)

    return changed


model_option = click.option(
    "--model",
    type=click.Choice(["auto", "faithful", "fast"]),
    default="auto",
    show_default=True,
    help="faithful: the protocol's own code; fast: arrays; auto: by the size of the mesh.",
)


class _Run(click.Command):
    # The name of the command already contains the scenario: `gossamer simulate SCENARIO`.
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS]"]


@click.command(_RUN, cls=_Run)
@click.argument("scenario", shell_complete=suggest_scenarios)
@click.option("--seed", metavar="S", help="The seed of all random choices.")
@changing_the_scenario
@model_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.json and the plots there.",
)
@json_option
def run(
    scenario: str,
    seed: str | None,
    changes: dict[str, str],
    model: Choice,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run SCENARIO and report what it did to the mesh.

    SCENARIO is a name that `gossamer simulate list` shows, or the path of a TOML file.
    The same seed gives the same report; equal digests show it.

    The exit code is 1 if the peers had not converged at the end.
    """
    _change(changes, "seed", seed)
    report = _report(scenario, changes, model, out, quiet=as_json)
    if as_json:
        from gossamer.simulations.report import document_text

        click.echo(document_text(report.as_json()), nl=False)
    else:
        from ._simulate_summary import show_summary

        show_summary(report)
        sys.stdout.flush()
    if out is not None:
        _write(report, out)
    if not report.converged:
        raise NegativeAnswer(
            "The mesh had not converged when the scenario ended;"
            f" give it more time with --set duration={report.duration * 2:g}."
        )


def _report(
    name: str, changes: dict[str, str], model: Choice, out: Path | None, *, quiet: bool
) -> Report:
    from gossamer.simulations import MissingExtra, simulate
    from gossamer.simulations.report import require_plots
    from gossamer.simulations.scenario import ScenarioError, load_scenario

    from ._simulate_progress import ProgressBar

    try:
        scenario = load_scenario(name, changes)
        if out is not None:
            # It is better to fail now than after a simulation of some minutes.
            require_plots()
            _prepare(out)
        # The mesh ends with the process; a search for cycles in a large mesh would take seconds.
        atexit.register(gc.freeze)
        with ProgressBar(scenario.name, hidden=quiet) as bar:
            return simulate(scenario, model=model, progress=bar.show)
    except (ScenarioError, MissingExtra) as error:
        said = str(error)
        raise BadInput(said if said.endswith(("?", ".")) else f"{said}.") from None


def _prepare(directory: Path) -> None:
    from gossamer.simulations.report import prepare_directory

    with _naming(directory):
        prepare_directory(directory)


def _write(report: Report, directory: Path) -> None:
    from gossamer.simulations.report import write_report

    with _naming(directory):
        written = write_report(report, directory)
    note(f"{len(written)} files are in {directory}.")


@contextmanager
def _naming(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(
            f"--out cannot write to {directory} ({why}); name a directory that you may write to."
        ) from None


@click.command("list", short_help="Show the built-in scenarios.")
@json_option
def list_scenarios(as_json: bool) -> None:
    """Show the built-in scenarios, and the parameters of each."""
    found = _descriptions()
    if as_json:
        print_json(
            {
                "scenarios": [
                    {
                        "name": each.name,
                        "summary": each.summary,
                        "parameters": dict(each.parameters),
                    }
                    for each in found
                ]
            }
        )
        return
    from ._simulate_summary import show_scenarios

    show_scenarios(found)
    say("")
    say("Run one with 'gossamer simulate NAME'; change values with --set NAME=VALUE.")


@click.group("simulate", cls=Simulate, short_help="Rehearse a partition, a crash, a deployment.")
def simulate() -> None:
    """Rehearse on a virtual network what may happen to a mesh.

    It runs the protocol's own code on a virtual clock: a minute of a hundred peers takes seconds,
    and the same seed gives the same run, packet by packet.

    SCENARIO is one of the names below, or the path of a TOML file.
    The exit code is 1 if the peers had not converged at the end.
    """
