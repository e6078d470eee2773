"""Commands that show what a peer knows: lookup, services, members, info."""

from __future__ import annotations

from typing import Any

import click

from ._client import Client, Json, path_of
from ._failures import NegativeAnswer
from ._options import peer_options, service_argument
from ._output import note, print_json
from ._tables import Column, Row, show, show_pairs, terminal


def address(row: Row) -> str:
    """`HOST:PORT` of an instance, an IPv6 host in brackets."""
    host = str(row.get("address", ""))
    return f"[{host}]:{row.get('port')}" if ":" in host else f"{host}:{row.get('port')}"


# A cell of a table is no place for a page; `--json` has the whole text.
_TEXT_SHOWN = 60


def remark(row: Row) -> str:
    """What an operator should know about an instance besides its fields."""
    said = []
    if row.get("verified") is False:
        said.append("unverified: its owner is gone")
    own = row.get("own_status")
    if row.get("output") or (own is not None and own != row.get("status")):
        said.append(f"reports {own}{_why(row.get('output'))}")
    override = row.get("override")
    if isinstance(override, dict):
        why = _why(override.get("reason"))
        said.append(f"{override.get('status')} by {override.get('by')}{why}")
        if override.get("expires_at"):
            said.append(f"until {override['expires_at']}")
    return "; ".join(said)


def _why(text: object) -> str:
    if not text:
        return ""
    shown = " ".join(str(text).split())
    return f" ({shown if len(shown) <= _TEXT_SHOWN else shown[: _TEXT_SHOWN - 3] + '...'})"


def _text(name: str) -> Any:
    def cell(row: Row) -> str:
        value = row.get(name)
        return "" if value is None else str(value)

    return cell


def _tags(row: Row) -> str:
    return ",".join(map(str, row.get("tags") or ()))


def _metadata(row: Row) -> str:
    return ",".join(f"{key}={value}" for key, value in (row.get("metadata") or {}).items())


def _lease(row: Row) -> str:
    return "" if row.get("ttl") is None else f"{row['ttl']:g}s"


INSTANCE = (
    Column("ID", _text("id")),
    Column("ADDRESS", address),
    Column("STATUS", _text("status"), coloured=True),
    Column("ZONE", _text("zone"), ordinary=""),
    Column("WEIGHT", _text("weight"), ordinary="1", right=True),
    Column("TTL", _lease, ordinary="", right=True),
    Column("OWNER", _text("owner")),
    Column("TAGS", _tags, ordinary=""),
    Column("METADATA", _metadata, ordinary="", below=True),
    Column("REMARK", remark, ordinary="", below=True),
)

SERVICE = (
    Column("SERVICE", _text("name")),
    Column("UP", _text("up"), right=True),
    Column("INSTANCES", _text("instances"), right=True),
)

MEMBER = (
    Column("NAME", _text("name")),
    Column("ADDRESS", _text("address")),
    Column("STATUS", _text("status"), coloured=True),
    Column("ZONE", _text("zone"), ordinary=""),
    Column("INSTANCES", _text("instances"), right=True),
    Column("INCARNATION", _text("incarnation"), ordinary="0", right=True),
    Column("EPOCH", _text("epoch"), right=True),
    Column("PATH", _text("path"), ordinary="", below=True),
)


@click.command(short_help="Show the instances of a service.")
@service_argument
@click.option("--tag", metavar="T", help="Only instances with this tag.")
@click.option("--zone", metavar="Z", help="Only instances in this zone.")
@click.option("--all", is_flag=True, help="Show also instances that are not UP.")
@peer_options
def lookup(
    service: str, tag: str | None, zone: str | None, all: bool, http: str, as_json: bool
) -> None:
    """Show the instances of SERVICE that can be called now.

    The exit code is 1 if there is no such service or no such instance.
    """
    query = {"tag": tag, "zone": zone, "all": "true" if all else None}
    found = Client(http).get(path_of("services", service), query)
    instances = found.get("instances", [])
    if as_json:
        print_json(found)
    elif instances:
        show(INSTANCE, instances)
    if found.get("degraded") and not as_json:
        note("This answer is degraded: part of it may be out of date or missing.")
    if not instances:
        hint = "try without --tag and --zone" if tag or zone else "--all also shows those not UP"
        if all and not (tag or zone):
            hint = "register one with 'gossamer register'"
        raise NegativeAnswer(f"There is no such instance of {service} now; {hint}.")


@click.command(short_help="Show all services.")
@peer_options
def services(http: str, as_json: bool) -> None:
    """Show the services that have instances, and how many of those are UP."""
    found = Client(http).get(path_of("services"))
    if as_json:
        print_json(found)
    elif rows := found.get("services", []):
        show(SERVICE, rows)
    else:
        note("No service is registered yet; 'gossamer register' adds one.")


@click.command(short_help="Show the peers of the mesh.")
@peer_options
def members(http: str, as_json: bool) -> None:
    """Show the members of the mesh, as the asked peer sees them."""
    found = Client(http).get(path_of("members"))
    if as_json:
        print_json(found)
    else:
        show(MEMBER, found.get("members", []))


@click.command(short_help="Show the peer's own state and counters.")
@peer_options
def info(http: str, as_json: bool) -> None:
    """Show the state of the asked peer: name, root, health, counters.

    Two peers with the same root know the same members and records.
    On a terminal, counters that are zero are not shown.
    """
    found = Client(http).get(path_of("info"))
    if as_json:
        print_json(found)
    else:
        show_pairs(_pairs(found))


def _pairs(document: Json) -> list[tuple[str, str]]:
    found = []
    for name, value in document.items():
        match value:
            case dict():
                # Most of a hundred counters are zero; a reader at a terminal wants the others.
                brief = name == "counters" and terminal()
                found += [
                    (f"{name} {key}", _word(inner))
                    for key, inner in value.items()
                    if inner or not brief
                ]
            case _:
                found.append((name, _word(value)))
    return found


def _word(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_word, value))
        case _:
            return str(value)
