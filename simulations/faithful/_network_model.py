"""The network of a scenario, as rules of a fabric."""

from collections.abc import Mapping

from gossamer.simulations import (
    Bandwidth,
    ConstantLatency,
    Duplication,
    LogNormalLatency,
    Loss,
    Reordering,
    Rule,
    UniformLatency,
    ZoneLatency,
)
from gossamer.simulations.scenario import Latency, Network, ScenarioError


def latency_rule(spec: Latency) -> Rule:
    """The rule for packets on one way; raises `ScenarioError` for a latency that cannot be."""
    low, high = spec.low_ms / 1000, spec.high_ms / 1000
    try:
        match spec.kind:
            case "constant":
                return ConstantLatency(low)
            case "uniform":
                return UniformLatency(low, high)
            case "lognormal":
                return LogNormalLatency(low, high)
    except ValueError as error:
        raise ScenarioError(f"network.latency: {error}") from error


def network_rules(network: Network, zones: Mapping[str, str]) -> tuple[Rule, list[Rule]]:
    """The latency that ends a fabric's chain, and the other rules, to be added in this order.

    `zones` names each host's zone, by its IP; a host that is not there stands in none.
    Raises `ScenarioError` for a network that cannot be.
    """
    try:
        return _latency(network, zones), _disturbances(network)
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(f"network: {error}") from error


def _latency(network: Network, zones: Mapping[str, str]) -> Rule:
    default = latency_rule(network.latency)
    if not network.paths:
        return default
    paths: dict[tuple[str, str], Rule] = {}
    for path in network.paths:
        if path.zones in paths:
            raise ValueError(f"the path between {' and '.join(path.zones)} is given twice")
        paths[path.zones] = latency_rule(path.latency)
    return ZoneLatency({host: zone for host, zone in zones.items() if zone}, paths, default)


# The last of them is asked first: a packet leaves its host by the link, and then meets what may
# befall it on its way.
def _disturbances(network: Network) -> list[Rule]:
    rules: list[Rule] = []
    if network.reordering:
        rules.append(Reordering(network.reordering, network.reordering_ms / 1000))
    if network.loss:
        rules.append(Loss(network.loss))
    if network.duplication:
        rules.append(Duplication(network.duplication))
    if network.bandwidth_mbit is not None:
        queue = round(network.queue_kib * 1024)
        rules.append(Bandwidth(network.bandwidth_mbit * 1_000_000, queue))
    return rules
