import random
import socket
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from gossamer.simulations import (
    ConstantLatency,
    Loss,
    MemoryEndpoint,
    MemoryNetwork,
    MemoryStream,
    open_memory_network,
)
from gossamer.simulations._memory import BACKLOG, BATCH_LIMIT, DATAGRAM_OVERHEAD, RECEIVE_BUFFER

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


@pytest.fixture
async def network() -> AsyncIterator[MemoryNetwork]:
    async with open_memory_network(random.Random(5), latency=ConstantLatency(0.01)) as network:
        yield network


async def _ends(network: MemoryNetwork) -> tuple[MemoryEndpoint, MemoryEndpoint]:
    return await network.host(A).bind(A, 7940), await network.host(B).bind("0.0.0.0", 7940)


async def _streams(network: MemoryNetwork) -> tuple[MemoryStream, MemoryStream]:
    first, second = await _ends(network)
    near = await first.connect((B, 7940))
    far, sender = await second.accept()
    assert sender[0] == A
    return near, far


async def test_hosts_have_addresses_of_their_own(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """One port number on two hosts does not collide, and the sender is named by host."""
    first, second = await _ends(network)
    began = trio.current_time()
    first.send(b"hello", (B, 7940))

    assert await second.receive() == [(b"hello", (A, 7940))]
    assert trio.current_time() - began == pytest.approx(0.01)
    assert second.address == ("0.0.0.0", 7940)


async def test_an_hour_passes_at_once(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    """Under a mock clock nothing waits in real time, also while nothing is on its way."""
    first, second = await _ends(network)
    await trio.sleep(3600)
    first.send(b"later", (B, 7940))
    assert await second.receive() == [(b"later", (A, 7940))]


async def test_a_cut_loses_datagrams_until_it_heals(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """What is sent or in flight during a cut is gone; hosts outside it hear one another."""
    first, second = await _ends(network)
    third = await network.host(C).bind(C, 7940)
    first.send(b"in flight", (B, 7940))
    network.cut([A], [B])
    first.send(b"during", (B, 7940))
    first.send(b"aside", (C, 7940))
    assert await third.receive() == [(b"aside", (A, 7940))]
    await trio.sleep(1)
    network.heal()
    first.send(b"after", (B, 7940))

    assert await second.receive() == [(b"after", (A, 7940))]
    assert network.statistics()["dropped"] == 2


async def test_connecting_across_a_cut_hangs_until_the_caller_gives_up(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """Nobody answers; afterwards no half-open stream remains for the other side."""
    first, second = await _ends(network)
    with network.cut([A], [B]), trio.move_on_after(3) as scope:
        await first.connect((B, 7940))
    assert scope.cancelled_caught
    with trio.move_on_after(60) as scope:
        await second.accept()
    assert scope.cancelled_caught


async def test_a_stream_hangs_in_a_cut_and_goes_on_after_it(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """Data sent during a cut comes when it has healed; order and content are kept."""
    near, far = await _streams(network)
    with network.cut([A], [B]):
        await near.send_all(b"one")
        with trio.move_on_after(5) as scope:
            await far.receive_some()
        assert scope.cancelled_caught
    await near.send_all(b"two")
    data = b""
    while len(data) < 6:
        data += await far.receive_some()
    assert data == b"onetwo"


async def test_half_close(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    """After `send_eof` the other direction still works, and sending is refused."""
    near, far = await _streams(network)
    await near.send_all(b"that is all")
    await near.send_eof()
    assert await far.receive_some() == b"that is all"
    assert await far.receive_some() == b""
    await far.send_all(b"thank you")
    assert await near.receive_some() == b"thank you"
    with pytest.raises(trio.ClosedResourceError, match="send_eof"):
        await near.send_all(b"one more")


async def test_closing_with_unread_data_resets(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """As with TCP, the sender learns that its data was never read."""
    near, far = await _streams(network)
    await near.send_all(b"unread")
    await trio.sleep(1)
    await far.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await near.receive_some()


async def test_streams_survive_loss(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    """Half of all packets lost make a stream slow, not wrong."""
    network.fabric.add(Loss(0.5))
    near, far = await _streams(network)
    data = random.Random(1).randbytes(500_000)

    async def send() -> None:
        await near.send_all(data)
        await near.aclose()

    received = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while chunk := await far.receive_some(10_000):
            assert len(chunk) <= 10_000
            received += chunk
    assert received == data


async def test_trio_agrees_that_this_is_a_stream(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """trio's own checks for half-closeable streams pass."""
    port = iter(range(1, 1000))

    async def make() -> tuple[MemoryStream, MemoryStream]:
        number = next(port)
        first = await network.host(A).bind(A, number)
        second = await network.host(B).bind(B, number)
        near = await first.connect(second.address)
        far, _ = await second.accept()
        await first.aclose()
        await second.aclose()
        return near, far

    async def make_clogged() -> tuple[MemoryStream, MemoryStream]:
        near, far = await make()
        for stream in (near, far):
            with trio.move_on_after(1):
                while True:
                    await stream.send_all(bytes(1000))
        return near, far

    await trio.testing.check_half_closeable_stream(make, make_clogged)


async def test_the_receive_buffer_is_bounded(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """Datagrams that nobody reads are dropped and counted at the size of a kernel's buffer."""
    first, second = await _ends(network)
    fits = RECEIVE_BUFFER // (DATAGRAM_OVERHEAD + 256)
    for _ in range(fits + 10):
        first.send(bytes(256), (B, 7940))
    await trio.sleep(1)

    received = 0
    while received < fits:
        batch = await second.receive()
        assert len(batch) <= BATCH_LIMIT
        received += len(batch)
    assert received == fits
    assert second.statistics()["receives_buffer_full"] == 10
    first.send(b"room again", (B, 7940))
    assert await second.receive() == [(b"room again", (A, 7940))]


async def test_the_backlog_is_bounded(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    """One stream more than the backlog holds waits until somebody accepts."""
    first, second = await _ends(network)
    connected = 0

    async def connect() -> None:
        nonlocal connected
        await first.connect((B, 7940))
        connected += 1

    async with trio.open_nursery() as nursery:
        for _ in range(BACKLOG + 1):
            nursery.start_soon(connect)
        await trio.sleep(0.5)
        assert connected == BACKLOG
        await second.accept()
        await trio.sleep(5)
        assert connected == BACKLOG + 1


async def test_closing_an_endpoint_resets_who_was_not_accepted(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """A stream in the backlog breaks when its endpoint closes."""
    first, second = await _ends(network)
    near = await first.connect((B, 7940))
    await second.aclose()
    await second.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await near.receive_some()
    with pytest.raises(trio.ClosedResourceError):
        await second.receive()
    with pytest.raises(trio.ClosedResourceError):
        await second.connect((A, 7940))
    second.send(b"into the void", (A, 7940))
    assert second.statistics()["sends_failed"] == 1


async def test_names(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    """A name resolves to what was given for it, and to nothing before and after."""
    host = network.host(A)
    with pytest.raises(socket.gaierror):
        await host.resolve("seeds.example", 7940)
    network.name("seeds.example", B, C)
    assert await host.resolve("seeds.example", 7940) == [(B, 7940), (C, 7940)]
    network.name("seeds.example")
    with pytest.raises(socket.gaierror):
        await host.resolve("seeds.example", 7940)


async def test_impossible_hosts_and_ports(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    """A host is named by an IP, binds its own addresses only, and has 65,535 ports."""
    with pytest.raises(ValueError, match="IP"):
        network.host("peer-a")
    with pytest.raises(OSError, match="not an address"):
        await network.host(A).bind(B, 1)
    with pytest.raises(OverflowError):
        await network.host(A).bind(A, 70_000)
    assert network.host(A) is network.host(A)
