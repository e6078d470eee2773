"""What a runtime expects of a network; real sockets and the network in memory keep it alike."""

import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
import trio.testing

from gossamer.gossip import Address
from gossamer.peers.network import Endpoint, Network, SocketNetwork
from gossamer.peers.network._network import BATCH_LIMIT
from gossamer.simulations import MemoryNetwork

HOST = "127.0.0.1"


@pytest.fixture(params=["sockets", "memory"])
async def network(request: pytest.FixtureRequest, nursery: trio.Nursery) -> AsyncIterator[Network]:
    if request.param == "sockets":
        yield SocketNetwork()
    else:
        memory = MemoryNetwork(random.Random(1))
        await nursery.start(memory.serve)
        yield memory.host(HOST)


@pytest.fixture
async def pair(network: Network) -> AsyncIterator[tuple[Endpoint, Endpoint]]:
    first, second = await network.bind(HOST, 0), await network.bind(HOST, 0)
    yield first, second
    await first.aclose()
    await second.aclose()


async def _collect(endpoint: Endpoint, count: int) -> list[tuple[bytes, Address]]:
    found: list[tuple[bytes, Address]] = []
    with trio.fail_after(5):
        while len(found) < count:
            batch = await endpoint.receive()
            assert 1 <= len(batch) <= BATCH_LIMIT
            found += batch
    return found


async def _streams(
    first: Endpoint, second: Endpoint
) -> tuple[trio.abc.Stream, trio.abc.Stream, Address]:
    near: list[trio.abc.Stream] = []

    async def connect() -> None:
        near.append(await first.connect(second.address))

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connect)
            far, sender = await second.accept()
    return near[0], far, sender


async def test_port_zero_picks_different_ports(pair: tuple[Endpoint, Endpoint]) -> None:
    """Each endpoint shows the host that was asked for and a port of its own."""
    first, second = pair
    assert first.address[0] == second.address[0] == HOST
    assert 0 < first.address[1] != second.address[1] > 0


async def test_a_taken_port_is_an_error(network: Network, pair: tuple[Endpoint, Endpoint]) -> None:
    """Binding to a port in use raises OSError; after closing it is free again."""
    first, _ = pair
    with pytest.raises(OSError, match=r"(?i)in use"):
        await network.bind(*first.address)
    await first.aclose()
    again = await network.bind(*first.address)
    assert again.address == first.address
    await again.aclose()


async def test_a_foreign_host_is_an_error(network: Network) -> None:
    """Binding to an address that is not the host's raises OSError."""
    with pytest.raises(OSError, match=r"."):
        await network.bind("192.0.2.1", 0)


async def test_the_wildcard_hears_what_is_sent_to_the_host(network: Network) -> None:
    """An endpoint bound to 0.0.0.0 shows that, and is reached at the host's address."""
    wide, other = await network.bind("0.0.0.0", 0), await network.bind(HOST, 0)
    assert wide.address[0] == "0.0.0.0"
    other.send(b"hello", (HOST, wide.address[1]))
    assert await _collect(wide, 1) == [(b"hello", other.address)]
    wide.send(b"you too", other.address)
    assert await _collect(other, 1) == [(b"you too", (HOST, wide.address[1]))]
    await wide.aclose()
    await other.aclose()


async def test_datagrams_arrive_with_their_sender(pair: tuple[Endpoint, Endpoint]) -> None:
    """Data comes whole, also nothing at all and 1,400 bytes."""
    first, second = pair
    for data in (b"hello", b"", bytes(1400)):
        first.send(data, second.address)
        assert await _collect(second, 1) == [(data, first.address)]


async def test_many_datagrams_come_in_batches(pair: tuple[Endpoint, Endpoint]) -> None:
    """A hundred datagrams need more than one batch, and none is lost."""
    first, second = pair
    for number in range(100):
        first.send(bytes([number]), second.address)
    await trio.testing.wait_all_tasks_blocked(0.01)
    found = await _collect(second, 100)
    assert sorted(data[0] for data, _ in found) == list(range(100))


async def test_sending_never_raises(pair: tuple[Endpoint, Endpoint]) -> None:
    """Nobody there, too large, another family, no such port: dropped without a word."""
    first, second = pair
    nobody = second.address
    await second.aclose()
    for data, to in [
        (b"x", nobody),
        (bytes(70_000), nobody),
        (b"x", ("::1", 9)),
        (b"x", (HOST, 70_000)),
    ]:
        first.send(data, to)
    first.send(b"still here", first.address)
    assert await _collect(first, 1) == [(b"still here", first.address)]


async def test_a_full_buffer_drops(pair: tuple[Endpoint, Endpoint]) -> None:
    """Ten thousand datagrams that nobody reads do not stop the sender, and not all are kept."""
    first, second = pair
    for _ in range(10_000):
        first.send(bytes(1400), second.address)
    await trio.testing.wait_all_tasks_blocked(0.01)
    received = 0
    with trio.move_on_after(0.2):
        while True:
            received += len(await second.receive())
    assert 0 < received < 10_000


async def test_a_stream_carries_bytes_both_ways(pair: tuple[Endpoint, Endpoint]) -> None:
    """What one side sends the other reads, in order, until the end."""
    near, far, sender = await _streams(*pair)
    assert sender[0] == HOST

    async def read_all(stream: trio.abc.Stream) -> bytes:
        return b"".join([chunk async for chunk in _chunks(stream)])

    data = bytes(range(256)) * 4_000
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_and_close, near, data)
            assert await read_all(far) == data
    with pytest.raises(trio.ClosedResourceError):
        await near.send_all(b"x")
    await far.aclose()


async def test_the_way_back_is_open_while_one_reads(pair: tuple[Endpoint, Endpoint]) -> None:
    """Question and answer over one stream."""
    near, far, _ = await _streams(*pair)
    await near.send_all(b"question")
    assert await far.receive_some() == b"question"
    await far.send_all(b"answer")
    assert await near.receive_some(3) == b"ans"
    assert await near.receive_some() == b"wer"
    await near.aclose()
    assert await far.receive_some() == b""
    await far.aclose()


async def test_a_sender_waits_for_a_reader(pair: tuple[Endpoint, Endpoint]) -> None:
    """With nobody reading, sending comes to a stop instead of filling memory."""
    near, far, _ = await _streams(*pair)
    sent = 0
    with trio.move_on_after(0.2):
        while sent < 64 << 20:
            await near.send_all(bytes(1 << 20))
            sent += 1 << 20
    assert sent < 64 << 20
    await near.aclose()
    await far.aclose()


async def test_a_reader_that_left_breaks_the_sender(pair: tuple[Endpoint, Endpoint]) -> None:
    """Sending to a stream that the other side closed raises BrokenResourceError soon."""
    near, far, _ = await _streams(*pair)
    await far.aclose()

    async def keep_sending() -> None:
        while True:
            await near.send_all(b"x")
            await trio.sleep(0.001)

    with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
        await keep_sending()
    await near.aclose()


async def test_closing_wakes_a_reader(pair: tuple[Endpoint, Endpoint]) -> None:
    """A task that waits for data learns that its own stream was closed."""
    near, far, _ = await _streams(*pair)
    await _closed_while(near.receive_some, near.aclose)
    with pytest.raises(trio.ClosedResourceError):
        await near.receive_some()
    await far.aclose()


async def test_one_reader_at_a_time(pair: tuple[Endpoint, Endpoint]) -> None:
    """Two tasks that read one stream are a mistake of the caller."""
    near, far, _ = await _streams(*pair)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(near.receive_some)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await near.receive_some()
            await far.send_all(b"x")
    await near.aclose()
    await far.aclose()


async def test_connecting_to_nobody_is_refused(pair: tuple[Endpoint, Endpoint]) -> None:
    """Where no endpoint listens the connection is refused at once."""
    first, second = pair
    nobody = second.address
    await second.aclose()
    with trio.fail_after(5), pytest.raises(ConnectionRefusedError):
        await first.connect(nobody)


async def test_streams_outlive_their_endpoint(pair: tuple[Endpoint, Endpoint]) -> None:
    """Closing the endpoint ends listening, not the conversations that it began."""
    near, far, _ = await _streams(*pair)
    await pair[1].aclose()
    await near.send_all(b"still")
    assert await far.receive_some() == b"still"
    await near.aclose()
    await far.aclose()


@pytest.mark.parametrize("what", ["receive", "accept"])
async def test_closing_wakes_who_waits(pair: tuple[Endpoint, Endpoint], what: str) -> None:
    """A task that waits for datagrams or streams learns that the endpoint was closed."""
    await _closed_while(getattr(pair[0], what), pair[0].aclose)


async def test_a_literal_address_resolves_to_itself(network: Network) -> None:
    """No name service is needed for numbers; `localhost` is this host; an unknown name fails."""
    assert await network.resolve("10.1.2.3", 7) == [("10.1.2.3", 7)]
    assert (HOST, 8) in await network.resolve("localhost", 8)
    assert await network.source_for((HOST, 9)) == HOST
    with trio.fail_after(30), pytest.raises(OSError, match=r"."):
        await network.resolve("no-such-host.invalid", 7)


async def _chunks(stream: trio.abc.Stream) -> AsyncIterator[bytes]:
    while chunk := bytes(await stream.receive_some()):
        yield chunk


async def _send_and_close(stream: trio.abc.Stream, data: bytes) -> None:
    await stream.send_all(data)
    await stream.aclose()


async def _closed_while(
    waits: Callable[[], Awaitable[object]], closes: Callable[[], Awaitable[None]]
) -> None:
    seen: list[str] = []

    async def wait() -> None:
        try:
            await waits()
        except trio.ClosedResourceError:
            seen.append("closed")

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            await closes()
    assert seen == ["closed"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name no address")
async def test_a_closed_port_is_told_with_its_address(
    network: Network, pair: tuple[Endpoint, Endpoint]
) -> None:
    """A datagram to a port that was closed comes back as an error that names the port, once."""
    first, second = pair
    closed = second.address
    await second.aclose()
    first.send(b"lost", closed)
    with trio.fail_after(5):
        assert await first.receive() == []
    assert first.unreachable() == [closed]
    assert first.unreachable() == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name no address")
async def test_errors_of_one_address_lose_nothing_of_another(
    network: Network, pair: tuple[Endpoint, Endpoint]
) -> None:
    """Each datagram to a listener arrives, however many before it went to a closed port."""
    first, second = pair
    gone = await network.bind(HOST, 0)
    await gone.aclose()
    for number in range(50):
        first.send(b"lost", gone.address)
        await trio.testing.wait_all_tasks_blocked()
        first.send(b"%d" % number, second.address)
    found = await _collect(second, 50)
    assert sorted(int(data) for data, _ in found) == list(range(50))
    with trio.fail_after(5):
        assert await first.receive() == []
    assert first.unreachable() == [gone.address]
