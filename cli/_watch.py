"""`gossamer watch`: the changes of services, as they happen."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from ._client import Client, Json
from ._failures import harmless
from ._options import peer_options
from ._output import print_json
from ._suggestions import suggest_services
from ._tables import STYLES
from ._views import address, remark

# A change of these fields matters to a consumer. `updated_at` alone does not: a registration
# that is repeated word for word is not a change worth a line.
_TELLING = (
    "address",
    "port",
    "status",
    "tags",
    "metadata",
    "weight",
    "zone",
    "ttl",
    "owner",
    "verified",
    "override",
)
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


@click.command(short_help="Show changes as they come.")
@click.argument("service", required=False, shell_complete=suggest_services)
@peer_options
def watch(service: str | None, http: str, as_json: bool) -> None:
    """Show the instances that can be called, of SERVICE or of all services, and each change.

    With --json, each line is one complete lookup document, the newest.
    The command runs until it is interrupted; its exit code is 3 if the peer is lost.
    """
    query = {"service": service} if service is not None else {}
    known: dict[str, dict[str, Json]] = {}
    for found in Client(http).events("/v1/watch", query):
        if as_json:
            print_json(found, indent=None)
        else:
            name = str(found.get("service"))
            now = {str(i.get("id")): i for i in found.get("instances", [])}
            _tell(name, known.get(name, {}), now)
            known[name] = now
        sys.stdout.flush()


def _tell(service: str, before: dict[str, Json], now: dict[str, Json]) -> None:
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if old is None and new is not None:
            _line("added", service, new)
        elif new is None and old is not None:
            _line("removed", service, old)
        elif old and new and any(old.get(name) != new.get(name) for name in _TELLING):
            _line("changed", service, new)


def _line(what: str, service: str, instance: Json) -> None:
    sign, colour = _SIGNS[what]
    clock = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
    status = str(instance.get("status"))
    said = remark(instance)
    click.echo(
        f"{clock} {click.style(f'{sign} {what.ljust(7)}', fg=colour)} {harmless(service)}"
        f" {harmless(str(instance.get('id')))} {harmless(address(instance))}"
        f" {click.style(harmless(status), fg=STYLES.get(status))}"
        + (f" ({harmless(said)})" if said else "")
    )
