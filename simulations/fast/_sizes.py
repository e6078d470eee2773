"""Measures the sizes of a mesh's datagrams, by counting the bytes of the protocol's own code.

Two peers are enough, if their names are as long as most names of the mesh.
"""

from dataclasses import dataclass, replace
from random import Random

from gossamer.gossip import Gossip, GossipConfig
from gossamer.gossip.messages import decode_body
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.peers import Registration, Registry
from gossamer.simulations import Address, host_address

# 2026-01-01, in milliseconds.
_EPOCH = 1_767_225_600_000
_BEGIN = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of payload, the envelope included."""

    ping: int
    ack: int
    rumor: int
    """What a change of the registry adds to a datagram."""
    bare: int
    """A datagram that says nothing but who speaks."""


def measure_sizes(config: GossipConfig, zone: str, peers: int) -> Sizes:
    """Return the sizes in a mesh of `peers` peers."""
    first, second = (_core(config, zone, max(peers, 2) - number) for number in (1, 2))
    for core, other in ((first, second), (second, first)):
        core.acquaint([other.own_update], _BEGIN)
        core.join([other.address], _BEGIN)
    ping = _next(first)
    second.receive(ping, first.address, _BEGIN + config.probe_interval)
    ack = second.outbox[0][1]
    registry = Registry(
        second,
        wall=lambda: _EPOCH / 1000,
        zone=zone,
        default_address=second.address[0],
    )
    second.outbox.clear()
    registry.register(
        Registration(service="service-10", id="service-10-1000", port=20_000), _BEGIN + 2
    )
    telling = _next(second)
    _, body = ChecksumSeal(config.cluster).open(telling)
    rumor = sum(len(update) + 2 for update in decode_body(body).updates)
    return Sizes(ping=len(ping), ack=len(ack), rumor=rumor, bare=len(telling) - rumor)


def _core(config: GossipConfig, zone: str, number: int) -> Gossip:
    address: Address = host_address(number)
    return Gossip(
        replace(config, name=f"p{number}", zone=zone),
        epoch=_EPOCH + number,
        nonce=number,
        advertise=address,
        rng=Random(number),
        now=_BEGIN,
    )


def _next(core: Gossip) -> bytes:
    """Return the next datagram that a core sends."""
    while not core.outbox:
        core.tick(core.deadline)
    return core.outbox.pop(0)[1]
