"""One connection: what HTTP/1.1 asks of a server, and what becomes of a handler's faults."""

import logging

import pytest
import trio
from http_wire import Wire
from small_site import Application

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
    """A client that waits for 100 gets the refusal at once, and the connection ends."""
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
