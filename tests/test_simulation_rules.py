import random
from collections.abc import Callable
from math import inf, nan

import pytest

from gossamer.simulations import (
    Address,
    Block,
    ConstantLatency,
    Cut,
    Duplication,
    Fabric,
    Hold,
    Lag,
    Loss,
    OneWayCut,
    Rule,
    Silence,
    StreamEnd,
    UniformLatency,
    VirtualClock,
    dial,
)

A: Address = ("10.0.0.1", 1)
B: Address = ("10.0.0.2", 1)
C: Address = ("10.0.0.3", 1)


class World:
    """Three hosts, a tenth of a second apart, that note what arrives."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.fabric = Fabric(self.clock, random.Random(seed), latency=ConstantLatency(0.1))
        self.heard: list[tuple[str, str, bytes]] = []
        self.times: list[float] = []
        for address in (A, B, C):
            self.fabric.attach(address, _Host(self, address[0]))

    def send(self, source: Address, destination: Address, data: bytes = b"x") -> None:
        self.fabric.send_datagram(source, destination, data)

    def passes(self, source: Address, destination: Address) -> bool:
        """Whether one datagram gets through."""
        before = len(self.heard)
        self.send(source, destination)
        self.clock.run_for(10.0)
        return len(self.heard) > before


class _Host:
    def __init__(self, world: World, ip: str) -> None:
        self._world = world
        self._ip = ip

    def receive(self, data: bytes, sender: Address) -> None:
        self._world.heard.append((sender[0], self._ip, data))
        self._world.times.append(self._world.clock.now)

    def accept(self, end: StreamEnd) -> bool:
        end.handler = Talk()
        return True


class Talk:
    """Notes what a stream says."""

    def __init__(self) -> None:
        self.said: list[str | bytes] = []

    def opened(self) -> None:
        self.said.append("opened")

    def received(self, data: bytes) -> None:
        self.said.append(data)

    def ended(self) -> None:
        self.said.append("ended")

    def broken(self, reason: str) -> None:
        self.said.append(reason)


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
