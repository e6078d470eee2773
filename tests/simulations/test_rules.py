from collections.abc import Callable
from math import inf, nan

import pytest
from hypothesis import given, strategies as st
from three_hosts import A, B, C, Talk, World

from gossamer.simulations import (
    Address,
    Bandwidth,
    Block,
    ConstantLatency,
    Cut,
    Datagram,
    Duplication,
    Hold,
    Lag,
    LogNormalLatency,
    Loss,
    OneWayCut,
    Reordering,
    Rule,
    Silence,
    UniformLatency,
    ZoneLatency,
    dial,
)


@pytest.fixture
def world() -> World:
    return World()


def test_constant_latency_applies_to_its_hosts_alone(world: World) -> None:
    """Packets from and to the named host take its latency, others the default."""
    world.fabric.add(ConstantLatency(0.4, hosts=[B[0]]))
    world.send(A, B)
    world.send(B, C)
    world.send(A, C)
    world.clock.run_for(1.0)

    assert world.heard == [
        (A[0], C[0], b"x"),
        (A[0], B[0], b"x"),
        (B[0], C[0], b"x"),
    ]
    assert world.times == [0.1, 0.4, 0.4]


def test_uniform_latency_stays_within_its_bounds(world: World) -> None:
    """All delays lie between the bounds, and they differ."""
    world.fabric.add(UniformLatency(0.2, 0.3))
    for _ in range(200):
        world.send(A, B)
    world.clock.run_for(1.0)

    assert 0.2 <= min(world.times) < 0.21
    assert 0.29 < max(world.times) <= 0.3


def test_uniform_latency_passes_for_other_hosts(world: World) -> None:
    """A uniform latency for one host leaves the others to the next rule."""
    world.fabric.add(UniformLatency(0.2, 0.3, hosts=[C[0]]))
    world.send(A, B)
    world.clock.run_for(1.0)

    assert world.times == [0.1]


def test_lag_comes_on_top(world: World) -> None:
    """Lags add up with one another and with the latency."""
    world.fabric.add(Lag(1.0, hosts=[A[0]]))
    world.fabric.add(Lag(2.0))
    world.send(A, B)
    world.send(C, B)
    world.clock.run_for(10.0)

    assert world.times == pytest.approx([2.1, 3.1])


@pytest.mark.parametrize(("probability", "arrived"), [(0.0, 1000), (1.0, 0)])
def test_loss_at_its_ends(world: World, probability: float, arrived: int) -> None:
    """At 0 all arrives, at 1 nothing."""
    world.fabric.add(Loss(probability))
    for _ in range(1000):
        world.send(A, B)
    world.clock.run_for(1.0)

    assert len(world.heard) == arrived


def test_loss_takes_its_share(world: World) -> None:
    """At a tenth about a tenth is lost, and every packet is either lost or delivered."""
    world.fabric.add(Loss(0.1))
    for _ in range(2000):
        world.send(A, B)
    world.clock.run_for(1.0)

    assert 150 < world.fabric.dropped < 250
    assert world.fabric.dropped + world.fabric.delivered == 2000


def test_loss_delays_streams_instead(world: World) -> None:
    """All pieces of a stream arrive, in order, on a link that loses half."""
    world.fabric.add(Loss(0.5))
    talk = Talk()
    end = dial(world.fabric, A, B, talk)
    pieces = [bytes([number]) for number in range(50)]
    for piece in pieces:
        end.send(piece)
    end.finish()
    world.clock.run_for(120.0)

    assert talk.said == ["opened"]
    far = end.other.handler
    assert isinstance(far, Talk)
    assert far.said == [*pieces, "ended"]


def test_duplication_delivers_twice_and_never_more(world: World) -> None:
    """At probability 1 each datagram comes exactly twice; a stream's pieces come once."""
    world.fabric.add(Duplication(1.0))
    world.send(A, B)
    end = dial(world.fabric, A, C, Talk())
    end.send(b"once")
    world.clock.run_for(1.0)

    assert world.heard == [(A[0], B[0], b"x")] * 2
    far = end.other.handler
    assert isinstance(far, Talk)
    assert far.said == [b"once"]


def test_duplication_keeps_the_lag_of_the_original(world: World) -> None:
    """Sending the copy does not disturb what other rules said about the original."""
    world.fabric.add(Duplication(1.0))
    world.fabric.add(Lag(1.0))
    world.send(A, B)
    world.clock.run_for(5.0)

    assert world.times == pytest.approx([1.1, 1.1])


def test_reordering_lets_later_datagrams_overtake(world: World) -> None:
    """A share of the datagrams takes longer by the same time; all arrive, in another order."""
    world.fabric.add(Reordering(0.25, 0.5))
    data = [number.to_bytes(2, "big") for number in range(2000)]
    for each in data:
        world.send(A, B, each)
    world.clock.run_for(2.0)

    assert {round(time, 9) for time in world.times} == {0.1, 0.6}
    assert 400 < world.times.count(0.6) < 600
    heard = [each for _, _, each in world.heard]
    assert heard != data
    assert sorted(heard) == data


def test_reordering_leaves_streams_alone(world: World) -> None:
    """The pieces of a stream take no longer on a link that reorders everything."""
    world.fabric.add(Reordering(1.0, 5.0))
    talk = Talk()
    end = dial(world.fabric, A, B, talk)
    end.send(b"piece")
    world.clock.run_for(0.25)

    assert talk.said == ["opened"]
    far = end.other.handler
    assert isinstance(far, Talk)
    assert far.said == [b"piece"]


@pytest.mark.parametrize(("probability", "seconds", "at"), [(0.0, 5.0, 0.1), (1.0, 0.0, 0.1)])
def test_reordering_at_its_ends_is_none(
    world: World, probability: float, seconds: float, at: float
) -> None:
    """Without a share, or without extra time, nothing changes."""
    world.fabric.add(Reordering(probability, seconds))
    for _ in range(50):
        world.send(A, B)
    world.clock.run_for(10.0)

    assert world.times == [at] * 50


def test_a_cut_separates_groups_both_ways(world: World) -> None:
    """Between groups nothing passes; within one, and to hosts in none, everything does."""
    world.fabric.add(Cut([A[0]], [B[0]]))

    assert not world.passes(A, B)
    assert not world.passes(B, A)
    assert world.passes(A, C)
    assert world.passes(C, B)


def test_a_cut_may_have_three_sides(world: World) -> None:
    """Each of three groups is alone."""
    world.fabric.add(Cut([A[0]], [B[0]], [C[0]]))

    assert not any(world.passes(x, y) for x, y in [(A, B), (B, C), (C, A)])
    assert world.passes(A, A)


def test_a_one_way_cut_leaves_the_way_back(world: World) -> None:
    """Only the named direction is lost, also for what is in flight."""
    world.send(A, B)
    world.fabric.add(OneWayCut([A[0]], [B[0], C[0]]))

    assert world.passes(B, A)
    assert not world.passes(A, C)
    assert world.heard == [(B[0], A[0], b"x")]


def test_silence_is_about_all_that_a_host_does(world: World) -> None:
    """A silent host neither sends nor receives."""
    world.fabric.add(Silence([A[0]]))

    assert not world.passes(A, B)
    assert not world.passes(C, A)
    assert world.passes(B, C)


def test_block_stops_one_kind(world: World) -> None:
    """With datagrams blocked streams open, and the reverse."""
    with world.fabric.add(Block("udp")):
        assert not world.passes(A, B)
        talk = Talk()
        dial(world.fabric, A, B, talk)
        world.clock.run_for(1.0)
        assert talk.said == ["opened"]
    with world.fabric.add(Block("stream", hosts=[C[0]])):
        assert world.passes(A, B)
        talk = Talk()
        dial(world.fabric, A, C, talk)
        world.clock.run_for(60.0)
        assert talk.said == []


def test_hold_keeps_packets_until_release(world: World) -> None:
    """Held packets, also one that was in flight, arrive after the release and in order."""
    world.send(A, B, b"in flight")
    hold = Hold([B[0]])
    world.fabric.add(hold)
    world.clock.run_for(0.01)
    world.send(A, B, b"held")
    world.send(A, C, b"free")
    world.clock.run_for(10.0)

    assert hold.waiting == 2
    assert [data for _, _, data in world.heard] == [b"free"]

    hold.release()
    world.clock.run_for(1.0)
    assert [data for _, _, data in world.heard] == [b"free", b"held", b"in flight"]
    assert world.passes(A, B)
    hold.hold()
    assert not world.passes(A, B)


def test_hold_lets_go_when_it_is_taken_away(world: World) -> None:
    """Removing the rule is a release."""
    with world.fabric.add(Hold()):
        world.send(A, B)
        world.clock.run_for(1.0)
        assert world.heard == []
    world.clock.run_for(1.0)

    assert world.heard == [(A[0], B[0], b"x")]


def test_hold_has_a_limit(world: World) -> None:
    """What comes when the queue is full is lost and counted."""
    hold = Hold(limit=2)
    world.fabric.add(hold)
    for number in range(3):
        world.send(A, B, bytes([number]))

    assert (hold.waiting, world.fabric.held, world.fabric.dropped) == (2, 2, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConstantLatency(-0.1),
        lambda: ConstantLatency(inf),
        lambda: ConstantLatency(nan),
        lambda: UniformLatency(0.2, 0.1),
        lambda: UniformLatency(-0.2, 0.1),
        lambda: LogNormalLatency(0.0, 0.1),
        lambda: LogNormalLatency(0.2, 0.1),
        lambda: LogNormalLatency(0.1, inf),
        lambda: LogNormalLatency(nan, 0.1),
        lambda: LogNormalLatency(1e-300, 60.0),
        lambda: ZoneLatency({"a": ""}, {}, ConstantLatency(0.1)),
        lambda: ZoneLatency({"": "z"}, {}, ConstantLatency(0.1)),
        lambda: ZoneLatency({}, dict.fromkeys([("x", "y"), ("y", "x")], Lag(1)), Lag(1)),
        lambda: Bandwidth(0.0, 10_000),
        lambda: Bandwidth(0.99, 10_000),
        lambda: Bandwidth(-1.0, 10_000),
        lambda: Bandwidth(inf, 10_000),
        lambda: Bandwidth(nan, 10_000),
        lambda: Bandwidth(1e6, 1499),
        lambda: Bandwidth(1e6, 10_000, hosts=[]),
        lambda: Reordering(1.5, 0.1),
        lambda: Reordering(0.5, -0.1),
        lambda: Reordering(0.5, inf),
        lambda: Lag(-1.0),
        lambda: Loss(-0.01),
        lambda: Loss(1.01),
        lambda: Loss(nan),
        lambda: Loss(0.1, hosts=[]),
        lambda: Loss(0.1, hosts="10.0.0.1"),
        lambda: Duplication(2.0),
        Cut,
        lambda: Cut(["a"]),
        lambda: Cut(["a"], []),
        lambda: Cut(["a", "b"], ["b"]),
        lambda: OneWayCut([], ["a"]),
        lambda: OneWayCut(["a"], []),
        lambda: Block("tcp"),
        lambda: Hold(limit=-1),
        lambda: Silence([]),
    ],
)
def test_impossible_rules_are_refused(make: Callable[[], Rule]) -> None:
    """A rule that cannot mean anything is refused when it is made."""
    with pytest.raises(ValueError, match=r"."):
        make()


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Loss(1.5), "probability"),
        (lambda: Reordering(0.1, nan), "seconds"),
        (lambda: LogNormalLatency(0.0, 0.1), "median.*ConstantLatency"),
        (lambda: LogNormalLatency(0.1, 0.01), "p99"),
        (lambda: Bandwidth(0.0, 2000), "rate"),
        (lambda: Bandwidth(1e6, 100), "queue.*1500"),
        (lambda: Lag(-1.0), "seconds"),
    ],
)
def test_a_refusal_names_the_parameter(make: Callable[[], Rule], names: str) -> None:
    """The error names the wrong parameter and the values that it may have."""
    with pytest.raises(ValueError, match=names):
        make()


_LISTED = "10.1.0.1"
_SCOPED: list[Callable[[list[str]], Rule]] = [
    lambda hosts: ConstantLatency(0.1, hosts),
    lambda hosts: UniformLatency(0.1, 0.2, hosts),
    lambda hosts: LogNormalLatency(0.1, 0.2, hosts),
    lambda hosts: Lag(1.0, hosts),
    lambda hosts: Loss(1.0, hosts),
    lambda hosts: Duplication(1.0, hosts),
    lambda hosts: Reordering(1.0, 1.0, hosts),
    lambda hosts: Bandwidth(1000.0, 1500, hosts),
    lambda hosts: Cut(hosts, ["10.1.0.2"]),
    lambda hosts: OneWayCut(hosts, ["10.1.0.2"]),
    Silence,
    lambda hosts: Block("udp", hosts),
    Hold,
]
_stranger = st.builds(
    lambda number: ("10.9.0." + str(number), 1), st.integers(min_value=1, max_value=250)
)


@given(make=st.sampled_from(_SCOPED), source=_stranger, target=_stranger)
def test_rules_leave_alone_whom_they_do_not_name(
    make: Callable[[list[str]], Rule], source: Address, target: Address
) -> None:
    """A packet between other hosts passes each rule as if it were not there."""
    world = World()
    dice = world.fabric.rng.getstate()
    rule = make([_LISTED])
    world.fabric.add(rule)
    packet = Datagram(source, target, bytes(2000))

    assert rule.judge(packet, world.fabric) is None
    assert packet.lag == 0.0
    assert world.fabric.rng.getstate() == dice
    assert world.fabric.sent == 0


def test_the_first_verdict_wins(world: World) -> None:
    """The rule that was added last decides; what stands behind it is not asked."""
    world.fabric.add(Loss(1.0))
    with world.fabric.add(ConstantLatency(0.7)):
        world.send(A, B)
    world.send(A, B)
    world.clock.run_for(1.0)

    assert world.times == [0.7]
    assert world.fabric.dropped == 1


@pytest.mark.parametrize("make", _SCOPED)
def test_a_guard_takes_its_rule_away(make: Callable[[list[str]], Rule]) -> None:
    """Whatever the rule did, afterwards a packet takes what the rest of the chain says."""
    world = World()
    guard = world.fabric.add(make([A[0]]))
    guard.remove()
    start = world.clock.now
    world.send(A, B)
    world.clock.run_for(10.0)

    assert world.times == [pytest.approx(start + 0.1)]
    assert not guard.active


def test_a_cut_takes_what_waits_in_a_link(world: World) -> None:
    """Rules that only add time leave a packet in flight, where a cut finds it."""
    world.fabric.add(Bandwidth(8 * 1028, 1500))
    world.fabric.add(Reordering(1.0, 1.0))
    world.send(A, B, bytes(1000))
    world.clock.run_for(2.0)
    with world.fabric.add(Cut([A[0]], [B[0]])):
        world.clock.run_for(1.0)

    assert world.heard == []
    assert world.fabric.dropped == 1
