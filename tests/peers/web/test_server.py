"""The server on real sockets, with the standard library's client as the other opinion."""

import http.client
import json
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import trio

from gossamer.gossip import by_key
from gossamer.peers import ConfigError, Peer, PeerConfig, open_peer
from gossamer.peers.fronts.native import NativeMount
from gossamer.peers.web import HttpFront, HttpLimits


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with open_peer(PeerConfig(name="p1", bind="127.0.0.1:0", http="127.0.0.1:0")) as peer:
        yield peer


def front(peer: Peer, limits: HttpLimits = HttpLimits()) -> HttpFront:
    return HttpFront([NativeMount(peer)], limits=limits)


async def in_thread(peer: Peer, talk: Callable[[http.client.HTTPConnection], None]) -> None:
    """Run a conversation of the standard library's client, and close."""
    assert peer.http_address is not None
    connection = http.client.HTTPConnection(*peer.http_address, timeout=20)
    try:
        await trio.to_thread.run_sync(talk, connection)
    finally:
        connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None
) -> tuple[int, bytes]:
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    return response.status, response.read()


async def test_a_registration_from_end_to_end(peer: Peer) -> None:
    """Register, look up, watch, override and deregister over one connection kept alive."""

    def talk(connection: http.client.HTTPConnection) -> None:
        one = "/v1/services/orders/instances/one"
        assert ask(connection, "PUT", one, {"port": 8080})[0] == 201
        first = connection.sock
        status, body = ask(connection, "GET", "/v1/services/orders")
        assert status == 200
        assert json.loads(body)["instances"][0]["port"] == 8080
        assert ask(connection, "HEAD", "/v1/services/orders") == (200, b"")
        assert ask(connection, "PUT", one + "/heartbeat") == (204, b"")
        assert ask(connection, "PUT", one + "/status", {"status": "DOWN"})[0] == 200
        assert json.loads(ask(connection, "GET", "/v1/services/orders")[1])["instances"] == []
        assert ask(connection, "DELETE", one)[0] == 200
        assert ask(connection, "GET", "/v1/services/orders")[0] == 404
        counters = json.loads(ask(connection, "GET", "/v1/info")[1])["counters"]
        assert (counters["http_requests"], counters["http_connections_open"]) == (9, 1)
        assert connection.sock is first

    await in_thread(peer, talk)
    assert not peer.knows("orders")
    assert peer.statistics()["http_requests"] == 9


async def test_events_arrive_as_they_happen(peer: Peer) -> None:
    """Chunk by chunk, as the standard library reads them."""
    send, receive = trio.open_memory_channel[str](0)

    def talk(connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/v1/watch?service=orders")
        response = connection.getresponse()
        for _ in range(2):
            lines = [response.readline().decode() for _ in range(4)]
            trio.from_thread.run(send.send, lines[2].removeprefix("data: "))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(in_thread, peer, talk)
        assert json.loads(await receive.receive())["instances"] == []
        peer.register("orders", port=8080)
        assert json.loads(await receive.receive())["instances"][0]["port"] == 8080


async def test_a_client_that_sends_too_much_reads_its_refusal(peer: Peer) -> None:
    """Not a reset, although it is still sending when it is refused."""

    def talk(connection: http.client.HTTPConnection) -> None:
        connection.putrequest("PUT", "/v1/services/orders/instances/one")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for _ in range(40):
            connection.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        response = connection.getresponse()
        assert response.status == 413
        assert "65536 bytes" in json.loads(response.read())["error"]

    await in_thread(peer, talk)


async def test_a_large_answer_arrives_whole(peer: Peer) -> None:
    """Larger than any buffer of the kernel's for a connection."""
    for port in range(1, 3_000):
        peer.register("orders", port=port, metadata={"fill": "x" * 1_000})

    def talk(connection: http.client.HTTPConnection) -> None:
        status, body = ask(connection, "GET", "/v1/services/orders")
        assert (status, len(json.loads(body)["instances"])) == (200, 2_999)

    await in_thread(peer, talk)


async def test_an_address_that_is_taken_is_named(peer: Peer) -> None:
    """By the peer's configuration; nothing keeps running."""
    assert peer.http_address is not None
    taken = f"127.0.0.1:{peer.http_address[1]}"
    with pytest.raises(ConfigError, match="taken") as caught:
        async with open_peer(PeerConfig(name="p2", bind="127.0.0.1:0", http=taken)):
            pytest.fail("it must not start")
    assert caught.value.field == "http"


async def test_a_server_ends_with_its_connections(peer: Peer) -> None:
    """Cancelled, it leaves neither a listener nor a client waiting."""
    async with trio.open_nursery() as nursery:
        host, port = await nursery.start(front(peer).serve, peer, ("127.0.0.1", 0))
        idle = await trio.open_tcp_stream(host, port)
        waiting = await trio.open_tcp_stream(host, port)
        await waiting.send_all(b"GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await waiting.receive_some()).startswith(b"HTTP/1.1 200 ")
        nursery.cancel_scope.cancel()
    for stream in (idle, waiting):
        with trio.fail_after(10):
            while await stream.receive_some():
                pass
        await stream.aclose()
    with pytest.raises(OSError, match=r".*"):
        await trio.open_tcp_stream(host, port)


async def test_the_limit_of_connections_holds_on_sockets(peer: Peer) -> None:
    """One too many reads 503; when one closes, its place is free."""
    limits = HttpLimits(connections=2)
    async with trio.open_nursery() as nursery:
        host, port = await nursery.start(front(peer, limits).serve, peer, ("127.0.0.1", 0))
        request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        streams = []
        for expected in (b"200", b"200", b"503"):
            stream = await trio.open_tcp_stream(host, port)
            await stream.send_all(request)
            assert (await stream.receive_some()).split()[1] == expected
            streams.append(stream)
        for stream in streams:
            await stream.aclose()
        with trio.fail_after(10):
            answer = b""
            while b" 200 " not in answer:
                async with await trio.open_tcp_stream(host, port) as stream:
                    await stream.send_all(request)
                    answer = bytes(await stream.receive_some())
        nursery.cancel_scope.cancel()


async def _status_for(host: str, port: int, name: str) -> bytes:
    async with await trio.open_tcp_stream(host, port) as stream:
        await stream.send_all(f"GET /health/live HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        return bytes(await stream.receive_some()).split()[1]


@pytest.mark.parametrize(
    ("bound", "asked", "status"),
    [
        ("127.0.0.1", "evil.example", b"403"),
        ("127.0.0.1", "localhost", b"200"),
        ("localhost", "evil.example", b"403"),
        ("0.0.0.0", "peer.example", b"200"),
    ],
)
async def test_public_names_are_refused_where_only_loopback_is_served(
    peer: Peer, bound: str, asked: str, status: bytes
) -> None:
    """The guard knows what the server is bound to."""
    async with trio.open_nursery() as nursery:
        host, port = await nursery.start(front(peer).serve, peer, (bound, 0))
        target = "127.0.0.1" if host == "0.0.0.0" else host
        assert await _status_for(target, port, asked) == status
        nursery.cancel_scope.cancel()


async def test_each_address_of_a_front_is_guarded_as_its_own(peer: Peer) -> None:
    """A name that an open address serves is refused on loopback beside it."""
    both = front(peer)
    async with trio.open_nursery() as nursery:
        _, open_port = await nursery.start(both.serve, peer, ("0.0.0.0", 0))
        host, port = await nursery.start(both.serve, peer, ("127.0.0.1", 0))
        assert await _status_for(host, open_port, "peer.example") == b"200"
        assert await _status_for(host, port, "peer.example") == b"403"
        assert by_key(both.metrics())["http_requests"] == 2
        nursery.cancel_scope.cancel()


async def test_limits_hold_for_all_addresses_of_a_front_together(peer: Peer) -> None:
    """They are the process's: one more address does not bring more files."""
    both = front(peer, HttpLimits(connections=2))
    async with trio.open_nursery() as nursery:
        host, port = await nursery.start(both.serve, peer, ("127.0.0.1", 0))
        _, other_port = await nursery.start(both.serve, peer, ("127.0.0.1", 0))
        async with (
            await trio.open_tcp_stream(host, port) as one,
            await trio.open_tcp_stream(host, other_port) as other,
        ):
            for stream in (one, other):
                await stream.send_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b" 200 " in await stream.receive_some()
            assert await _status_for(host, port, "localhost") == b"503"
        nursery.cancel_scope.cancel()


async def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_ipv6_is_served(peer: Peer) -> None:
    """With the address in brackets in Host."""
    if not await _has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with trio.open_nursery() as nursery:
        host, port = await nursery.start(front(peer).serve, peer, ("::1", 0))
        assert host == "::1"
        assert await _status_for(host, port, f"[::1]:{port}") == b"200"
        assert await _status_for(host, port, "evil.example") == b"403"
        nursery.cancel_scope.cancel()
