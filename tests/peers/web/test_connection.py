"""One connection: what HTTP/1.1 asks of a server, and each limit below, at and above it."""

import logging
from collections.abc import AsyncIterator

import pytest
import trio
from http_wire import Lab, SomeApi, Wire, open_lab

from gossamer.peers.web import HttpLimits, Pending, Request, Response, Route, Send, Streamed

LIMITS = HttpLimits(head_bytes=2_000, body_bytes=1_000, connections=3, ahead_bytes=500)


class Application:
    """A few routes that show what reaches a handler, and what becomes of a wait."""

    def __init__(self) -> None:
        self.go = trio.Event()
        self.ended: list[str] = []
        self.routes: list[Route] = [
            *((method, "/echo/{word}", self.echo) for method in ("GET", "PUT", "POST")),
            ("GET", "/wait", lambda _: Pending(self.wait, abandoned=True)),
            ("POST", "/act", lambda _: Pending(self.wait, abandoned=False)),
            ("GET", "/stream", lambda _: Streamed(b"text/plain", self.stream)),
            ("GET", "/fail", self.fail),
            ("GET", "/fail-late", lambda _: Pending(self.fail_late, abandoned=True)),
            ("GET", "/break-off", lambda _: Streamed(b"text/plain", self.break_off)),
            ("GET", "/big", lambda _: Response(200, b"x" * 100_000)),
        ]

    def echo(self, request: Request) -> Response:
        return Response(
            200, repr((request.parameters["word"], request.query)).encode() + request.body
        )

    async def wait(self) -> Response:
        try:
            await self.go.wait()
        except trio.Cancelled:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return Response(200, b"waited")

    async def stream(self, send: Send) -> None:
        try:
            await send(b"one")
            await self.go.wait()
            await send(b"two")
        except trio.Cancelled:
            self.ended.append("cancelled")
            raise

    def fail(self, request: Request) -> Response:
        raise LookupError("a fault of the handler")

    async def fail_late(self) -> Response:
        raise LookupError("a fault of the handler")

    async def break_off(self, send: Send) -> None:
        await send(b"one")
        raise LookupError("a fault of the handler")


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def lab(application: Application) -> AsyncIterator[Lab]:
    async with open_lab(SomeApi(application.routes).place(), limits=LIMITS) as lab:
        yield lab


@pytest.fixture
def wire(lab: Lab) -> Wire:
    return lab.connect()


def request_of(size: int, *, method: bytes = b"GET") -> bytes:
    """A request whose head has exactly `size` bytes."""
    start = method + b" /echo/a HTTP/1.1\r\nHost: x\r\nX-Fill: "
    return start + b"f" * (size - len(start) - 4) + b"\r\n\r\n"


# What HTTP asks


async def test_one_connection_serves_one_request_after_the_other(wire: Wire) -> None:
    """Connections are kept alive unless somebody says otherwise."""
    for word in ("a", "b", "c"):
        reply = await wire.get(f"/echo/{word}")
        assert (reply.status, reply.body) == (200, f"('{word}', '')".encode())
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["date"].endswith(" GMT")


async def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    """A client may send many requests at once; none is lost and none overtakes."""
    one = b"GET /echo/%d HTTP/1.1\r\nHost: x\r\n\r\n"
    put = b"PUT /echo/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    sent = b"".join((put if n % 3 else one) % n for n in range(30))

    await wire.stream.send_all(sent)

    for n in range(30):
        reply = await wire.raw_reply()
        assert reply.body == f"('{n}', ''){'body' if n % 3 else ''}".encode()


async def test_requests_may_arrive_byte_by_byte(wire: Wire) -> None:
    """Nothing depends on how the network cuts the bytes."""
    sent = b"\r\nPUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" * 2

    for n in range(len(sent)):
        await wire.stream.send_all(sent[n : n + 1])
        await trio.testing.wait_all_tasks_blocked()

    assert (await wire.raw_reply()).body == b"('a', '')hi"
    assert (await wire.raw_reply()).body == b"('a', '')hi"


async def test_head_has_the_headers_of_get_and_no_body(wire: Wire) -> None:
    """HEAD tells the length, and leaves the connection usable."""
    expected = await wire.get("/echo/a")

    reply = await wire.ask("HEAD", "/echo/a")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-length"] == expected.headers["content-length"]
    assert (await wire.get("/echo/b")).status == 200


@pytest.mark.parametrize("target", ["/stream", "/nothing", "/fail"])
async def test_head_never_has_a_body(wire: Wire, target: str) -> None:
    """Not of a stream, not of a refusal, not of a fault: the next answer would be misread."""
    reply = await wire.ask("HEAD", target)

    assert reply.body == b""
    assert (await wire.get("/echo/b")).status == 200


async def test_a_path_that_is_not_there_is_404(wire: Wire) -> None:
    """The refusal names the path, and a longer one only in part."""
    reply = await wire.get("/echo/a/b")
    assert reply.status == 404
    assert "/echo/a/b" in reply.error
    assert len((await wire.get("/" + "x" * 1000)).error) < 200


async def test_a_method_that_is_not_there_is_405_with_allow(wire: Wire) -> None:
    """The refusal says what would be taken."""
    reply = await wire.ask("DELETE", "/echo/a", b"body")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD, POST, PUT, OPTIONS"
    assert "DELETE" in reply.error
    assert (await wire.ask("HEAD", "/act")).status == 405
    assert (await wire.get("/echo/b")).status == 200


async def test_options_tells_the_methods(wire: Wire) -> None:
    """Of one path, or of the server; without headers that would let pages of others in."""
    reply = await wire.ask("OPTIONS", "/echo/a")
    assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, POST, PUT, OPTIONS")
    assert "content-length" not in reply.headers
    assert not any(name.startswith("access-control") for name in reply.headers)
    assert (await wire.ask("OPTIONS", "*")).status == 204
    assert (await wire.ask("OPTIONS", "/nothing")).status == 404


async def test_connection_close_is_obeyed(wire: Wire) -> None:
    """A client that asks for it is told, and the connection ends after the answer."""
    reply = await wire.get("/echo/a", Connection="close")
    assert reply.headers["connection"] == "close"
    assert await wire.is_closed()


async def test_http_1_0_is_answered_and_closed(wire: Wire) -> None:
    """An old client needs no Host and expects no connection to stay."""
    reply = await wire.raw(b"GET /echo/a HTTP/1.0\r\n\r\n")
    assert (reply.status, reply.body) == (200, b"('a', '')")
    assert await wire.is_closed()


async def test_a_stream_for_http_1_0_has_no_chunks(wire: Wire, application: Application) -> None:
    """It ends with the connection, since chunks are news to an old client."""
    application.go.set()
    reply = await wire.raw(b"GET /stream HTTP/1.0\r\n\r\n")
    assert reply.body == b"onetwo"
    assert "transfer-encoding" not in reply.headers


@pytest.mark.parametrize(
    "target", ["http://localhost/echo/a?q=1", "HTTP://localhost:80/echo/a?q=1", "/echo/%61?q=1"]
)
async def test_absolute_targets_mean_their_path(wire: Wire, target: str) -> None:
    """Clients that believe to speak to a proxy send the whole URL."""
    assert (await wire.get(target)).body == b"('a', 'q=1')"


async def test_segments_are_decoded_after_the_path_is_split(wire: Wire) -> None:
    """An escaped slash, colon or blank belongs to the name that it is in."""
    assert (await wire.get("/echo/h%3A8080%2Fa%20%C3%A4+")).body.decode() == "('h:8080/a ä+', '')"


@pytest.mark.parametrize("target", ["/echo/%ff", "/echo/%C3", "/echo/%ED%A0%80", "/echo/a#b"])
async def test_a_path_that_is_not_utf_8_is_refused(wire: Wire, target: str) -> None:
    """Nobody can say which name was meant."""
    reply = await wire.get(target)
    assert (reply.status, reply.json["field"]) == (400, None)
    assert (await wire.get("/echo/a")).status == 200


async def test_a_body_waits_for_100_continue(wire: Wire) -> None:
    """curl sends nothing of a larger body before it was told to go on."""
    head = b"PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    await wire.stream.send_all(head)
    assert await wire.stream.receive_some() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await wire.raw(b"hi")).body == b"('a', '')hi"
    assert (await wire.get("/echo/a")).status == 200


@pytest.mark.parametrize(
    ("target", "length", "status"),
    [("/echo/a", 1001, 413), ("/nothing", 10, 404), ("/fail", 10, 405)],
)
async def test_a_body_that_would_be_refused_is_not_asked_for(
    wire: Wire, target: str, length: int, status: int
) -> None:
    """Who waits for 100 gets the refusal at once, and the connection ends."""
    reply = await wire.raw(
        f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert await wire.is_closed()


async def test_chunked_bodies_are_put_together(wire: Wire) -> None:
    """However they are cut, with extensions and trailers."""
    reply = await wire.raw(
        b"PUT /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2;a=b\r\nhi\r\n6\r\n there\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    assert reply.body == b"('a', '')hi there"


async def test_upgrades_are_not_taken(wire: Wire) -> None:
    """curl offers HTTP/2 by default to some; going on in HTTP/1.1 is the answer to that."""
    reply = await wire.get("/echo/a", Connection="Upgrade", Upgrade="h2c")
    assert reply.status == 200
    assert (await wire.get("/echo/b")).status == 200


async def test_a_tunnel_is_refused(wire: Wire) -> None:
    """This is no proxy."""
    reply = await wire.raw(b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")
    assert reply.status == 400


# Faults of a handler


@pytest.mark.parametrize("target", ["/fail", "/fail-late"])
async def test_a_fault_of_a_handler_is_500_and_logged(
    wire: Wire, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """The client learns nothing of the inside, the log everything; the connection goes on."""
    with caplog.at_level(logging.ERROR, "gossamer.http"):
        reply = await wire.get(target)
    assert reply.status == 500
    assert "LookupError" not in reply.error
    assert "a fault of the handler" in caplog.text
    assert (await wire.get("/echo/a")).status == 200


async def test_a_stream_that_fails_is_cut_off(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """A proper end would pass for the whole."""
    with caplog.at_level(logging.ERROR, "gossamer.http"):
        await wire.stream.send_all(b"GET /break-off HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while data := await wire.stream.receive_some():
            received += data
    assert received.endswith(b"3\r\none\r\n")
    assert "a fault of the handler" in caplog.text


# Waiting


async def test_a_wait_ends_when_the_client_goes(
    lab: Lab, application: Application, autojump_clock: trio.testing.MockClock
) -> None:
    """A closed connection and a half-closed one alike, at once; the server goes on."""
    closed, half_closed = lab.connect(), lab.connect()
    for wire in (closed, half_closed):
        await wire.send("GET", "/wait")
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == []

    await closed.stream.aclose()
    await half_closed.stream.send_eof()
    await trio.testing.wait_all_tasks_blocked()

    assert application.ended == ["cancelled"] * 2
    assert lab.statistics()["connections_open"] == 0
    assert trio.current_time() < 0.1 + autojump_clock.autojump_threshold


async def test_a_stream_ends_when_the_client_goes(lab: Lab, application: Application) -> None:
    """Also while nothing is there to be sent, when no failed write could tell."""
    wire = lab.connect()
    await wire.send("GET", "/stream")
    await wire.head()
    assert await wire.piece() == b"one"

    await wire.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()

    assert application.ended == ["cancelled"]


async def test_what_changes_something_is_not_given_up_midway(
    lab: Lab, application: Application
) -> None:
    """A client that has gone does not undo what it asked for."""
    wire = lab.connect()
    await wire.send("POST", "/act")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.aclose()
    application.go.set()
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == ["done"]


async def test_requests_sent_while_waiting_are_answered_after(
    wire: Wire, application: Application
) -> None:
    """What was read while watching for the client's end is not lost."""
    await wire.stream.send_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.send_all(b"GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.testing.wait_all_tasks_blocked()
    application.go.set()
    assert (await wire.raw_reply()).body == b"waited"
    assert (await wire.raw_reply()).body == b"('a', '')"


@pytest.mark.parametrize(("size", "ended"), [(500, []), (501, ["cancelled"])])
async def test_too_much_sent_while_waiting_ends_the_connection(
    lab: Lab, application: Application, size: int, ended: list[str]
) -> None:
    """What is sent ahead is kept in memory, so it has a limit."""
    wire = lab.connect()
    await wire.send("GET", "/wait")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.send_all(b"x" * size)
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == ended


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
    """It must not hold a connection, or a stream's memory, for ever."""
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
