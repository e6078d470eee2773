"""Registering, and what becomes of an instance: the native routes over whole peers."""

import pytest
import trio
from http_wire import Wire, open_peer_lab
from trio.testing import MockClock
from whole_peers import Town, ids, until

from gossamer.peers import Peer

ORDERS = "/v1/services/orders"
ONE = ORDERS + "/instances/one"


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
    assert peer.lookup("orders", all=True)[0].source == "http"

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


async def test_a_service_reports_how_it_is(
    wire: Wire, peer: Peer, autojump_clock: MockClock
) -> None:
    """The report is the service's own status; an override stays beside it and is shown."""
    peer.register("orders", port=1, id="one")
    body = {"status": "DOWN", "output": "the database does not answer"}
    reply = await wire.ask("PUT", ONE + "/report", body)
    assert (reply.status, reply.json["status"], reply.json["own_status"]) == (200, "DOWN", "DOWN")
    assert reply.json["output"] == body["output"]
    assert ids(peer, "orders") == []

    await wire.ask("PUT", ONE + "/status", {"status": "OUT_OF_SERVICE"})
    reply = await wire.ask("PUT", ONE + "/report", {"status": "UP"})
    assert (reply.json["status"], reply.json["own_status"]) == ("OUT_OF_SERVICE", "UP")
    assert "output" not in reply.json
    await wire.ask("DELETE", ONE + "/status")
    assert ids(peer, "orders") == ["one"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"output": "x"}, "status"),
        ({"status": "AWAKE"}, "status"),
        ({"status": "UNKNOWN"}, "status"),
        ({"status": None}, "status"),
        ({"status": "DOWN", "output": 1}, "output"),
        ({"status": "DOWN", "reason": "x"}, "reason"),
    ],
)
async def test_what_is_wrong_with_a_report_is_named(
    wire: Wire, peer: Peer, body: object, field: str, autojump_clock: MockClock
) -> None:
    """And nothing is changed."""
    peer.register("orders", port=1, id="one")
    reply = await wire.ask("PUT", ONE + "/report", body)
    assert (reply.status, reply.json["field"]) == (400, field)
    assert ids(peer, "orders") == ["one"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("PUT", "/heartbeat"),
        ("PUT", "/report"),
        ("PUT", "/status"),
        ("DELETE", "/status"),
    ],
)
async def test_what_is_not_there_cannot_be_changed(
    wire: Wire, peer: Peer, method: str, path: str, autojump_clock: MockClock
) -> None:
    """404 names the service or the instance, whichever is missing."""
    body = {"status": "DOWN"} if method == "PUT" and path != "/heartbeat" else None
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
