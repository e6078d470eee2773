"""Finds the address that a peer advertises to others.

The operator's setting wins.
Otherwise the peer takes the bound address, unless that is a wildcard.
Otherwise it takes the local end of the route to a seed, because the other peers are there too.
Otherwise it takes the local end of the default route.
"""

from collections.abc import Sequence

from gossamer.gossip import Address
from gossamer.peers.host import PeerConfig
from gossamer.peers.model import (
    ConfigError,
    format_address,
    is_loopback,
    is_wildcard,
    numeric,
    parse_address,
)

from ._network import Network

# Addresses for documentation (RFC 5737, RFC 3849).  The peer only asks the routing table, and sends
# nothing; no host has these addresses, so no route is special.
_ANYWHERE: tuple[Address, ...] = (("192.0.2.1", 9), ("2001:db8::1", 9))


async def find_advertised(
    config: PeerConfig, network: Network, bound: Address, seeds: Sequence[Address]
) -> Address:
    """Return the numeric address to advertise; raises `ConfigError`."""
    if config.advertise is not None:
        address = await _resolve_given(config.advertise, network, bound)
    elif not is_wildcard(bound[0]):
        address = bound
    else:
        address = (await _find_source(network, bound, seeds), bound[1])
    refuse_loopback(address, seeds)
    return address


def refuse_loopback(address: Address, seeds: Sequence[Address]) -> None:
    """Raise `ConfigError` if the address is loopback and a seed is on another host."""
    elsewhere = [seed for seed in seeds if not is_loopback(seed[0])]
    if elsewhere and is_loopback(address[0]):
        raise ConfigError(
            "advertise",
            f"seed {format_address(elsewhere[0])} cannot reach this peer at"
            f" {format_address(address)}, which is loopback: give an address of this host that"
            " others reach with the setting advertise or the setting bind",
        )


async def _resolve_given(text: str, network: Network, bound: Address) -> Address:
    host, port = parse_address(text, "advertise")
    literal = numeric(host)
    if literal is None:
        try:
            found = await network.resolve(host, port)
        except OSError:
            raise ConfigError(
                "advertise",
                f"advertise {text} does not resolve: give an address of this host as a number",
            ) from None
        same = [each for each, _ in found if (":" in each) == (":" in bound[0])]
        literal = (same or [each for each, _ in found])[0]
    return literal, port or bound[1]


async def _find_source(network: Network, bound: Address, seeds: Sequence[Address]) -> str:
    # The route to a seed on another host says more than the route to one on this host.
    ordered = sorted(seeds, key=lambda seed: is_loopback(seed[0]))
    anywhere = _ANYWHERE if bound[0] == "::" else _ANYWHERE[:1]
    for target in (*ordered, *anywhere):
        try:
            return await network.source_for(target)
        except OSError:
            continue  # no route there
    return "::1" if bound[0] == "::" else "127.0.0.1"
