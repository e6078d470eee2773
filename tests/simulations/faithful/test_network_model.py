import random

import pytest

from gossamer.simulations import (
    Bandwidth,
    ConstantLatency,
    Datagram,
    Duplication,
    Fabric,
    LogNormalLatency,
    Loss,
    Reordering,
    UniformLatency,
    VirtualClock,
    ZoneLatency,
)
from gossamer.simulations.faithful._network_model import latency_rule, network_rules
from gossamer.simulations.scenario import Latency, Network, ScenarioError, ZonePath

HERE, THERE = ("10.0.0.1", 7940), ("10.0.0.2", 7940)


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(VirtualClock(), random.Random(1))


def test_each_kind_of_latency_is_its_rule(fabric: Fabric) -> None:
    """Milliseconds become seconds, and the kind decides what they mean."""
    packet = Datagram(HERE, THERE, b"")
    constant = latency_rule(Latency(kind="constant", low_ms=20))
    uniform = latency_rule(Latency(kind="uniform", low_ms=20, high_ms=30))
    heavy = latency_rule(Latency(kind="lognormal", low_ms=20, high_ms=100))

    assert isinstance(constant, ConstantLatency)
    assert constant.judge(packet, fabric) == 0.02
    assert isinstance(uniform, UniformLatency)
    drawn = [uniform.judge(packet, fabric) or 0.0 for _ in range(200)]
    assert 0.02 <= min(drawn) < 0.021
    assert 0.029 < max(drawn) <= 0.03
    assert isinstance(heavy, LogNormalLatency)
    drawn = sorted(heavy.judge(packet, fabric) or 0.0 for _ in range(2001))
    assert drawn[1000] == pytest.approx(0.02, rel=0.1)
    assert drawn[1980] == pytest.approx(0.1, rel=0.3)


def test_a_plain_network_is_a_latency_alone() -> None:
    """Nothing is asked for what a network does not do."""
    latency, rules = network_rules(Network(), {})

    assert isinstance(latency, UniformLatency)
    assert rules == []


def test_everything_a_network_does_is_a_rule(fabric: Fabric) -> None:
    """Each disturbance is there, and the link is added last, so that it is asked first."""
    network = Network(
        loss=0.1, duplication=0.2, reordering=0.3, bandwidth_mbit=10.0, queue_kib=64.0
    )
    _, rules = network_rules(network, {})

    assert {type(rule) for rule in rules} == {Loss, Duplication, Reordering, Bandwidth}
    assert isinstance(rules[-1], Bandwidth)
    for rule in rules:
        fabric.add(rule)
    for _ in range(100):
        fabric.send_datagram(HERE, THERE, bytes(972))
    # 10**7 bits per second and 64 KiB: 65 of these packets wait, and copies as well.
    assert rules[-1].overflowed >= 35
    assert rules[-1].waiting(HERE[0], 0.0) == pytest.approx(65_000)


def test_paths_between_zones_apply_both_ways(fabric: Fabric) -> None:
    """Hosts of two zones take the time of their path, others that of the network."""
    far = Latency(kind="constant", low_ms=80)
    network = Network(
        latency=Latency(kind="constant", low_ms=1),
        paths=(ZonePath(zones=("east", "west"), latency=far),),
    )
    latency, rules = network_rules(network, {HERE[0]: "east", THERE[0]: "west", "10.0.0.3": ""})

    assert rules == []
    assert isinstance(latency, ZoneLatency)
    assert latency.judge(Datagram(HERE, THERE, b""), fabric) == 0.08
    assert latency.judge(Datagram(THERE, HERE, b""), fabric) == 0.08
    assert latency.judge(Datagram(HERE, HERE, b""), fabric) == 0.001
    assert latency.judge(Datagram(HERE, ("10.0.0.3", 1), b""), fabric) == 0.001
    assert latency.judge(Datagram(("10.0.0.4", 1), HERE, b""), fabric) == 0.001


_PATH = ZonePath(zones=("a", "b"), latency=Latency())
_BACK = ZonePath(zones=("b", "a"), latency=Latency())


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (Network(latency=Latency(kind="constant", low_ms=-1)), "network.latency: latency"),
        (Network(latency=Latency(low_ms=3, high_ms=2)), "network.latency: high"),
        (
            Network(latency=Latency(kind="lognormal", low_ms=0, high_ms=2)),
            "network.latency: median",
        ),
        (Network(loss=1.1), "network: probability"),
        (Network(reordering=0.1, reordering_ms=-1), "network: seconds"),
        (Network(bandwidth_mbit=0.0), "network: rate"),
        (Network(bandwidth_mbit=1.0, queue_kib=1.0), "network: queue"),
        (Network(paths=(_PATH, _PATH)), "network: the path between a and b"),
        (Network(paths=(_PATH, _BACK)), "network: the path between b and a"),
    ],
)
def test_a_network_that_cannot_be_is_an_error_of_the_scenario(network: Network, names: str) -> None:
    """One sentence says which part of the network it is."""
    with pytest.raises(ScenarioError, match=names):
        network_rules(network, {})
