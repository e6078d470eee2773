"""Each limit of size, time and number: below, at and above it."""

import pytest
import trio
from http_wire import Lab, Wire
from small_site import Application, request_of

# Limits of size


@pytest.mark.parametrize("size", [1_999, 2_000])
async def test_a_head_up_to_the_limit_is_taken(wire: Wire, size: int) -> None:
    """Counted to the end of the empty line."""
    assert (await wire.raw(request_of(size))).status == 200
    assert (await wire.raw(request_of(size) * 2)).status == 200
    assert (await wire.raw_reply()).status == 200


async def test_a_head_above_the_limit_is_431(wire: Wire) -> None:
    """Also one that arrives complete in a single piece."""
    reply = await wire.raw(request_of(2_001))
    assert (reply.status, reply.headers["connection"]) == (431, "close")
    assert "2000 bytes" in reply.error


async def test_an_endless_head_is_431_at_the_limit(wire: Wire) -> None:
    """It is refused without waiting for its end."""
    await wire.stream.send_all(b"GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Fill: ".ljust(2_000, b"f"))
    await trio.testing.wait_all_tasks_blocked()
    assert (await wire.raw(b"f")).status == 431


async def test_an_endless_request_line_is_431(wire: Wire) -> None:
    """The line counts like the headers."""
    assert (await wire.raw(b"GET /" + b"a" * 3_000)).status == 431


@pytest.mark.parametrize("size", [999, 1_000])
async def test_a_body_up_to_the_limit_is_taken(wire: Wire, size: int) -> None:
    """However it is framed."""
    body = b"x" * size
    assert (await wire.ask("PUT", "/echo/a", body)).body.endswith(body)
    chunked = await wire.ask("PUT", "/echo/a", body, Transfer_Encoding="chunked")
    assert chunked.body.endswith(body)


@pytest.mark.parametrize("target", ["/echo/a", "/nothing"])
async def test_a_body_announced_above_the_limit_is_413_unread(wire: Wire, target: str) -> None:
    """What is announced as too large is not waited for."""
    reply = await wire.raw(
        f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n".encode()
    )
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert "1000 bytes" in reply.error


async def test_chunks_above_the_limit_are_413(wire: Wire) -> None:
    """Chunks announce nothing, so they are counted."""
    head = b"PUT /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await wire.stream.send_all(head + b"3e8\r\n" + b"x" * 1_000 + b"\r\n")
    await trio.testing.wait_all_tasks_blocked()
    reply = await wire.raw(b"1\r\nx\r\n")
    assert (reply.status, reply.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("length", ["18446744073709551616", "9" * 20])
async def test_a_length_beyond_all_bounds_is_413(wire: Wire, length: str) -> None:
    """A number is a number, however long."""
    sent = f"PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    assert (await wire.raw(sent.encode())).status == 413


async def test_a_body_longer_than_announced_is_not_part_of_it(wire: Wire) -> None:
    """What follows is the next request, and a bad one."""
    sent = b"PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi there\r\n\r\n"
    assert (await wire.raw(sent)).body == b"('a', '')hi"
    assert (await wire.raw_reply()).status == 400


# Limits of time


async def test_a_slow_head_is_408(wire: Wire, autojump_clock: trio.testing.MockClock) -> None:
    """A byte now and then does not keep a connection (slowloris)."""
    async with trio.open_nursery() as nursery:

        async def trickle() -> None:
            for byte in request_of(1_000):
                await wire.stream.send_all(bytes([byte]))
                await trio.sleep(1)

        nursery.start_soon(trickle)
        reply = await wire.raw_reply()
        assert reply.status == 408
        assert "took too long" in reply.error
        assert trio.current_time() == pytest.approx(10, abs=0.5)
        nursery.cancel_scope.cancel()


async def test_a_slow_second_head_is_408(
    wire: Wire, autojump_clock: trio.testing.MockClock
) -> None:
    """Its time counts from its first byte, not from the first request's."""
    await wire.get("/echo/a")
    await trio.sleep(60)
    await wire.stream.send_all(b"GET /echo")
    assert (await wire.raw_reply()).status == 408
    assert trio.current_time() == pytest.approx(70, abs=0.5)


async def test_a_slow_body_is_408(wire: Wire, autojump_clock: trio.testing.MockClock) -> None:
    """A client that announces more than it sends is not waited for."""
    reply = await wire.raw(b"PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhi")
    assert (reply.status, reply.headers["connection"]) == (408, "close")
    assert trio.current_time() == pytest.approx(10, abs=0.5)


async def test_a_connection_without_a_request_is_closed_in_silence(
    wire: Wire, autojump_clock: trio.testing.MockClock
) -> None:
    """An answer to nothing would be taken for the next request's."""
    assert await wire.is_closed()
    assert trio.current_time() == pytest.approx(10, abs=0.5)


async def test_an_idle_connection_is_closed_in_silence(
    wire: Wire, autojump_clock: trio.testing.MockClock
) -> None:
    """After the idle time, at most a second later; empty lines do not prolong it."""
    await wire.get("/echo/a")
    await trio.sleep(50)
    await wire.stream.send_all(b"\r\n")
    assert await wire.is_closed()
    assert 75 <= trio.current_time() <= 76.5


async def test_a_request_just_before_the_idle_time_is_answered(
    wire: Wire, autojump_clock: trio.testing.MockClock
) -> None:
    """And the idle time begins anew."""
    for _ in range(3):
        assert (await wire.get("/echo/a")).status == 200
        await trio.sleep(74.9)
    assert (await wire.get("/echo/a")).status == 200


async def test_a_wait_has_no_limit_of_the_connection(
    wire: Wire, application: Application, autojump_clock: trio.testing.MockClock
) -> None:
    """How long an answer may take is the handler's to say."""
    await wire.send("GET", "/wait")
    await trio.sleep(3_600)
    application.go.set()
    assert (await wire.reply()).body == b"waited"


@pytest.mark.parametrize("target", ["/big", "/stream"])
async def test_a_client_that_does_not_read_is_closed(
    lab: Lab, autojump_clock: trio.testing.MockClock, target: str
) -> None:
    """Such a client must not hold a connection, or a stream's memory, without end."""
    wire = lab.connect(lockstep=True)
    await wire.send("GET", target)
    await trio.sleep(30)
    assert lab.statistics()["connections_open"] == 0
    assert lab.statistics()["timeouts"] == 1


async def test_a_client_that_goes_on_sending_after_a_refusal_is_closed(
    lab: Lab, autojump_clock: trio.testing.MockClock
) -> None:
    """What comes after a refusal is thrown away, for a second."""
    wire = lab.connect()
    async with trio.open_nursery() as nursery:

        async def pour() -> None:
            try:
                while True:
                    await wire.stream.send_all(b"x" * 1_000)
                    await trio.sleep(0.01)
            except trio.BrokenResourceError:
                pass

        await wire.stream.send_all(request_of(2_001))
        nursery.start_soon(pour)
        assert (await wire.raw_reply()).status == 431
    assert trio.current_time() == pytest.approx(1, abs=0.2)
    assert lab.statistics()["connections_open"] == 0


# Limits of number


async def test_one_connection_too_many_is_503(
    lab: Lab, autojump_clock: trio.testing.MockClock
) -> None:
    """It is told why, and the place of one that ends is free again."""
    wires = [lab.connect() for _ in range(3)]
    for wire in wires:
        assert (await wire.get("/echo/a")).status == 200

    reply = await lab.connect().raw_reply()

    assert (reply.status, reply.headers["connection"]) == (503, "close")
    assert "3 connections" in reply.error
    await wires[0].stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert (await lab.connect().get("/echo/a")).status == 200
    assert lab.statistics()["connections_refused"] == 1


async def test_a_flood_of_connections_is_closed_unheard(
    lab: Lab, autojump_clock: trio.testing.MockClock
) -> None:
    """Telling them would take memory too."""
    wires = [lab.connect() for _ in range(3 + 32 + 5)]
    await trio.testing.wait_all_tasks_blocked()
    assert lab.statistics()["connections_open"] == 3
    assert lab.statistics()["connections_refused"] == 32 + 5
    answered = [wire for wire in wires if await wire.stream.receive_some()]
    assert len(answered) == 32
