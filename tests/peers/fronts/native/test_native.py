"""The native routes over whole peers: real bytes in, the real registry behind."""

import json
from collections.abc import AsyncIterator

import pytest
import trio
from http_wire import Wire, open_peer_lab
from trio.testing import MockClock
from whole_peers import Town, ids, open_town, status, until

from gossamer.peers import Peer

ORDERS = "/v1/services/orders"
ONE = ORDERS + "/instances/one"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


@pytest.fixture
async def peer(town: Town) -> Peer:
    return await town.start(1)


@pytest.fixture
async def wire(peer: Peer) -> AsyncIterator[Wire]:
    async with open_peer_lab(peer) as lab:
        yield lab.connect()


# Registering


async def test_a_registration_is_created_and_then_replaced(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """201 and 200, with the instance as everybody sees it."""
    fields = {
        "port": 8080,
        "address": "10.0.0.5",
        "tags": ["v2"],
        "metadata": {"team": "a"},
        "weight": 3,
        "zone": "z1",
        "ttl": 30,
        "status": "STARTING",
    }
    created = await wire.ask("PUT", ONE, fields)
    assert created.status == 201
    shown = created.json
    assert {name: shown[name] for name in fields} == fields
    assert (shown["service"], shown["id"], shown["owner"]) == ("orders", "one", "p1")
    assert shown["registered_at"] == "2026-01-31T12:00:00.000Z"
    assert shown == peer.lookup("orders", all=True)[0].to_json()

    replaced = await wire.ask("PUT", ONE, {"port": 8081})
    assert (replaced.status, replaced.json["port"]) == (200, 8081)
    assert len(peer.lookup("orders")) == 1


async def test_a_registration_without_an_id_is_given_one(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """The same service, address and port are the same instance again."""
    first = await wire.ask("POST", ORDERS + "/instances", {"port": 8080})
    again = await wire.ask("POST", ORDERS + "/instances", {"port": 8080})
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert ids(peer, "orders") == [first.json["id"]]


async def test_names_may_hold_what_a_path_must_escape(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """A colon, a blank, a plus and an umlaut; but a slash is refused by the registry's own rule."""
    target = "/v1/services/sch%C3%B6n%20+/instances/h%3A8080"
    reply = await wire.ask("PUT", target, {"port": 1})
    assert (reply.json["service"], reply.json["id"]) == ("schön +", "h:8080")
    assert (await wire.get(target)).json == reply.json
    assert (await wire.get("/v1/services/sch%C3%B6n%20+")).json["instances"] == [reply.json]

    refused = await wire.ask("PUT", "/v1/services/a%2Fb/instances/one", {"port": 1})
    assert (refused.status, refused.json["field"]) == (400, "service")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "port"),
        ("", "port"),
        ('{"port": 0}', "port"),
        ('{"port": 70000}', "port"),
        ('{"port": true}', "port"),
        ('{"port": 80.0}', "port"),
        ('{"port": "80"}', "port"),
        ('{"port": null}', "port"),
        ('{"port": 1, "prot": 2}', "prot"),
        ('{"port": 1, "id": "two"}', "id"),
        ('{"port": 1, "port": 2}', "port"),
        ('{"%s": 1}' % ("a" * 9000), "a" * 77 + "..."),
        ('{%s"b": 1}' % ('"b": 1,' * 9000), "b"),
        ('{"port": 1, "metadata": {"a": "1", "a": "2"}}', "a"),
        ('{"port": 1, "metadata": {"a": 1}}', "metadata"),
        ('{"port": 1, "metadata": {"a": "%s"}}' % ("x" * 5000), "metadata"),
        ('{"port": 1, "metadata": []}', "metadata"),
        ('{"port": 1, "tags": "v2"}', "tags"),
        ('{"port": 1, "tags": [["v2"]]}', "tags"),
        ('{"port": 1, "tags": null}', "tags"),
        ('{"port": 1, "weight": -1}', "weight"),
        ('{"port": 1, "weight": true}', "weight"),
        ('{"port": 1, "ttl": 0}', "ttl"),
        ('{"port": 1, "ttl": NaN}', None),
        ('{"port": 1, "ttl": Infinity}', None),
        ('{"port": 1, "ttl": 1e999}', None),
        ('{"port": 1, "ttl": true}', "ttl"),
        ('{"port": 1, "zone": "\\ud800"}', "zone"),
        ('{"port": 1, "zone": "a\\u0000b"}', "zone"),
        ('{"port": 1, "\\ud800": 1}', "?"),
        ('{"port": 1, "address": "not a host"}', "address"),
        ('{"port": 1, "status": "AWAKE"}', "status"),
        ('{"port": 1', None),
        ('{"port": %s}' % ("9" * 5000), None),
        ("[1]", None),
        ('"port"', None),
        ("null", None),
        ("[" * 60_000, None),
        ('{"tags":' * 7_000, None),
        ("\ufeff{}", None),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_body_is_named(
    wire: Wire, peer: Peer, body: str, field: str | None, autojump_clock: MockClock
) -> None:
    """400 with one sentence and the field's name; nothing is registered."""
    reply = await wire.ask("PUT", ONE, body.encode())
    assert (reply.status, reply.json["field"]) == (400, field), reply.json
    assert "\n" not in reply.error
    assert len(reply.error) < 300
    assert not peer.knows("orders")


@pytest.mark.parametrize("body", [b"\xff", '{"port": 1}'.encode("utf-16")])
async def test_a_body_that_is_not_utf_8_is_refused(
    wire: Wire, body: bytes, autojump_clock: MockClock
) -> None:
    """JSON between programs is UTF-8 (RFC 8259, section 8.1)."""
    reply = await wire.ask("PUT", ONE, body)
    assert reply.status == 400
    assert "UTF-8" in reply.error


async def test_a_record_that_is_too_large_is_413(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """Each field may be within its own limit, and the whole still be too much."""
    metadata = {f"key-{n}": "x" * 1_000 for n in range(20)}
    reply = await wire.ask("PUT", ONE, {"port": 1, "metadata": metadata})
    assert reply.status == 413
    assert not peer.knows("orders")


# Looking up


async def test_a_lookup_is_filtered(wire: Wire, peer: Peer, autojump_clock: MockClock) -> None:
    """By tag and zone, with instances that are not UP only when all are wanted."""
    peer.register("orders", port=1, id="one", tags=["v1"], zone="z1")
    peer.register("orders", port=2, id="two", tags=["v2", "schön"], zone="z2")
    peer.register("orders", port=3, id="down", tags=["v2"], zone="z1", status="DOWN")

    async def found(query: str) -> list[str]:
        reply = await wire.get(ORDERS + query)
        assert reply.status == 200
        assert reply.headers["x-gossamer-index"] == str(peer.lookup("orders").index)
        assert reply.json.keys() == {"service", "degraded", "instances"}
        return [each["id"] for each in reply.json["instances"]]

    assert await found("") == await found("?tag=&zone=") == ["one", "two"]
    assert await found("?tag=v2") == ["two"]
    assert await found("?tag=sch%C3%B6n") == ["two"]
    assert await found("?zone=z1") == ["one"]
    assert await found("?tag=v1&zone=z2") == []
    for yes in ("all", "all=", "all=true", "all=1", "all=True"):
        assert await found(f"?{yes}&tag=v2") == ["down", "two"]
    for no in ("all=false", "all=0"):
        assert await found(f"?{no}&zone=z1") == ["one"]


async def test_an_answer_is_never_older_than_the_registry(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """Encoded answers are kept, each only while its service is as it was."""
    for port in range(1, 20):
        peer.register("orders", port=port, id="one", tags=[f"t{port % 2}"])
        for query in ("", "?tag=t1", "?all"):
            reply = await wire.get(ORDERS + query)
            expected = peer.lookup("orders", tag="t1" if "tag" in query else None)
            assert reply.json == expected.to_json()
            assert (await wire.get(ORDERS + query)).body == reply.body


async def test_an_unknown_service_is_404_and_one_without_instances_up_is_not(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """A name that nobody knows is a mistake; a service that is down is an answer."""
    unknown = await wire.get(ORDERS)
    assert (unknown.status, unknown.json["field"]) == (404, "service")
    assert "'orders'" in unknown.error
    assert "x-gossamer-index" in unknown.headers
    peer.register("orders", port=1, status="DOWN")
    assert (await wire.get(ORDERS)).json["instances"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tga=v2", "tga"),
        ("tag=a&tag=b", "tag"),
        ("all=maybe", "all"),
        ("wait=-1", "wait"),
        ("wait=301", "wait"),
        ("wait=300.1", "wait"),
        ("wait=1e1", "wait"),
        ("wait=nan", "wait"),
        ("wait=%D9%A3", "wait"),  # a digit, but not of ours
        ("wait=", "wait"),
        ("index=-1", "index"),
        ("index=1.5", "index"),
        ("index=x", "index"),
        ("tag=%ff", None),
        ("&".join(f"a{n}=1" for n in range(40)), None),
    ],
)
async def test_what_is_wrong_with_a_query_is_named(
    wire: Wire, query: str, field: str | None, autojump_clock: MockClock
) -> None:
    """A typing error must not silently mean "all of them"."""
    reply = await wire.get(f"{ORDERS}?{query}")
    assert (reply.status, reply.json["field"]) == (400, field)


async def test_one_instance_is_shown(wire: Wire, peer: Peer, autojump_clock: MockClock) -> None:
    """Of whatever status; what is missing is named."""
    instance = peer.register("orders", port=1, id="one", status="DOWN")
    assert (await wire.get(ONE)).json == instance.to_json()
    missing = await wire.get(ORDERS + "/instances/two")
    assert (missing.status, missing.json["field"]) == (404, "id")
    unknown = await wire.get("/v1/services/bills/instances/one")
    assert (unknown.status, unknown.json["field"]) == (404, "service")


# Changing


async def test_a_heartbeat_keeps_an_instance_alive(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """204 while the lease runs; 404 once it has run out, so that the service registers again."""
    await wire.ask("PUT", ONE, {"port": 1, "ttl": 10})
    for _ in range(5):
        await trio.sleep(9)
        reply = await wire.ask("PUT", ONE + "/heartbeat")
        assert (reply.status, reply.body) == (204, b"")
    await trio.sleep(11)
    assert not peer.knows("orders")
    reply = await wire.ask("PUT", ONE + "/heartbeat")
    assert (reply.status, reply.json["field"]) == (404, "service")


async def test_a_status_is_overridden_and_given_back(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """With a reason and an end; the override is shown with the instance."""
    peer.register("orders", port=1, id="one")
    body = {"status": "OUT_OF_SERVICE", "reason": "drill", "expires": 60}
    reply = await wire.ask("PUT", ONE + "/status", body)
    assert (reply.status, reply.json["status"]) == (200, "OUT_OF_SERVICE")
    assert reply.json["override"] == {
        "status": "OUT_OF_SERVICE",
        "reason": "drill",
        "by": "p1",
        "expires_at": "2026-01-31T12:01:00.000Z",
    }
    cleared = await wire.ask("DELETE", ONE + "/status")
    assert (cleared.status, cleared.json["status"]) == (200, "UP")
    assert "override" not in cleared.json


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"status": "AWAKE"}, "status"),
        ({"status": None}, "status"),
        ({"status": "DOWN", "reason": 1}, "reason"),
        ({"status": "DOWN", "expires": True}, "expires"),
        ({"status": "DOWN", "until": 1}, "until"),
    ],
)
async def test_what_is_wrong_with_an_override_is_named(
    wire: Wire, peer: Peer, body: object, field: str, autojump_clock: MockClock
) -> None:
    """And nothing is overridden."""
    peer.register("orders", port=1, id="one")
    reply = await wire.ask("PUT", ONE + "/status", body)
    assert (reply.status, reply.json["field"]) == (400, field)
    assert ids(peer, "orders") == ["one"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("PUT", "/heartbeat"),
        ("PUT", "/status"),
        ("DELETE", "/status"),
    ],
)
async def test_what_is_not_there_cannot_be_changed(
    wire: Wire, peer: Peer, method: str, path: str, autojump_clock: MockClock
) -> None:
    """404 names the service or the instance, whichever is missing."""
    body = {"status": "DOWN"} if (method, path) == ("PUT", "/status") else None
    reply = await wire.ask(method, ONE + path, body)
    assert (reply.status, reply.json["field"]) == (404, "service")
    peer.register("orders", port=1, id="two")
    reply = await wire.ask(method, ONE + path, body)
    assert (reply.status, reply.json["field"]) == (404, "id")
    assert ids(peer, "orders") == ["two"]


async def test_any_peer_ends_an_instance(town: Town, peer: Peer, autojump_clock: MockClock) -> None:
    """The one that is asked answers with what is gone, and the owner hears of it."""
    other = await town.start(2)
    peer.register("orders", port=1, id="one")
    await until(lambda: other.knows("orders"), 5)
    async with open_peer_lab(other) as lab:
        wire = lab.connect()
        reply = await wire.ask("DELETE", ONE)
        assert (reply.status, reply.json["id"]) == (200, "one")
        assert (await wire.get(ORDERS)).status == 404
    await until(lambda: not peer.knows("orders"), 1)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", ONE), ("PUT", ONE + "/heartbeat"), ("POST", "/v1/leave")],
)
async def test_an_action_without_fields_takes_none(
    wire: Wire, peer: Peer, method: str, path: str, autojump_clock: MockClock
) -> None:
    """A field, or a parameter, that would be ignored was meant to do something."""
    peer.register("orders", port=1, id="one")
    assert (await wire.ask(method, path, {"force": 1})).json["field"] == "force"
    assert (await wire.ask(method, path + "?force=1")).json["field"] == "force"
    assert peer.knows("orders")
    assert peer.is_running


async def test_loss_is_accepted_of_one_service_or_of_all(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """Where nothing was lost, nothing is dropped."""
    peer.register("orders", port=1)
    assert (await wire.ask("POST", ORDERS + "/accept-loss")).json == {"dropped": 0}
    assert (await wire.ask("POST", "/v1/accept-loss", {})).json == {"dropped": 0}
    assert (await wire.ask("POST", "/v1/services/bills/accept-loss")).status == 404


# The mesh


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
    assert info["counters"]["http_requests"] == 3
    assert info["counters"]["http_connections_open"] == 1
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
    """Who asks a peer to leave and hangs up means it."""
    async with open_peer_lab(peer) as lab:
        wire = lab.connect()
        await wire.send("POST", "/v1/leave")
        await wire.stream.aclose()
        await peer.left()


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


@pytest.mark.parametrize("path", ["/", "/metrics", "/v1", "/v1/", "/v1//info", "/v1/info/", "//"])
async def test_what_is_not_there_is_404(wire: Wire, path: str, autojump_clock: MockClock) -> None:
    """Paths are taken literally."""
    assert (await wire.get(path)).status == 404


async def test_answers_are_utf_8(wire: Wire, peer: Peer, autojump_clock: MockClock) -> None:
    """Names are readable as they are."""
    peer.register("orders", port=1, metadata={"wo": "Köln"})
    assert "Köln".encode() in (await wire.get(ORDERS)).body
    assert json.loads((await wire.get("/v1/services/%C3%A4")).body)["error"].count("ä") == 1
