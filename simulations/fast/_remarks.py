"""The remarks of a report of this model: theory, and the limits of the model."""

from gossamer.gossip import GossipConfig
from gossamer.simulations.faithful import theory as theory_of
from gossamer.simulations.report import Convergence, Detection, Spread, Theory, Traffic
from gossamer.simulations.scenario import Crash, Cut, Scenario

# What `python -m gossamer.simulations.fast.compare` found; comparison.md holds its table.
COMPARED = "256 to 2,048 peers"
WITHIN = 0.10
LOSSY_COMPARED = "1,024 peers"
LAST_WITHIN = 0.15


def remark(
    reason: str,
    scenario: Scenario,
    config: GossipConfig,
    made: int,
    drawn: int,
    crashed: int,
    found: int,
) -> str:
    """Return why this model ran, and what it leaves out."""
    compared = (
        f"its percentiles up to the 99th lie within {WITHIN:.0%} of the protocol's own code at "
        f"{COMPARED}; where datagrams are lost, up to {LOSSY_COMPARED} were compared, and the last "
        f"peer lies within {LAST_WITHIN:.0%} (simulations/fast/comparison.md)"
    )
    left_out = (
        "lookups, false accusations, local health, streams' bytes and crashes' traffic are not "
        "modelled"
    )
    parts = [reason, compared, left_out]
    if any(isinstance(event.action, Cut) for event in scenario.events):
        parts.append("the sides of a cut are taken to drop each other at one moment")
    if any(isinstance(event.action, Crash) and not event.action.host for event in scenario.events):
        parts.append("a crash is found by silence alone, not by what its host says of it")
    if drawn < made:
        parts.append(f"{drawn} of {made} changes are worked out, as they are alike")
    if found < crashed:
        parts.append(f"{found} of {crashed} crashes are worked out, each by itself")
    if scenario.peers > config.member_limit:
        parts.append(
            f"a real mesh needs member_limit raised from {config.member_limit} to as many peers"
        )
    return "; ".join(parts)


def theory(
    scenario: Scenario,
    config: GossipConfig,
    convergence: Convergence,
    detection: Detection,
    traffic: Traffic,
) -> list[Theory]:
    """Return what theory gives, by the same formulas as for a faithful run."""
    nobody = Convergence(
        changes=0,
        complete=0,
        p50=None,
        p99=None,
        max=None,
        half=Spread(),
        nearly=Spread(),
        everybody=Spread(),
        curve=convergence.curve,
    )
    return theory_of(scenario, config, convergence, nobody, detection, traffic)
