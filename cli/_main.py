# The group of all commands, and the border that no traceback crosses.
#
# A command's module is imported when the command is used: `gossamer lookup` must answer a shell
# script at once, and does not need trio or rich.  Therefore the table below lists the commands;
# only `--help` and shell completion load them all.
#
# Exit codes: 0 done, 1 a negative answer, 2 wrong usage or bad input, 3 no peer reached,
# 130 interrupted.  A fault in gossamer itself has no separate code and ends with 1.

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ._failures import INTERRUPTED, sentence

SECTIONS: dict[str, dict[str, str]] = {
    "Run": {
        "run": "gossamer.cli._run:run",
        "demo": "gossamer.cli._demo:demo",
    },
    "Instances": {
        "register": "gossamer.cli._instances:register",
        "heartbeat": "gossamer.cli._instances:heartbeat",
        "deregister": "gossamer.cli._instances:deregister",
        "report": "gossamer.cli._instances:report",
        "status": "gossamer.cli._instances:status",
        "accept-loss": "gossamer.cli._instances:accept_loss",
    },
    "Look": {
        "lookup": "gossamer.cli._views:lookup",
        "services": "gossamer.cli._views:services",
        "watch": "gossamer.cli._watch:watch",
        "members": "gossamer.cli._views:members",
        "info": "gossamer.cli._views:info",
    },
    "Mesh": {
        "join": "gossamer.cli._mesh:join",
        "leave": "gossamer.cli._mesh:leave",
    },
    "Keys": {
        "keygen": "gossamer.cli._keys:keygen",
        "keys": "gossamer.cli._keys:keys",
    },
    "Rehearse": {
        "simulate": "gossamer.cli._simulate:simulate",
    },
    "Shell": {
        "completion": "gossamer.cli._completion:completion",
    },
}
COMMANDS = {name: place for section in SECTIONS.values() for name, place in section.items()}


class Commands(click.Group):
    """A group that imports its commands on use and ends every failure with one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for section, names in SECTIONS.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                if command is not None and not command.hidden:
                    short = command.get_short_help_str(formatter.width - width - 6)
                    rows.append((name.ljust(width), short))
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)

    # click would end with 1 when nobody reads the output any more; that is for us to say.
    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        with _naming_closed_pipes():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _naming_closed_pipes():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # click's own signature: whatever a context takes
    ) -> Any:
        def commands() -> Any:
            # Its own name, however it was started: `python -c` and test runners have others.
            return super(Commands, self).main(
                args, prog_name or "gossamer", complete_var, standalone_mode=False, **extra
            )

        if not standalone_mode:
            return commands()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A name the terminal's encoding cannot write is better spelled than a failure.
                stream.reconfigure(errors="backslashreplace")
        try:
            code = commands()
            # A full disk or a closed pipe often shows only here, and it must show inside the
            # border: at interpreter exit Python would print an exception of its own.
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the border: nothing may pass it
            # Completion runs while the user types, where a sentence does not help.
            code = 1 if os.environ.get("_GOSSAMER_COMPLETE") else end(error)
        sys.exit(code if isinstance(code, int) else 0)


class OutputClosed(Exception):
    """Nobody reads stdout any more."""


@contextmanager
def _naming_closed_pipes() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error


def end(error: BaseException) -> int:
    """Tell the user what ended the command; returns the exit code."""
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case KeyboardInterrupt() | click.Abort():
            return INTERRUPTED
        case OutputClosed() | BrokenPipeError():
            return _stop_writing()
        case BaseExceptionGroup() if (only := _only_kind(error)) is not None:
            return end(only)
    if os.environ.get("GOSSAMER_DEBUG"):
        import traceback

        traceback.print_exception(error)
    match error:
        case click.UsageError(ctx=click.Context() as asked) if _is_help(error):
            # A group without a command: its help is the answer, in the lines that it has.
            click.echo(asked.get_help(), err=True)
            return error.exit_code
        case click.ClickException():
            _say(sentence(error))
            return error.exit_code
        case OSError() if error.strerror:
            _say(
                f"The system refused ({error.strerror}); make room or repair that, then try again."
            )
            return 1
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    _say(
        "A fault in gossamer itself ended this command"
        f" ({' '.join(what.split())[:200]});"
        " set GOSSAMER_DEBUG=1 for the traceback and report it."
    )
    return 1


# click 8.2 and later raise a class of its own for this, earlier ones have none.
def _is_help(error: click.UsageError) -> bool:
    return type(error).__name__ == "NoArgsIsHelpError"


# trio wraps what its tasks raise; an interrupt or a refusal inside is still just that.
def _only_kind(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    kinds = (KeyboardInterrupt, BrokenPipeError, click.ClickException)
    for kind in kinds:
        found = group.subgroup(kind)
        if found is not None and group.split(kind)[1] is None:
            return _first(found)
    return None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _say(text: str) -> None:
    from ._failures import harmless

    try:
        click.echo(click.style("Error: ", fg="red") + harmless(text), err=True, color=_colour())
    except OSError:
        pass  # stderr is closed too; only the exit code remains


def _colour() -> bool | None:
    # None lets click decide by asking whether the stream is a terminal.
    return False if os.environ.get("NO_COLOR") else None


# `gossamer services | head -1` is not a failure.  Python would report an error when it closes
# stdout at exit, so stdout is replaced first.
def _stop_writing() -> int:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # stdout is not a real file, as in click's own test runner
    return 0


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # 20 ms that only --version should pay

        click.echo(f"gossamer {version('gossamer')}")
        ctx.exit()


@click.group(
    "gossamer",
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """A service registry with no server to run.

    Peers form a mesh; each holds the whole registry and answers from its own memory.
    Start one with `gossamer run`, watch a whole mesh with `gossamer demo`.

    Commands that ask a running peer find it at --http HOST:PORT, or GOSSAMER_HTTP,
    or 127.0.0.1:8761.
    """
    ctx.color = _colour()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
