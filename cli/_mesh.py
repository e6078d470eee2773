"""Commands about the peer's place in the mesh: join and leave."""

from __future__ import annotations

import click

from ._client import Client, path_of
from ._options import peer_options
from ._output import print_json, say


@click.command(short_help="Join the mesh through more seeds.")
@click.argument("addresses", nargs=-1, required=True, metavar="HOST:PORT...")
@peer_options
def join(addresses: tuple[str, ...], http: str, as_json: bool) -> None:
    """Let the peer join through the gossip addresses HOST:PORT, and keep them as seeds.

    The peer tries them until one answers; 'gossamer members' shows the members that it found.
    """
    answer = Client(http).ask("POST", path_of("join"), {"addresses": list(addresses)})
    if as_json:
        print_json(answer)
        return
    say(f"The peer now tries to join through {', '.join(addresses)}; see 'gossamer members'.")


@click.command(short_help="Leave the mesh gracefully and stop the peer.")
@peer_options
def leave(http: str, as_json: bool) -> None:
    """Let the peer leave the mesh gracefully with its instances, and end its process."""
    answer = Client(http).ask("POST", path_of("leave"))
    if as_json:
        print_json(answer or {"leaving": True})
    else:
        say(f"The peer at {http} is leaving.")
