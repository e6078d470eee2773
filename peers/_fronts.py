"""The list of fronts that a peer can have, and their start.

A front's module is imported when a peer is to have that front, and not before.
"""

import errno
from collections.abc import Callable, Mapping

import trio

from gossamer.gossip import Address

from .catalog import Front
from .host import PeerConfig
from .model import ConfigError, format_address, parse_address
from .runtime import Fronts, Peer


def _http(peer: Peer) -> Front:
    from .fronts.native import NativeMount
    from .web import HttpFront

    return HttpFront([NativeMount(operator=peer)])


FRONTS: Mapping[str, Callable[[Peer], Front]] = {"http": _http}
"""How each front is made for a peer, by its name in the configuration."""


def check_fronts(config: PeerConfig) -> None:
    """Raise `ConfigError` for a front that is not in the list."""
    for name in config.fronts:
        if name not in FRONTS:
            raise ConfigError(
                name,
                f"there is no front {name!r} in this version: remove it; this version has"
                f" {', '.join(FRONTS)}",
            )


async def serve_fronts(peer: Peer, fronts: Fronts, nursery: trio.Nursery) -> None:
    """Start all fronts of a peer; return when each is bound to all its addresses.

    `fronts` is told of each front and address.

    Raises `ConfigError` that names the front whose address cannot be used.
    """
    for name, texts in peer.config.fronts.items():
        front = FRONTS[name](peer)
        fronts.add(front)
        for text in texts:
            fronts.bound(front, await _serve(peer, front, text, nursery))


async def _serve(peer: Peer, front: Front, text: str, nursery: trio.Nursery) -> Address:
    at = parse_address(text, front.name)
    try:
        bound: Address = await nursery.start(front.serve, peer, at)
    except OSError as error:
        raise bind_error(front.name, *at, error) from None
    return bound


def bind_error(field: str, host: str, port: int, error: Exception) -> ConfigError:
    """Return what keeps an address from being bound, with the setting that names another."""
    code = error.errno if isinstance(error, OSError) else None
    match code:
        case errno.EADDRINUSE:
            reason = f"port {port} is taken on {host}"
        case errno.EADDRNOTAVAIL:
            reason = f"{host} is not an address of this host"
        case errno.EACCES | errno.EPERM:
            reason = f"port {port} on {host} needs more permissions"
        case _:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            reason = f"{field} {format_address((host, port))} cannot be used ({said})"
    return ConfigError(field, f"{reason}: choose another with the setting {field}")
