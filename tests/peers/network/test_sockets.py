"""What only real sockets have: errors, families, full buffers. The rest is in the contract."""

import logging
import socket
import sys

import pytest
import trio

from gossamer.gossip import Address
from gossamer.peers import ConfigError, PeerConfig, SocketNetwork, format_address, open_peer
from gossamer.peers.network import Endpoint
from gossamer.peers.network._network import BATCH_LIMIT, SocketEndpoint

LIMIT = 20.0


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6 loopback")


async def receive_one(endpoint: Endpoint) -> tuple[bytes, Address]:
    with trio.fail_after(LIMIT):
        return (await endpoint.receive())[0]


async def test_both_transports_share_one_port() -> None:
    """One number to open in a firewall, one to write into a seed list."""
    endpoint = await SocketNetwork().bind("127.0.0.1", 0)
    host, port = endpoint.address
    assert host == "127.0.0.1"
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as other, pytest.raises(OSError, match="in use"):
            other.bind((host, port))
    await endpoint.aclose()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_a_port_that_is_taken_for_one_transport_is_taken(kind: socket.SocketKind) -> None:
    """Half a port is no port; the half that was free is released."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} is taken on 127.0.0.1") as caught:
            async with open_peer(PeerConfig(name="a", bind=f"127.0.0.1:{port}")):
                pass
        assert caught.value.field == "bind"
    endpoint = await SocketNetwork().bind("127.0.0.1", port)
    await endpoint.aclose()


async def test_a_port_is_free_again_at_once() -> None:
    """A restart need not wait for connections of the life before."""
    network = SocketNetwork()
    first = await network.bind("127.0.0.1", 0)
    other = await network.bind("127.0.0.1", 0)
    stream = await other.connect(first.address)
    accepted, _ = await first.accept()
    await accepted.aclose()
    await first.aclose()

    again = await network.bind(*first.address)

    await stream.aclose()
    await again.aclose()
    await other.aclose()


@needs_ipv6
async def test_ipv6_carries_datagrams_and_streams() -> None:
    """A peer lives on IPv6 alone as well."""
    network = SocketNetwork()
    a, b = await network.bind("::1", 0), await network.bind("::1", 0)
    a.send(b"hello", b.address)
    assert await receive_one(b) == (b"hello", a.address)
    stream = await a.connect(b.address)
    accepted, sender = await b.accept()
    assert sender[0] == "::1"
    for each in (stream, accepted, a, b):
        await each.aclose()


@needs_ipv6
async def test_a_dual_stack_endpoint_speaks_plain_ipv4() -> None:
    """Addresses of IPv4 peers do not wear IPv6 clothes, in either direction."""
    network = SocketNetwork()
    dual, four = await network.bind("::", 0), await network.bind("127.0.0.1", 0)
    port = dual.address[1]

    four.send(b"to dual", ("127.0.0.1", port))
    assert await receive_one(dual) == (b"to dual", four.address)
    dual.send(b"to four", four.address)
    assert await receive_one(four) == (b"to four", ("127.0.0.1", port))
    stream = await four.connect(("127.0.0.1", port))
    accepted, sender = await dual.accept()

    assert sender[0] == "127.0.0.1"
    for each in (stream, accepted, dual, four):
        await each.aclose()


@needs_ipv6
@pytest.mark.parametrize("bind", ["[::1]:0", "[::]:0"])
async def test_a_mesh_lives_on_ipv6(bind: str) -> None:
    """The route to an IPv6 seed picks an IPv6 address, and members show it in brackets."""
    async with (
        open_peer(PeerConfig(name="a", bind="[::1]:0")) as a,
        open_peer(PeerConfig(name="b", bind=bind, join=[format_address(a.address)])) as b,
    ):
        with trio.fail_after(LIMIT):
            await b.joined()
            a.register("orders", port=1)
            assert (await b.wait_for("orders"))[0].address == "::1"
        assert b.address[0] == "::1"
        assert str(b.info()["address"]).startswith("[::1]:")


async def test_what_cannot_be_sent_is_counted_and_never_raises() -> None:
    """Unreachable, of another family, too large, no address, a port that is none, after closing."""
    endpoint = await SocketNetwork().bind("127.0.0.1", 0)
    for to in (("fd00::1", 1), ("orders.example", 1), ("127.0.0.1", 70_000), ("127.0.0.1", 0)):
        endpoint.send(b"x", to)
    endpoint.send(b"x" * 65_536, ("127.0.0.1", 1))
    endpoint.send(b"x", ("255.255.255.255", 1))

    assert sum(endpoint.statistics().values()) == 6
    await endpoint.aclose()
    endpoint.send(b"x", ("127.0.0.1", 1))
    assert sum(endpoint.statistics().values()) == 7


async def test_a_refused_datagram_does_not_disturb_the_reader() -> None:
    """The kernel's news that nobody listens at one address says nothing about the others."""
    network = SocketNetwork()
    a, b, gone = [await network.bind("127.0.0.1", 0) for _ in range(3)]
    await gone.aclose()
    for _ in range(3):
        a.send(b"into the void", gone.address)
    b.send(b"hello", a.address)
    assert await receive_one(a) == (b"hello", b.address)
    await a.aclose()
    await b.aclose()


async def test_datagrams_are_read_in_batches() -> None:
    """What has arrived is handed over at once, up to the limit."""
    network = SocketNetwork()
    a, b = await network.bind("127.0.0.1", 0), await network.bind("127.0.0.1", 0)
    for number in range(BATCH_LIMIT + 1):
        a.send(b"%d" % number, b.address)
    with trio.fail_after(LIMIT):
        first = await b.receive()
        second = await b.receive()
    assert (len(first), len(second)) == (BATCH_LIMIT, 1)
    assert isinstance(b, SocketEndpoint)
    await a.aclose()
    await b.aclose()


async def test_names_that_do_not_resolve_raise_oserror() -> None:
    """Whatever is wrong with a name, it is one kind of error."""
    network = SocketNetwork()
    for name in ("nosuch.invalid", "a" * 64 + ".example", "a..b"):
        with pytest.raises(OSError, match=r"\w"):
            await network.resolve(name, 1)
    assert ("127.0.0.1", 7) in await network.resolve("localhost", 7)
    assert await network.source_for(("127.0.0.1", 7940)) == "127.0.0.1"


async def test_peers_on_loopback_find_each_other_over_real_sockets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Three peers, a registration, a leave; garbage on the way changes nothing."""
    caplog.set_level(logging.INFO, "gossamer")
    async with open_peer(PeerConfig(name="a", bind="127.0.0.1:0")) as a:
        seed = f"127.0.0.1:{a.address[1]}"
        async with open_peer(PeerConfig(name="b", bind="127.0.0.1:0", join=[seed])) as b:
            with trio.fail_after(LIMIT):
                await b.joined()
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    for garbage in (b"", b"x", b"Gs" + bytes(40), bytes(9000)):
                        stranger.sendto(garbage, a.address)
                instance = a.register("orders", port=8080)
                assert (await b.wait_for("orders"))[0] == b.find("orders", instance.id)
                b.deregister("orders", instance.id)
                while a.lookup("orders"):
                    await a.changed("orders", a.lookup("orders").index)
        assert {member.name: member.status for member in a.members()} == {"a": "alive", "b": "left"}
        refused = sum(
            count for name, count in a.statistics().items() if name.startswith("refused_")
        )
        assert refused >= 4
    assert "b joined at 127.0.0.1" in caplog.text
    assert "b left" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name no address")
@pytest.mark.parametrize(("bind", "host"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
@needs_ipv6
async def test_closed_ports_are_told_over_ipv6_as_well(bind: str, host: str) -> None:
    """By ICMPv6, and by ICMP where one socket serves both, with the address as peers write it."""
    network = SocketNetwork()
    endpoint = await network.bind(bind, 0)
    gone = await network.bind(host, 0)
    await gone.aclose()
    endpoint.send(b"lost", gone.address)
    with trio.fail_after(LIMIT):
        assert await endpoint.receive() == []
    assert endpoint.unreachable() == [gone.address]
    await endpoint.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems name no address")
async def test_a_flood_of_errors_is_bounded() -> None:
    """Of thousands of closed ports 64 are kept until they are taken, and the reader goes on."""
    network = SocketNetwork()
    endpoint = await network.bind("127.0.0.1", 0)
    other = await network.bind("127.0.0.1", 0)
    for port in range(20_000, 22_000):
        endpoint.send(b"lost", ("127.0.0.1", port))
    with trio.fail_after(LIMIT):
        assert await endpoint.receive() == []
        assert 0 < len(endpoint.unreachable()) <= 64
        other.send(b"heard", endpoint.address)
        while not (batch := await endpoint.receive()):
            endpoint.unreachable()
    assert batch == [(b"heard", other.address)]
    await endpoint.aclose()
    await other.aclose()
