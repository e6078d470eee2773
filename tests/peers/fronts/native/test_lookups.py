"""Looking up by the native routes: filters, mistakes, and what is kept encoded."""

import pytest
from http_wire import Wire
from trio.testing import MockClock

from gossamer.peers import Peer

ORDERS = "/v1/services/orders"
ONE = ORDERS + "/instances/one"


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
