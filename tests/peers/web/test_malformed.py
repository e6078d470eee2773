"""Bytes that are no request, or a hostile one: refused or closed, never a fault of the server."""

import logging
from logging.handlers import QueueHandler
from queue import SimpleQueue

import pytest
import trio
import trio.testing
from http_wire import Lab, SomeApi, Wire, open_lab
from hypothesis import example, given, strategies as st

from gossamer.peers.web import HttpLimits, Place, Request, Response

LIMITS = HttpLimits(head_bytes=500, body_bytes=100)


def place() -> Place:
    def echo(request: Request) -> Response:
        return Response(200, request.body)

    return SomeApi([(method, "/{word}", echo) for method in ("GET", "PUT")]).place()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01", 400),  # TLS
        (b"GET /a\r\n\r\n", 400),  # HTTP/0.9
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /a HTTP/3.1\r\nHost: x\r\n\r\n", 505),
        (b"GET /a HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nHost: x\r\n: nameless\r\n\r\n", 400),
        (b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400),
        (
            (
                b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", 400),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"e" * 600, 431),
    ],
)
async def test_a_malformed_request_is_refused_and_the_connection_closed(
    sent: bytes, status: int
) -> None:
    """Where the next request would begin is anybody's guess, so there is no next one."""
    async with open_lab(place(), limits=LIMITS) as lab:
        wire = lab.connect()
        reply = await wire.raw(sent)
        assert reply.status == status
        assert reply.headers["connection"] == "close"
        assert reply.error.endswith(".")
        assert await wire.is_closed()


@pytest.mark.parametrize("target", ["a", "*", "ftp://x/a", "http:/a", "?q"])
async def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    """The request is well formed otherwise, so the connection goes on."""
    async with open_lab(place(), limits=LIMITS) as lab:
        wire = lab.connect()
        reply = await wire.get(target)
        assert (reply.status, reply.json["field"]) == (400, None)
        assert "begin it with '/'" in reply.error
        assert (await wire.get("/a")).status == 200


@pytest.mark.parametrize(
    "sent", [b"GET /a HT", b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhi"]
)
async def test_a_request_that_breaks_off_is_refused_at_once(sent: bytes) -> None:
    """A client that closed its half is told; nothing is waited for."""
    async with open_lab(place(), limits=LIMITS) as lab:
        wire = lab.connect()
        await wire.stream.send_all(sent)
        await wire.stream.send_eof()
        assert (await wire.raw_reply()).status == 400
        assert await wire.is_closed()


async def test_a_client_that_only_closes_is_not_answered() -> None:
    """A probe for an open port is no request."""
    async with open_lab(place(), limits=LIMITS) as lab:
        wire = lab.connect()
        await wire.stream.send_eof()
        assert await wire.is_closed()


async def _drink(wire: Wire) -> bytes:
    received = b""
    while data := await wire.stream.receive_some():
        received += data
    return received


async def _pour(lab: Lab, pieces: list[bytes]) -> bytes:
    """Send the pieces, close our half, and return all that was said to them."""
    wire = lab.connect()
    received = b""

    async def drink() -> None:
        nonlocal received
        received = await _drink(wire)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drink)
        for piece in pieces:
            try:
                await wire.stream.send_all(piece)
            except trio.BrokenResourceError:
                break
        await wire.stream.send_eof()
    return received


_FRAGMENTS = st.sampled_from(
    [
        b"GET /a HTTP/1.1\r\nHost: x\r\n",
        b"PUT /%C3%A4 HTTP/1.1\r\nHost: x\r\n",
        b"HEAD http://x/a HTTP/1.0\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"Origin: http://evil.example\r\n",
        b"\r\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"\n",
        b"\x00",
    ]
)


@given(st.lists(st.one_of(_FRAGMENTS, st.binary(max_size=40)), max_size=20))
@example([b"PUT /a HTTP/1.1\r\nHost: x\r\n", b"Expect: 100-continue\r\n\r\n"])
async def test_no_bytes_are_a_fault_of_the_server(pieces: list[bytes]) -> None:
    """Whatever is sent in whatever pieces: answers are HTTP, none is 500, nothing is logged."""
    faults: SimpleQueue[object] = SimpleQueue()
    handler = QueueHandler(faults)
    logger = logging.getLogger("gossamer.http")
    logger.addHandler(handler)
    try:
        async with open_lab(place(), limits=LIMITS) as lab:
            with trio.fail_after(5):
                received = await _pour(lab, pieces)
            assert (await lab.connect().get("/still-there")).status == 200
            await trio.testing.wait_all_tasks_blocked()
            assert lab.statistics()["connections_open"] == 1
    finally:
        logger.removeHandler(handler)
    assert faults.empty()
    assert received == b"" or received.startswith((b"HTTP/1.1 ",))
    assert b"HTTP/1.1 500" not in received
