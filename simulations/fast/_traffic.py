"""The traffic of one peer per second: probes, and updates sent at once and in rounds."""

from math import exp

from gossamer.gossip import GossipConfig
from gossamer.simulations.report import Traffic

from ._sizes import Sizes
from ._wave import Rule


def traffic(
    rule: Rule,
    config: GossipConfig,
    loss: float,
    sizes: Sizes,
    peers: int,
    at_once: float,
    in_rounds: float,
) -> Traffic:
    """Return a peer's traffic where each change is sent so often at once, and so often in rounds.

    Updates that are in a queue together share the datagrams of a round.
    """
    if peers < 2:
        return _traffic(0.0, 0.0)
    arrives = 1 - loss
    pings = 1 / config.probe_interval
    # A probe that fails is tried through others: asked, pinged, answered, told.
    relayed = (1 - arrives**2) * min(config.indirect_probes, peers - 2)
    legs = relayed * (1 + arrives + arrives**2 + arrives**3)
    most = rule.nodes / rule.round_interval
    rounds = most * (1 - exp(-rule.rate * in_rounds / most))
    at_once_sent = rule.rate * at_once
    if rule.in_bursts:
        at_once_sent = (rule.arity + 1) / rule.gather
    datagrams = pings * (1 + arrives + legs) + at_once_sent + rounds
    octets = (
        pings * (sizes.ping * (1 + legs) + sizes.ack * arrives)
        + sizes.bare * (at_once_sent + rounds)
        + sizes.rumor * rule.rate * (at_once + in_rounds)
    )
    return _traffic(datagrams, octets)


def _traffic(datagrams: float, octets: float) -> Traffic:
    return Traffic(
        datagrams_per_peer_per_second=datagrams,
        bytes_per_peer_per_second=octets,
        stream_bytes_per_peer_per_second=0.0,
        cpu_ms_per_peer_per_second=None,
    )
