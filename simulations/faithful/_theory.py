"""The predictions of theory for a mesh like this, beside the measurements.

The figures come from the sources that the project's experiments repeat.  Each is a reference and
not a target: the remark says how the model differs from this mesh.
"""

from math import e, log, log2, log10

from gossamer.gossip import GossipConfig
from gossamer.simulations.report import Convergence, Detection, Theory, Traffic
from gossamer.simulations.scenario import Latency, Scenario


def theory(
    scenario: Scenario,
    config: GossipConfig,
    convergence: Convergence,
    joins: Convergence,
    detection: Detection,
    traffic: Traffic,
) -> list[Theory]:
    """Return the quantities that theory has something to say of."""
    n = scenario.peers
    if n < 2:
        return []
    hop = mean_latency(scenario.network.latency) + config.gather
    depth = tree_depth(n, config.tree_arity)
    apart = "; what paths between zones take is left out" if scenario.network.paths else ""
    found = [
        _spread(n, config, convergence),
        Theory(
            quantity="change known to half of the peers",
            expected=max(1, depth - 1) * hop,
            measured=convergence.half.p50,
            unit="s",
            source=f"depth of a {config.tree_arity}-ary tree over the members",
            remark="each hop is one mean latency and one gathering; half the peers are leaves"
            + apart,
        ),
        Theory(
            quantity="change known to all peers",
            expected=depth * hop,
            measured=convergence.p50,
            unit="s",
            source=f"depth of a {config.tree_arity}-ary tree over the members",
            remark="without loss; a first change waits for no gathering, and what the tree "
            "misses comes with the rounds",
        ),
    ]
    if joins.changes:
        found.append(
            Theory(
                quantity="newcomer or returned peer known to all",
                expected=depth * hop,
                measured=joins.p50,
                unit="s",
                source=f"depth of a {config.tree_arity}-ary tree over the members",
                remark="after the exchange with a seed, which the model leaves out",
            )
        )
    found += _detection(n, config, detection)
    found.append(
        Theory(
            quantity="datagrams per peer and second",
            expected=2 / config.probe_interval,
            measured=traffic.datagrams_per_peer_per_second,
            unit="1/s",
            source="SWIM: one ping and one ack sent per member and period (Das et al. 2002, "
            "section 5)",
            remark="the load of an idle mesh; updates, indirect probes and returns come on top",
        )
    )
    return found


def mean_latency(latency: Latency) -> float:
    """Return the mean time of one way, in seconds; of a log-normal one the median."""
    match latency.kind:
        case "constant" | "lognormal":
            return latency.low_ms / 1000
        case "uniform":
            return (latency.low_ms + latency.high_ms) / 2000


def tree_depth(n: int, arity: int) -> int:
    """Return the levels below the root of the fullest tree over `n` peers."""
    depth, room, level = 0, 1, 1
    while room < n:
        depth += 1
        level *= arity
        room += level
    return depth


def first_failed_probe(n: int) -> float:
    """Return the periods until some peer of `n` probes a crashed one (SWIM, section 3)."""
    return 1 / (1 - (1 - 1 / n) ** max(1, n - 1)) if n > 1 else e / (e - 1)


def shortest_suspicion(n: int, config: GossipConfig) -> float:
    """Return the shortest time from a suspicion to the verdict, in seconds."""
    return config.suspicion_multiplier * max(1.0, log10(n)) * config.probe_interval


def _spread(n: int, config: GossipConfig, convergence: Convergence) -> Theory:
    rounds = log2(n) + log(n)
    return Theory(
        quantity="change known to all peers, if it spread by rounds alone",
        expected=rounds * config.gossip_interval,
        measured=convergence.p50,
        unit="s",
        source="push epidemic, log2 n + ln n rounds (Pittel 1987)",
        remark=f"an upper reference: one push per round of {config.gossip_interval:g} s, where "
        "this mesh passes on updates at once",
    )


def _detection(n: int, config: GossipConfig, detection: Detection) -> list[Theory]:
    periods = first_failed_probe(n)
    probe = periods * config.probe_interval
    least = shortest_suspicion(n, config)
    longest = least * config.suspicion_max_multiplier
    if not detection.crashes:
        return []
    source = (
        "SWIM: e/(e-1) periods to the first failed probe, in the limit (Das et al. 2002, section "
        "3); Lifeguard's shortest suspicion (Dadgar et al. 2017, section IV)"
    )
    remark = (
        f"the suspicion takes from {least:.3g} s where others confirm to {longest:.3g} s where "
        "none does; a probe fails one period after it began"
    )
    return [
        Theory(
            quantity="crash first declared",
            expected=probe + least,
            measured=detection.first.p50,
            unit="s",
            source=source,
            remark=remark,
        ),
        Theory(
            quantity="crash known to all",
            expected=probe + least,
            measured=detection.everybody.p50,
            unit="s",
            source=source,
            remark="the verdict itself travels in milliseconds beside that",
        ),
    ]
