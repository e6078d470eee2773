from gossamer.simulations import ConstantLatency, Duplication, Loss, Rule, UniformLatency
from gossamer.simulations.scenario import Latency, Network


def latency_rule(latency: Latency) -> Rule:
    """Return the rule that ends the chain."""
    if latency.kind == "constant":
        return ConstantLatency(latency.low_ms / 1000)
    return UniformLatency(latency.low_ms / 1000, latency.high_ms / 1000)


def rules(network: Network) -> list[Rule]:
    """Return what the network does beside taking its time."""
    found: list[Rule] = []
    if network.loss:
        found.append(Loss(network.loss))
    if network.duplication:
        found.append(Duplication(network.duplication))
    return found
