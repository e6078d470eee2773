from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from three_hosts import A, B, C, World

from gossamer.simulations import ConstantLatency, LogNormalLatency, UniformLatency, ZoneLatency

HOSTS = {A[0]: A, B[0]: B, C[0]: C}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("median", "p99"), [(0.08, 0.2), (0.001, 0.1), (2.0, 2.1)])
def test_log_normal_has_the_quantiles_it_was_given(seed: int, median: float, p99: float) -> None:
    """Of many delays half lie below the median and 99 in 100 below the 99th percentile."""
    world = World(seed, LogNormalLatency(median, p99))
    count = 20_000
    for _ in range(count):
        world.send(A, B)
    world.clock.run_for(1e6)

    # Within four standard deviations of the binomial distribution.
    assert abs(sum(time <= median for time in world.times) / count - 0.5) < 0.0142
    assert abs(sum(time <= p99 for time in world.times) / count - 0.99) < 0.0029
    assert min(world.times) > 0.0


def test_log_normal_without_a_tail_is_constant() -> None:
    """Where the 99th percentile is the median, every packet takes it."""
    world = World(latency=LogNormalLatency(0.25, 0.25))
    for _ in range(100):
        world.send(A, B)
    world.clock.run_for(1.0)

    assert world.times == [pytest.approx(0.25)] * 100


def test_log_normal_applies_to_its_hosts_alone() -> None:
    """Packets of other hosts are left to the next rule."""
    world = World()
    world.fabric.add(LogNormalLatency(5.0, 6.0, hosts=[C[0]]))
    world.send(A, B)
    world.send(A, C)
    world.clock.run_for(20.0)

    assert world.heard == [(A[0], B[0], b"x"), (A[0], C[0], b"x")]
    assert world.times[0] == 0.1
    assert world.times[1] > 1.0


def test_the_same_seed_gives_the_same_delays() -> None:
    """Delays depend on the seed and on nothing else."""

    def delays(seed: int) -> list[float]:
        world = World(seed, LogNormalLatency(0.1, 0.5))
        for _ in range(100):
            world.send(A, B)
        world.clock.run_for(60.0)
        return world.times

    assert delays(5) == delays(5)
    assert delays(5) != delays(6)


def test_each_pair_of_zones_has_its_own_latency() -> None:
    """Between two zones their path decides, both ways; within one and without a path the rest."""
    rule = ZoneLatency(
        {A[0]: "here", B[0]: "there", C[0]: "afar"},
        {("here", "there"): ConstantLatency(0.5), ("afar", "here"): ConstantLatency(0.9)},
        ConstantLatency(0.01),
    )
    world = World(latency=rule)
    for source, target in [(A, B), (B, A), (A, C), (C, A), (B, C), (C, B), (A, A)]:
        world.send(source, target)
    world.clock.run_for(1.0)

    found = {
        (source, target): time
        for (source, target, _), time in zip(world.heard, world.times, strict=True)
    }
    assert found == {
        (A[0], B[0]): 0.5,
        (B[0], A[0]): 0.5,
        (A[0], C[0]): 0.9,
        (C[0], A[0]): 0.9,
        (B[0], C[0]): 0.01,
        (C[0], B[0]): 0.01,
        (A[0], A[0]): 0.01,
    }


def test_a_zone_may_have_a_latency_within_itself() -> None:
    """A path from a zone to itself decides about packets within it, and about no others."""
    rule = ZoneLatency(
        {A[0]: "wide", B[0]: "wide", C[0]: "small"},
        {("wide", "wide"): ConstantLatency(0.3)},
        ConstantLatency(0.01),
    )
    world = World(latency=rule)
    world.send(A, B)
    world.send(A, C)
    world.clock.run_for(1.0)

    assert world.heard == [(A[0], C[0], b"x"), (A[0], B[0], b"x")]
    assert world.times == [0.01, 0.3]


def test_a_host_can_be_placed_later() -> None:
    """A host without a zone takes the default, and its zone's path from when it is placed."""
    rule = ZoneLatency(
        {A[0]: "here"}, {("here", "there"): ConstantLatency(0.5)}, ConstantLatency(0.01)
    )
    world = World(latency=rule)
    world.send(A, B)
    world.send(B, A)
    world.clock.run_for(1.0)
    rule.place(B[0], "there")
    world.send(A, B)
    world.send(B, A)
    world.clock.run_for(1.0)

    assert world.times == [0.01, 0.01, 1.5, 1.5]


def test_zones_in_front_of_a_chain_may_pass() -> None:
    """A rule for some hosts as a path leaves the others to the chain."""
    world = World()
    nobody = UniformLatency(5.0, 6.0, hosts=["10.7.7.7"])
    world.fabric.add(ZoneLatency({A[0]: "x", B[0]: "y"}, {("x", "y"): nobody}, nobody))
    world.send(A, B)
    world.clock.run_for(1.0)

    assert world.times == [0.1]


@given(
    zones=st.lists(st.sampled_from(["r", "s", "t", "u"]), min_size=3, max_size=3),
    paths=st.dictionaries(
        st.frozensets(st.sampled_from(["r", "s", "t"]), min_size=1, max_size=2),
        st.floats(min_value=0.001, max_value=9.0),
    ),
)
def test_zones_are_symmetric(zones: list[str], paths: dict[frozenset[str], float]) -> None:
    """Whatever the matrix, each way takes as long as the way back, and what its path says."""
    rules = {(min(pair), max(pair)): ConstantLatency(seconds) for pair, seconds in paths.items()}
    place = dict(zip(HOSTS, zones, strict=True))
    world = World(latency=ZoneLatency(place, rules, ConstantLatency(0.0)))
    for one, other in pairwise([A, B, C, A]):
        world.send(one, other)
        world.send(other, one)
    world.clock.run_for(10.0)

    assert len(world.heard) == 6
    for (source, target, _), time in zip(world.heard, world.times, strict=True):
        assert time == paths.get(frozenset({place[source], place[target]}), 0.0)
