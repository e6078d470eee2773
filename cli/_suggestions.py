# Names for shell completion, which come from the running peer.
#
# Completion runs at a keypress while the user types: it is quick, and silent if there is no answer.
# The scripts of the shells split names at colons and expand patterns, so completion suggests only
# names that are plain words in every shell.

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ._authority import DEFAULT_HTTP

if TYPE_CHECKING:
    from ._client import Json

PATIENCE = 0.5
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@%+-]*")


def suggest_services(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of services that begin with what is typed."""
    found = _ask(ctx, "services").get("services", [])
    return plain_names([service.get("name") for service in found], incomplete)


def suggest_instances(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the instances of the service that was typed before, also of those not UP."""
    service = ctx.params.get("service")
    if not service:
        return []
    found = _ask(ctx, "services", service, all="true").get("instances", [])
    return plain_names([instance.get("id") for instance in found], incomplete)


def _ask(ctx: click.Context, *path: str, **query: str) -> Json:
    from ._client import Client, path_of

    # While completing, click resolves neither defaults nor the environment.
    authority = ctx.params.get("http") or os.environ.get("GOSSAMER_HTTP") or DEFAULT_HTTP
    try:
        return Client(authority, timeout=PATIENCE).get(path_of(*path), query)
    except (click.ClickException, ValueError):
        return {}


def plain_names(names: Sequence[object], incomplete: str) -> list[str]:
    """The names that begin with what is typed and are plain words to every shell."""
    return sorted(
        name
        for name in names
        if isinstance(name, str) and name.startswith(incomplete) and _PLAIN.fullmatch(name)
    )
