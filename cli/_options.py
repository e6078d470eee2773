"""Options and checks that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ._authority import DEFAULT_HTTP, split_authority
from ._suggestions import suggest_instances, suggest_services

Function = TypeVar("Function", bound=Callable[..., Any])


def _authority(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    try:
        split_authority(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}.") from None
    return text


# JSON cannot express `nan` or `inf`, so they must not reach the peer.
def finite(_ctx: click.Context, _param: click.Parameter, number: float | None) -> float | None:
    """Return the number of an option; refuse `nan` and `inf`."""
    if number is not None and not math.isfinite(number):
        raise click.BadParameter(f"{number} is not a number of seconds.")
    return number


def pairs(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """Return the `KEY=VALUE` pairs of an option; a value may be empty or have equals signs."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE, such as team=payments.")
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice; give it once.")
        found[key] = value
    return found


# An empty segment would change the path, and the peer could only say that the path is unknown.
def _not_empty(_ctx: click.Context, param: click.Parameter, text: str) -> str:
    if not text:
        raise click.BadParameter("the name is empty; give one.")
    return text


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)

_http_option = click.option(
    "--http",
    metavar="HOST:PORT",
    default=DEFAULT_HTTP,
    envvar="GOSSAMER_HTTP",
    callback=_authority,
    show_default=True,
    show_envvar=True,
    help="HTTP address of the peer to ask.",
)


def peer_options(function: Function) -> Function:
    """Add `--http` and `--json` to a command that asks a running peer."""
    return _http_option(json_option(function))


service_argument = click.argument("service", callback=_not_empty, shell_complete=suggest_services)
instance_argument = click.argument("id", callback=_not_empty, shell_complete=suggest_instances)
