"""`gossamer run`: one peer, from its ready line to its farewell."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from ._failures import INTERRUPTED, BadInput
from ._options import DEFAULT_HTTP, json_option
from ._output import print_json, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import trio

    from gossamer.peers import Peer, PeerConfig

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command(short_help="Start a peer and serve until interrupted.")
@click.option("--name", metavar="NAME", help="Its name in the mesh.  [default: the host's]")
@click.option(
    "--bind",
    metavar="HOST:PORT",
    help="Listen here for gossip, UDP and TCP; port 0 picks one.  [default: 0.0.0.0:7940]",
)
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    help="Where others reach it.  [default: the address on the way to the seeds]",
)
@click.option(
    "--join", multiple=True, metavar="HOST:PORT", help="Join through this peer; repeatable."
)
@click.option("--cluster", metavar="NAME", help="The mesh it belongs to.  [default: default]")
@click.option("--zone", metavar="Z", help="Where it runs; its instances are of this zone.")
@click.option(
    "--http",
    metavar="HOST:PORT",
    help=f"Serve HTTP here; 'off' for not at all.  [default: {DEFAULT_HTTP}]",
)
@click.option("--dns", metavar="HOST:PORT", help="Serve DNS here.  [default: off]")
@click.option("--data-dir", metavar="DIR", help="Keep its epoch here across restarts.")
@click.option("--key-file", metavar="FILE", help="Keys that protect the mesh (gossamer keygen).")
@click.option(
    "--config",
    metavar="FILE",
    help="TOML with the names of these options as keys; what is given here wins.",
)
@click.option(
    "--profile", metavar="lan|wan|local", help="The network its times are for.  [default: lan]"
)
@click.option("--log-format", metavar="text|json", help="Form of the log.  [default: text]")
@click.option("--log-level", metavar="LEVEL", help="Least level to log.  [default: info]")
@json_option
def run(config: str | None, as_json: bool, **given: Any) -> None:
    """Start a peer and serve until interrupted.

    \b
    gossamer run --name a
    gossamer run --name b --bind 0.0.0.0:7941 --http 127.0.0.1:8762 --join 127.0.0.1:7940

    It writes one line to stdout when it serves, and its log to stderr.
    SIGINT and SIGTERM let it leave gracefully; a second one stops it at once.
    """
    from gossamer.peers import GossamerError, configure_logging

    try:
        settings = _settings(config, given)
    except GossamerError as error:
        raise BadInput(str(error)) from error
    configure_logging(settings.log_format, settings.log_level)

    import trio

    trio.run(_live, settings, as_json, strict_exception_groups=True)


def _settings(path: str | None, given: dict[str, Any]) -> PeerConfig:
    from gossamer.peers import PeerConfig, read_toml

    given["join"] = given["join"] or None
    if path is None:
        chosen = {name: value for name, value in given.items() if value is not None}
        return PeerConfig(**{"http": DEFAULT_HTTP, **chosen})
    if given["http"] is None and "http" not in read_toml(path):
        given["http"] = DEFAULT_HTTP
    return PeerConfig.from_toml(path, **given)


async def _live(settings: PeerConfig, as_json: bool) -> None:
    import trio

    from gossamer.peers import GossamerError, open_peer

    with trio.open_signal_receiver(*_SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, signals, nursery.cancel_scope)
            # Cancelled from outside, a peer that has started still leaves gracefully.
            try:
                async with open_peer(settings) as peer:
                    _announce(peer, as_json)
                    await peer.left()
            except GossamerError as error:
                raise BadInput(str(error)) from error
            nursery.cancel_scope.cancel()


async def _stop_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        for each in _SIGNALS:
            signal.signal(each, _stop_at_once)
        scope.cancel()
        return


# Whoever asks twice does not want to wait for anything, also not for a loop that may be stuck.
def _stop_at_once(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)


def _announce(peer: Peer, as_json: bool) -> None:
    from gossamer.peers import format_address

    gossip = format_address(peer.address)
    http = "off" if peer.http_address is None else format_address(peer.http_address)
    if as_json:
        print_json({"ready": True, "name": peer.name, "gossip": gossip, "http": http}, indent=None)
    else:
        say(f"ready name={peer.name} gossip={gossip} http={http}")
    sys.stdout.flush()
