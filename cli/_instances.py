"""Commands that change an instance: register, heartbeat, report, status, and its end."""

from __future__ import annotations

import click

from ._client import Client, Json, path_of
from ._options import (
    finite,
    instance_argument,
    pairs,
    peer_options,
    service_argument,
)
from ._output import print_json, say

STATUSES = ("UP", "OUT_OF_SERVICE", "DOWN", "STARTING")


@click.command(short_help="Register an instance and print its id.")
@service_argument
@click.option("--port", type=int, required=True, metavar="N", help="Port of the instance.")
@click.option("--address", metavar="A", help="Its host name or IP address.  [default: the peer's]")
@click.option(
    "--id", metavar="ID", help="Its id; a second registration of an id replaces the first."
)
@click.option("--tag", "tags", multiple=True, metavar="T", help="A tag; repeatable.")
@click.option(
    "--meta",
    "metadata",
    multiple=True,
    metavar="K=V",
    callback=pairs,
    help="One pair of metadata; repeatable.",
)
@click.option(
    "--weight",
    type=int,
    metavar="N",
    help="Its share of the load, relative to others.  [default: 1]",
)
@click.option("--zone", metavar="Z", help="Its zone.  [default: the peer's]")
@click.option(
    "--ttl",
    type=float,
    metavar="SECONDS",
    callback=finite,
    help="Its lease: it must send a heartbeat within this time.  [default: no lease]",
)
@peer_options
def register(
    service: str,
    port: int,
    address: str | None,
    id: str | None,
    tags: tuple[str, ...],
    metadata: dict[str, str],
    weight: int | None,
    zone: str | None,
    ttl: float | None,
    http: str,
    as_json: bool,
) -> None:
    """Register an instance of SERVICE with the peer, and print the instance's id.

    \b
    gossamer register orders --port 8080
    gossamer register orders --port 8080 --id orders-1 --tag v2 --meta team=a --ttl 30
    """
    wishes = {
        "port": port,
        "address": address,
        "tags": list(tags) or None,
        "metadata": metadata or None,
        "weight": weight,
        "zone": zone,
        "ttl": ttl,
    }
    body = {name: value for name, value in wishes.items() if value is not None}
    if id is None:
        found = Client(http).ask("POST", path_of("services", service, "instances"), body)
    else:
        found = Client(http).ask("PUT", path_of("services", service, "instances", id), body)
    if as_json:
        print_json(found)
    else:
        click.echo(str(found.get("id")))


@click.command(short_help="Renew the lease of an instance.")
@service_argument
@instance_argument
@peer_options
def heartbeat(service: str, id: str, http: str, as_json: bool) -> None:
    """Renew the lease of instance ID of SERVICE, at any peer."""
    path = path_of("services", service, "instances", id, "heartbeat")
    answer = Client(http).ask("PUT", path)
    _done(answer, as_json, service, id, "is renewed")


@click.command(short_help="Deregister an instance, at any peer.")
@service_argument
@instance_argument
@peer_options
def deregister(service: str, id: str, http: str, as_json: bool) -> None:
    """Deregister instance ID of SERVICE, at any peer."""
    answer = Client(http).ask("DELETE", path_of("services", service, "instances", id))
    _done(answer, as_json, service, id, "is deregistered")


def _suggest_statuses(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [status for status in STATUSES if status.startswith(incomplete.upper())]


@click.command(short_help="Report the own status of an instance, at any peer.")
@service_argument
@instance_argument
@click.argument("status", metavar="|".join(STATUSES), shell_complete=_suggest_statuses)
@click.option("--output", metavar="TEXT", help="What to show with it, such as a check's output.")
@peer_options
def report(
    service: str, id: str, status: str, output: str | None, http: str, as_json: bool
) -> None:
    """Report the own status of instance ID of SERVICE, as the service itself sees it.

    \b
    gossamer report orders orders-1 DOWN --output "the database does not answer"
    gossamer report orders orders-1 UP

    An override ('gossamer status') stays, and lookups show the override.
    """
    body: Json = {"status": status.upper()}
    if output is not None:
        body["output"] = output
    answer = Client(http).ask("PUT", path_of("services", service, "instances", id, "report"), body)
    _done(answer, as_json, service, id, f"reports {status.upper()}")


@click.command(short_help="Override an instance's status, or end the override.")
@service_argument
@instance_argument
@click.argument(
    "status", required=False, metavar=f"[{'|'.join(STATUSES)}]", shell_complete=_suggest_statuses
)
@click.option(
    "--clear", is_flag=True, help="End the override: the service's own status applies again."
)
@click.option("--reason", metavar="R", help="The reason; lookups show it to everybody.")
@click.option(
    "--expires",
    type=float,
    metavar="SECONDS",
    callback=finite,
    help="End the override by itself after this time.",
)
@peer_options
def status(
    service: str,
    id: str,
    status: str | None,
    clear: bool,
    reason: str | None,
    expires: float | None,
    http: str,
    as_json: bool,
) -> None:
    """Override the status of instance ID of SERVICE, at any peer.

    \b
    gossamer status orders orders-1 OUT_OF_SERVICE --reason "disk swap" --expires 3600
    gossamer status orders orders-1 --clear
    """
    if clear == (status is not None):
        raise click.UsageError(
            f"Give either a status ({', '.join(STATUSES)}) or --clear, not both."
        )
    if clear and (reason is not None or expires is not None):
        raise click.UsageError("--clear takes neither --reason nor --expires; leave them out.")
    status = status and status.upper()
    path = path_of("services", service, "instances", id, "status")
    if clear:
        answer = Client(http).ask("DELETE", path)
        _done(answer, as_json, service, id, "has its own status again")
        return
    wishes = {"status": status, "reason": reason, "expires": expires}
    body = {name: value for name, value in wishes.items() if value is not None}
    answer = Client(http).ask("PUT", path, body)
    _done(answer, as_json, service, id, f"is {status}")


@click.command("accept-loss", short_help="Drop the preserved instances of lost peers.")
@click.argument("service", required=False)
@peer_options
def accept_loss(service: str | None, http: str, as_json: bool) -> None:
    """Accept that lost peers are gone: end self-preservation for SERVICE, or for all services.

    When many peers vanish at once, their instances are preserved: answers still show them, marked
    as unverified.
    """
    path = path_of("services", service, "accept-loss") if service else path_of("accept-loss")
    answer = Client(http).ask("POST", path)
    if as_json:
        print_json(answer)
        return
    say(f"Accepted; instances dropped from the answers: {answer.get('dropped')}.")


def _done(answer: Json, as_json: bool, service: str, id: str, what: str) -> None:
    if as_json:
        print_json(answer or {"service": service, "id": id})
    else:
        say(f"{service} {id} {what}.")
