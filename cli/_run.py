"""`gossamer run`: one peer, from its ready line until it has left."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from ._authority import DEFAULT_HTTP
from ._failures import INTERRUPTED, BadInput
from ._log import LogSettings, configure_logging
from ._options import json_option
from ._output import print_json, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import trio

    from gossamer.peers import Peer, PeerConfig

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command(short_help="Start a peer and serve until interrupted.")
@click.option("--name", metavar="NAME", help="The peer's name in the mesh.  [default: the host's]")
@click.option(
    "--bind",
    metavar="HOST:PORT",
    help="Listen here for gossip, UDP and TCP; port 0: any free one.  [default: 0.0.0.0:7940]",
)
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    help="Address where others reach the peer.  [default: the address of the route to a seed]",
)
@click.option(
    "--join", multiple=True, metavar="HOST:PORT", help="A seed to join through; repeatable."
)
@click.option("--cluster", metavar="NAME", help="The mesh to join.  [default: default]")
@click.option("--zone", metavar="Z", help="The peer's zone, and that of its instances.")
@click.option(
    "--http",
    multiple=True,
    metavar="HOST:PORT",
    help=f"Serve HTTP here; repeatable; 'off' for no HTTP.  [default: {DEFAULT_HTTP}]",
)
# This version has no DNS front: the option is hidden, and refused with a sentence that says so.
@click.option("--dns", metavar="HOST:PORT", hidden=True)
@click.option("--data-dir", metavar="DIR", help="Keep the peer's epoch here across restarts.")
@click.option("--key-file", metavar="FILE", help="Keys that protect the mesh (gossamer keygen).")
@click.option(
    "--config",
    metavar="FILE",
    help="A TOML file with these options as keys; the command line wins.",
)
@click.option(
    "--profile", metavar="lan|wan|local", help="Time-outs for this kind of network.  [default: lan]"
)
@click.option("--log-format", metavar="text|json", help="Format of the log.  [default: text]")
@click.option("--log-level", metavar="LEVEL", help="Lowest level to log.  [default: info]")
@json_option
def run(config: str | None, as_json: bool, **given: Any) -> None:
    """Start a peer and serve until interrupted.

    \b
    gossamer run --name a
    gossamer run --name b --bind 0.0.0.0:7941 --http 127.0.0.1:8762 --join 127.0.0.1:7940

    The peer writes one line to stdout when it serves, and its log to stderr.
    On SIGINT or SIGTERM it leaves the mesh gracefully; a second signal stops it at once.
    """
    from gossamer.peers import GossamerError

    try:
        settings, log = _settings(config, given)
    except GossamerError as error:
        raise BadInput(_in_flags(str(error))) from error
    configure_logging(log.format, log.level)

    import trio

    trio.run(_live, settings, as_json, strict_exception_groups=True)


# Where a sentence names a setting: by that word, at its beginning, or before a second address.
_NAMED = re.compile(r"the setting (\w+)|^(\w+)(?= )|(?<= and )(\w+)(?= \S+:\d)")


def _in_flags(sentence: str) -> str:
    """Return an error's sentence with this command's flags in place of the names of settings."""
    flags = {str(parameter.name): parameter.opts[0] for parameter in run.params}
    return _NAMED.sub(lambda found: flags.get(found[found.lastindex or 0], found[0]), sentence)


def _settings(path: str | None, given: dict[str, Any]) -> tuple[PeerConfig, LogSettings]:
    from gossamer.peers import PeerConfig, read_toml

    for repeatable in ("join", "http"):
        given[repeatable] = given[repeatable] or None
    written = {} if path is None else read_toml(path)
    log = LogSettings.read(given, written, path)
    if given["http"] is None and "http" not in {**written, **written.get("serve", {})}:
        given["http"] = DEFAULT_HTTP
    given = {name: value for name, value in given.items() if not name.startswith("log_")}
    if path is None:
        return PeerConfig(**{key: value for key, value in given.items() if value is not None}), log
    return PeerConfig.from_toml(path, **given), log


async def _live(settings: PeerConfig, as_json: bool) -> None:
    import trio

    from gossamer.peers import GossamerError, open_peer

    with trio.open_signal_receiver(*_SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, signals, nursery.cancel_scope)
            # A peer that has started leaves gracefully also when it is cancelled from outside.
            try:
                async with open_peer(settings) as peer:
                    _announce(peer, as_json)
                    await peer.left()
            except GossamerError as error:
                raise BadInput(_in_flags(str(error))) from error
            nursery.cancel_scope.cancel()


async def _stop_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        for each in _SIGNALS:
            signal.signal(each, _stop_at_once)
        scope.cancel()
        return


# A second signal means: do not wait for anything, not even for an event loop that may hang.
def _stop_at_once(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)


def _announce(peer: Peer, as_json: bool) -> None:
    from gossamer.peers import format_address

    gossip = format_address(peer.address)
    http = ",".join(map(format_address, peer.addresses.get("http", ()))) or "off"
    if as_json:
        print_json({"ready": True, "name": peer.name, "gossip": gossip, "http": http}, indent=None)
    else:
        say(f"ready name={peer.name} gossip={gossip} http={http}")
    sys.stdout.flush()
