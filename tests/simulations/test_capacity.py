import random

import pytest
import trio
from hypothesis import given, strategies as st
from three_hosts import A, B, C, Talk, World
from trio.testing import MockClock

from gossamer.simulations import (
    Bandwidth,
    ConstantLatency,
    Duplication,
    LogNormalLatency,
    dial,
    open_memory_network,
)
from gossamer.simulations._capacity import (
    LARGEST_PACKET,
    SEGMENT,
    TCP_HEADERS,
    UDP_HEADERS,
)

# With the headers a datagram of this length takes 1,000 bytes: 8 ms at a megabit per second.
PAYLOAD = 1000 - UDP_HEADERS
MEGABIT = 1_000_000.0


@pytest.fixture
def world() -> World:
    return World()


def test_packets_of_a_host_leave_one_after_another(world: World) -> None:
    """Each waits for those before, and the way behind the link takes its time on top."""
    world.fabric.add(Bandwidth(MEGABIT, 100_000))
    for _ in range(3):
        world.send(A, B, bytes(PAYLOAD))
    world.clock.run_for(1.0)

    assert world.times == pytest.approx([0.108, 0.116, 0.124])


def test_each_host_has_a_link_of_its_own(world: World) -> None:
    """What one host sends does not make another wait, nor what it receives itself."""
    world.fabric.add(Bandwidth(MEGABIT, 100_000))
    for _ in range(10):
        world.send(A, B, bytes(PAYLOAD))
    world.send(C, B, bytes(PAYLOAD))
    world.send(B, A, bytes(PAYLOAD))
    world.clock.run_for(0.109)

    assert sorted(source for source, _, _ in world.heard) == [A[0], B[0], C[0]]


def test_what_finds_the_queue_full_is_lost(world: World) -> None:
    """The last that fits is sent, the next is dropped and counted; room comes back with time."""
    bandwidth = Bandwidth(MEGABIT, 10_000)
    world.fabric.add(bandwidth)
    for _ in range(13):
        world.send(A, B, bytes(PAYLOAD))
    assert bandwidth.waiting(A[0], world.clock.now) == pytest.approx(10_000)
    assert bandwidth.waiting(B[0], world.clock.now) == 0.0
    assert bandwidth.statistics() == {"queue_full": 3}
    assert world.fabric.dropped == 3

    world.clock.run_for(0.008)
    for _ in range(2):
        world.send(A, B, bytes(PAYLOAD))
    world.clock.run_for(1.0)
    assert bandwidth.overflowed == 4
    assert len(world.heard) == 11
    assert bandwidth.waiting(A[0], world.clock.now) == 0.0


def test_an_idle_link_does_not_save_up(world: World) -> None:
    """After a pause packets still leave at the pace of the link, not in a burst."""
    world.fabric.add(Bandwidth(MEGABIT, 100_000))
    world.clock.run_for(100.0)
    world.send(A, B, bytes(PAYLOAD))
    world.send(A, B, bytes(PAYLOAD))
    world.clock.run_for(1.0)

    assert world.times == pytest.approx([100.108, 100.116])


def test_only_named_hosts_have_a_link(world: World) -> None:
    """The rule is about what its hosts send: not what they receive, nor what others send."""
    world.fabric.add(Bandwidth(MEGABIT, 100_000, hosts=[A[0]]))
    world.send(A, B, bytes(PAYLOAD))
    world.send(B, A, bytes(PAYLOAD))
    world.send(B, C, bytes(PAYLOAD))
    world.clock.run_for(1.0)

    assert world.times == pytest.approx([0.1, 0.1, 0.108])


def test_a_host_reaches_itself_without_its_link(world: World) -> None:
    """What stays on the host takes no bandwidth."""
    world.fabric.add(Bandwidth(1000.0, 2000))
    world.send(A, A, bytes(PAYLOAD))
    world.clock.run_for(1.0)

    assert world.times == [0.1]


def test_headers_count(world: World) -> None:
    """An empty datagram takes a link as long as its headers do, a stream's piece longer."""
    bandwidth = Bandwidth(MEGABIT, 100_000)
    world.fabric.add(bandwidth)
    world.send(A, B, b"")
    assert bandwidth.waiting(A[0], 0.0) == pytest.approx(UDP_HEADERS)

    dial(world.fabric, C, B, Talk())
    assert bandwidth.waiting(C[0], 0.0) == pytest.approx(TCP_HEADERS)
    end = dial(world.fabric, B, C, Talk())
    end.send(bytes(SEGMENT))
    end.send(bytes(SEGMENT + 1))
    expected = TCP_HEADERS + LARGEST_PACKET + LARGEST_PACKET + TCP_HEADERS + 1
    assert bandwidth.waiting(B[0], 0.0) == pytest.approx(expected)


def test_streams_get_through_a_full_queue_later(world: World) -> None:
    """Pieces that found no room are sent again: all arrive, in order, later."""

    bandwidth = Bandwidth(MEGABIT, 3000)
    world.fabric.add(bandwidth)
    end = dial(world.fabric, A, B, Talk())
    pieces = [bytes([number]) * SEGMENT for number in range(12)]
    for piece in pieces:
        end.send(piece)
    world.clock.run_for(60.0)

    far = end.other.handler
    assert isinstance(far, Talk)
    assert far.said == pieces
    assert bandwidth.overflowed >= 10


def test_a_piece_larger_than_the_queue_goes_through(world: World) -> None:
    """Exchanges have frames larger than any queue: TCP cuts them up, so they take their time."""
    world.fabric.add(Bandwidth(MEGABIT, 10_000))
    end = dial(world.fabric, A, B, Talk())
    world.clock.run_for(0.5)
    far = end.other.handler
    assert isinstance(far, Talk)
    frame = bytes(100_000)
    end.send(frame)
    world.clock.run_for(0.9)
    assert far.said == []
    world.clock.run_for(0.1)
    assert far.said == [frame]


def test_a_datagram_larger_than_the_queue_is_lost(world: World) -> None:
    """Its fragments have no room, and without one of them it is nothing."""
    world.fabric.add(Bandwidth(MEGABIT, 10_000))
    world.send(A, B, bytes(20_000))
    world.clock.run_for(1.0)

    assert (world.heard, world.fabric.dropped) == ([], 1)


def test_a_copy_takes_the_link_again(world: World) -> None:
    """A duplicated datagram is two packets."""
    world.fabric.add(Duplication(1.0))
    world.fabric.add(Bandwidth(MEGABIT, 100_000))
    world.send(A, B, bytes(PAYLOAD))
    world.clock.run_for(1.0)

    assert world.times == pytest.approx([0.108, 0.116])


def test_a_link_begins_idle_on_each_fabric() -> None:
    """What waited on one fabric means nothing to another, whose clock is its own."""
    bandwidth = Bandwidth(MEGABIT, 10_000)
    first, second = World(), World()
    with first.fabric.add(bandwidth):
        for _ in range(10):
            first.send(A, B, bytes(PAYLOAD))
    second.fabric.add(bandwidth)
    second.send(A, B, bytes(PAYLOAD))
    second.clock.run_for(1.0)

    assert second.times == pytest.approx([0.108])


_sends = st.lists(
    st.tuples(
        st.floats(min_value=0.0, max_value=0.05),
        st.integers(min_value=0, max_value=1400),
        st.sampled_from([A, C]),
    ),
    max_size=60,
)


@given(
    sends=_sends,
    rate=st.sampled_from([64_000.0, MEGABIT, 10 * MEGABIT]),
    queue=st.sampled_from([LARGEST_PACKET, 4000, 100_000]),
)
def test_a_link_never_carries_more_than_it_can(
    sends: list[tuple[float, int, tuple[str, int]]], rate: float, queue: int
) -> None:
    """Whatever is sent: in order, in no window more bits than the rate allows, none lost unseen,
    and nobody waits longer than a full queue."""
    world = World(latency=ConstantLatency(0.1))
    bandwidth = Bandwidth(rate, queue)
    world.fabric.add(bandwidth)
    sent_at: list[float] = []
    for number, (gap, size, source) in enumerate(sends):
        world.clock.run_for(gap)
        sent_at.append(world.clock.now)
        world.send(source, B, number.to_bytes(2, "big") + bytes(size))
    world.clock.run_for(60.0)

    assert len(world.heard) + bandwidth.overflowed == len(sends)
    for host in (A[0], C[0]):
        arrived = [
            (int.from_bytes(data[:2], "big"), 8 * (len(data) + UDP_HEADERS), time - 0.1)
            for (source, _, data), time in zip(world.heard, world.times, strict=True)
            if source == host
        ]
        numbers = [number for number, _, _ in arrived]
        assert numbers == sorted(numbers)
        for number, bits, left in arrived:
            waited = left - sent_at[number]
            assert bits / rate - 1e-9 <= waited <= 8 * (queue + 1) / rate + 1e-9
        # All that left after the first of a window and until its last was sent within it.
        for first in range(len(arrived)):
            carried = 0
            for _, bits, left in arrived[first + 1 :]:
                carried += bits
                assert carried <= rate * (left - arrived[first][2]) + 1e-3


def test_a_link_may_come_before_any_latency() -> None:
    """Delays that vary come on top of the queue's: nothing arrives before it could have left."""
    world = World(3, LogNormalLatency(0.01, 0.1))
    world.fabric.add(Bandwidth(MEGABIT, 1_000_000))
    for number in range(200):
        world.send(A, B, number.to_bytes(2, "big") + bytes(PAYLOAD - 2))
    world.clock.run_for(60.0)

    for (_, _, data), time in zip(world.heard, world.times, strict=True):
        assert time > 0.008 * (int.from_bytes(data[:2], "big") + 1)
    assert len(world.heard) == 200


async def test_the_network_in_memory_has_links_as_well(autojump_clock: MockClock) -> None:
    """The same rule holds for whole peers in trio's time; without it, nothing waits."""
    async with open_memory_network(random.Random(1), latency=ConstantLatency(0.1)) as network:
        near = await network.host(A[0]).bind(A[0], 1)
        far = await network.host(B[0]).bind(B[0], 1)
        began = trio.current_time()
        with network.fabric.add(Bandwidth(MEGABIT, 100_000)):
            near.send(bytes(PAYLOAD), B)
            near.send(bytes(PAYLOAD), B)
            assert len(await far.receive()) == 1
            assert trio.current_time() - began == pytest.approx(0.108)
            assert len(await far.receive()) == 1
            assert trio.current_time() - began == pytest.approx(0.116)
        near.send(bytes(PAYLOAD), B)
        await far.receive()
        assert trio.current_time() - began == pytest.approx(0.216)
