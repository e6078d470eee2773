from gossamer.simulations import ConstantLatency, Duplication, Loss, Rule, UniformLatency
from gossamer.simulations.scenario import Latency, Network, ScenarioError


def latency_rule(latency: Latency) -> Rule:
    """Return the rule that ends the chain."""
    match latency.kind:
        case "constant":
            return ConstantLatency(latency.low_ms / 1000)
        case "uniform":
            return UniformLatency(latency.low_ms / 1000, latency.high_ms / 1000)
        case "lognormal":
            raise ScenarioError("latency.kind: choose constant or uniform for now")


def rules(network: Network) -> list[Rule]:
    """Return what the network does beside taking its time."""
    if network.paths or network.reordering or network.bandwidth_mbit is not None:
        raise ScenarioError("network: paths, reordering and bandwidth are not simulated yet")
    found: list[Rule] = []
    if network.loss:
        found.append(Loss(network.loss))
    if network.duplication:
        found.append(Duplication(network.duplication))
    return found
