"""What operators, and machines that watch over processes, ask by the native routes."""

import json
from typing import Any

import pytest
from http_wire import Wire, open_lab, open_peer_lab
from trio.testing import MockClock
from whole_peers import Town, status, until

from gossamer.peers import Peer
from gossamer.peers.catalog import Condition
from gossamer.peers.fronts.native import NativeMount
from gossamer.peers.web import Place

ORDERS = "/v1/services/orders"
ONE = ORDERS + "/instances/one"


async def test_members_services_and_info(
    town: Town, wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """What the command line shows, in its shapes."""
    other = await town.start(2, zone="z2")
    await until(lambda: status(peer, "p2") == "alive", 5)
    other.register("orders", port=1)
    other.register("orders", port=2, status="DOWN")
    await until(lambda: len(peer.lookup("orders", all=True)) == 2, 5)

    members = (await wire.get("/v1/members")).json["members"]
    services = (await wire.get("/v1/services")).json["services"]
    info = (await wire.get("/v1/info")).json

    assert [each["name"] for each in members] == ["p1", "p2"]
    assert members[1].items() >= {"status": "alive", "zone": "z2", "instances": 2}.items()
    assert members[1].keys() >= {"address", "incarnation", "epoch"}
    assert services[0].items() >= {"name": "orders", "instances": 2, "up": 1}.items()
    assert info.items() >= {"name": "p1", "joined": True, "instances": 2}.items()
    for path in ("members", "services", "info"):
        assert (await wire.get(f"/v1/{path}?x=1")).json["field"] == "x"


async def test_a_peer_joins_through_more_seeds(
    town: Town, wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """Two meshes become one."""
    other = await town.start(2, join=())
    reply = await wire.ask("POST", "/v1/join", {"addresses": ["10.0.0.2:7940"]})
    assert (reply.status, reply.json) == (200, {"addresses": ["10.0.0.2:7940"]})
    await until(lambda: status(other, "p1") == "alive", 5)


@pytest.mark.parametrize(
    "addresses",
    [None, [], "10.0.0.2:7940", [1], ["10.0.0.2"], ["nowhere.invalid:7940"], ["10.0.0.2:99999"]],
)
async def test_a_seed_that_is_none_is_refused(
    wire: Wire, addresses: object, autojump_clock: MockClock
) -> None:
    """400 for the field of the body, whatever the configuration calls it."""
    reply = await wire.ask("POST", "/v1/join", {"addresses": addresses})
    assert (reply.status, reply.json["field"]) == (400, "addresses")


async def test_leaving_is_answered_before_it_begins(
    town: Town, wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """202, then the others know; meanwhile lookups go on, and changes are refused with 503."""
    other = await town.start(2)
    peer.register("orders", port=1)
    await until(lambda: other.knows("orders"), 5)

    assert (await wire.ask("POST", "/v1/leave")).status == 202

    assert (await wire.get(ORDERS)).status == 200
    assert (await wire.ask("PUT", ONE, {"port": 1})).status == 503
    assert (await wire.get("/health/ready")).status == 503
    assert (await wire.get("/health/live")).status == 200
    await peer.left()
    assert status(other, "p1") == "left"


async def test_a_client_that_is_gone_has_still_asked_to_leave(
    peer: Peer, autojump_clock: MockClock
) -> None:
    """A client asks the peer to leave and closes the connection; the peer leaves."""
    async with open_peer_lab(peer) as lab:
        wire = lab.connect()
        await wire.send("POST", "/v1/leave")
        await wire.stream.aclose()
        await peer.left()


async def test_a_foreign_host_is_told_which_setting_to_change(peer: Peer) -> None:
    """On loopback, a request under a public name is refused with 403 and a remedy."""
    async with open_peer_lab(peer) as lab:
        reply = await lab.connect().raw(b"GET /v1/info HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert reply.status == 403
        assert "name another address with the setting http" in reply.error


async def test_a_peer_is_ready_once_it_has_joined(town: Town, autojump_clock: MockClock) -> None:
    """While no seed answers it lives and is not ready, and says why."""
    lonely = await town.start(2)
    async with open_peer_lab(lonely) as lab:
        wire = lab.connect()
        assert (await wire.get("/health/live")).json == {"status": "live"}
        waiting = await wire.get("/health/ready")
        assert waiting.status == 503
        assert "seed" in waiting.error
        await town.start(1)
        await lonely.joined()
        assert (await wire.get("/health/ready")).json == {"status": "ready"}


class Stub:
    """A catalog and an operator of which only the condition can be asked."""

    def __init__(self) -> None:
        self.joined = True

    def condition(self) -> Condition:
        return Condition(
            joined=self.joined, isolated=False, degraded=False, leaving=False, conflict=None
        )


async def test_readiness_asks_for_the_condition_alone() -> None:
    """It is asked every second by whatever watches over the process: no document is built."""
    stub: Any = Stub()
    mount = NativeMount(operator=stub)
    async with open_lab(Place(mount, mount.routes(stub))) as lab:
        wire = lab.connect()
        assert (await wire.get("/health/ready")).status == 200
        stub.joined = False
        assert (await wire.get("/health/ready")).status == 503


@pytest.mark.parametrize("path", ["/", "/metrics", "/v1", "/v1/", "/v1//info", "/v1/info/", "//"])
async def test_what_is_not_there_is_404(wire: Wire, path: str, autojump_clock: MockClock) -> None:
    """Paths are taken literally."""
    assert (await wire.get(path)).status == 404


async def test_answers_are_utf_8(wire: Wire, peer: Peer, autojump_clock: MockClock) -> None:
    """Names are readable as they are."""
    peer.register("orders", port=1, metadata={"wo": "Köln"})
    assert "Köln".encode() in (await wire.get(ORDERS)).body
    assert json.loads((await wire.get("/v1/services/%C3%A4")).body)["error"].count("ä") == 1
