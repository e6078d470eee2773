"""Long polls and event streams over whole peers, in virtual time."""

import json
from collections.abc import AsyncIterator

import pytest
import trio
from http_wire import Lab, Reply, Wire, open_peer_lab
from trio.testing import MockClock, wait_all_tasks_blocked
from whole_peers import Town, until

from gossamer.peers import Peer

ORDERS = "/v1/services/orders"


@pytest.fixture
async def lab(peer: Peer) -> AsyncIterator[Lab]:
    async with open_peer_lab(peer) as lab:
        yield lab


class Poll:
    """A long poll that is asked in the background."""

    def __init__(self) -> None:
        self.took = 0.0
        self._replies: list[Reply] = []

    async def ask(self, wire: Wire, query: str) -> None:
        began = trio.current_time()
        self._replies.append(await wire.get(f"{ORDERS}?{query}"))
        self.took = trio.current_time() - began

    @property
    def is_waiting(self) -> bool:
        return not self._replies

    @property
    def reply(self) -> Reply:
        assert self._replies, "it still waits"
        return self._replies[0]


@pytest.fixture
async def background() -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


async def begin(background: trio.Nursery, lab: Lab, query: str) -> Poll:
    """Ask, and return when the peer has begun to wait or has answered."""
    poll = Poll()
    background.start_soon(poll.ask, lab.connect(), query)
    await wait_all_tasks_blocked()
    return poll


# Long polls


async def test_a_poll_is_answered_when_the_service_changes(
    background: trio.Nursery, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """At once, with the new state and the index for the next poll."""
    peer.register("orders", port=1, id="one")
    index = peer.lookup("orders").index
    poll = await begin(background, lab, f"wait=60&index={index}")
    await trio.sleep(20)
    assert poll.is_waiting

    peer.register("orders", port=2, id="two")
    await wait_all_tasks_blocked()

    assert [each["id"] for each in poll.reply.json["instances"]] == ["one", "two"]
    assert poll.reply.headers["x-gossamer-index"] == str(peer.lookup("orders").index)
    assert poll.took == pytest.approx(20, abs=0.1)


async def test_a_poll_is_about_its_service_alone(
    background: trio.Nursery, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """However much goes on elsewhere, it waits out its time and then tells the present state."""
    peer.register("orders", port=1)
    index = peer.lookup("orders").index
    poll = await begin(background, lab, f"wait=10&index={index}")
    for port in range(1, 20):
        peer.register("bills", port=port)
        await trio.sleep(0.5)
    assert poll.is_waiting
    await trio.sleep(1)
    assert (poll.reply.status, poll.reply.headers["x-gossamer-index"]) == (200, str(index))
    assert poll.took == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("query", ["", "wait=60", "index={}", "wait=0&index={}", "wait=60&index=7"])
async def test_a_poll_that_has_nothing_to_wait_for_is_answered_at_once(
    background: trio.Nursery, lab: Lab, peer: Peer, query: str, autojump_clock: MockClock
) -> None:
    """No wait was asked for, or the index is another one already."""
    peer.register("orders", port=1)
    poll = await begin(background, lab, query.format(peer.lookup("orders").index))
    assert poll.reply.status == 200


async def test_a_poll_waits_for_a_service_to_appear(
    background: trio.Nursery, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """Also while others come and go."""
    poll = await begin(background, lab, "wait=60")
    peer.register("bills", port=1, id="one")
    peer.deregister("bills", "one")
    await trio.sleep(5)
    assert poll.is_waiting
    peer.register("orders", port=1, id="one")
    await wait_all_tasks_blocked()
    assert poll.reply.json["instances"][0]["id"] == "one"


async def test_a_poll_for_a_service_that_never_appears_is_404(
    background: trio.Nursery, lab: Lab, autojump_clock: MockClock
) -> None:
    """When its time is over."""
    poll = await begin(background, lab, "wait=60")
    await trio.sleep(60.1)
    assert (poll.reply.status, poll.reply.json["field"]) == (404, "service")
    assert poll.took == pytest.approx(60, abs=0.1)


async def test_a_poll_is_told_of_the_end_of_its_service(
    background: trio.Nursery, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """404 at once, and its index serves to wait for the service to come back."""
    peer.register("orders", port=1, id="one")
    poll = await begin(background, lab, f"wait=60&index={peer.lookup('orders').index}")
    peer.deregister("orders", "one")
    await wait_all_tasks_blocked()
    assert poll.reply.status == 404

    again = await begin(background, lab, f"wait=60&index={poll.reply.headers['x-gossamer-index']}")
    assert again.is_waiting
    peer.register("orders", port=1, id="one")
    await wait_all_tasks_blocked()
    assert again.reply.status == 200


async def test_a_poll_hears_of_another_peer(
    background: trio.Nursery, town: Town, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """What was registered elsewhere wakes it within a blink."""
    other = await town.start(2)
    await until(lambda: len(peer.members()) == 2, 5)
    poll = await begin(background, lab, "wait=60")
    await trio.sleep(10)
    other.register("orders", port=1)
    await trio.sleep(0.1)
    assert poll.reply.json["instances"][0]["owner"] == "p2"


async def test_a_poll_at_a_peer_that_stops_is_told(
    background: trio.Nursery, lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """503, so that the client asks another one."""
    poll = await begin(background, lab, "wait=60&index=0")
    peer.abort()
    await wait_all_tasks_blocked()
    assert poll.reply.status == 503


async def test_a_poll_ends_with_its_client(lab: Lab, peer: Peer, autojump_clock: MockClock) -> None:
    """Nothing of it stays behind."""
    before = peer.statistics()["subscriptions"]
    wire = lab.connect()
    await wire.send("GET", f"{ORDERS}?wait=300")
    await wait_all_tasks_blocked()
    assert peer.statistics()["subscriptions"] == before + 1
    await wire.stream.aclose()
    await wait_all_tasks_blocked()
    assert peer.statistics()["subscriptions"] == before


# Event streams


class Events:
    """The client's side of an event stream."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._text = ""

    async def next_block(self) -> str:
        while "\n\n" not in self._text:
            self._text += (await self._wire.piece()).decode()
        block, _, self._text = self._text.partition("\n\n")
        return block

    async def next(self) -> tuple[str, list[str]]:
        """Return service and ids of the next event."""
        kind, index, data = (await self.next_block()).split("\n")
        document = json.loads(data.removeprefix("data: "))
        assert kind == "event: lookup"
        assert int(index.removeprefix("id: ")) > 0
        return document["service"], [each["id"] for each in document["instances"]]


async def watch(wire: Wire, query: str = "") -> Events:
    await wire.send("GET", f"/v1/watch{query}")
    head = await wire.head()
    assert head.status_code == 200
    headers = dict(head.headers)
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    return Events(wire)


async def test_a_stream_of_one_service_begins_with_its_state(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """Then each change of it, and nothing of others."""
    peer.register("orders", port=1, id="one")
    events = await watch(lab.connect(), "?service=orders")
    assert await events.next() == ("orders", ["one"])
    peer.register("bills", port=1)
    peer.register("orders", port=2, id="two")
    assert await events.next() == ("orders", ["one", "two"])
    peer.deregister("orders", "one")
    assert await events.next() == ("orders", ["two"])
    peer.deregister("orders", "two")
    assert await events.next() == ("orders", [])


async def test_a_stream_of_an_unknown_service_begins_empty(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """A watch is how to wait for it."""
    events = await watch(lab.connect(), "?service=orders")
    assert json.loads((await events.next_block()).split("data: ")[1])["instances"] == []
    peer.register("orders", port=1, id="one")
    assert await events.next() == ("orders", ["one"])


async def test_a_stream_of_all_services_tells_whichever_changed(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """It begins with the state of each."""
    peer.register("orders", port=1, id="one")
    peer.register("bills", port=1, id="b")
    events = await watch(lab.connect())
    assert sorted([await events.next(), await events.next()]) == [
        ("bills", ["b"]),
        ("orders", ["one"]),
    ]
    peer.register("mails", port=1, id="m")
    assert await events.next() == ("mails", ["m"])
    peer.deregister("bills", "b")
    assert await events.next() == ("bills", [])


async def test_a_slow_reader_gets_the_latest_value(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """What was in between is skipped; there is no backlog."""
    peer.register("orders", port=1, id="one")
    events = await watch(lab.connect(lockstep=True), "?service=orders")
    for port in range(2, 100):
        peer.register("orders", port=port, id="one")
        await wait_all_tasks_blocked()
    ports: list[int] = []
    while not ports or ports[-1] != 99:
        data = (await events.next_block()).split("data: ")[1]
        ports.append(json.loads(data)["instances"][0]["port"])
    assert len(ports) <= 3


async def test_a_quiet_stream_is_kept_alive(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """A comment every 15 s, and changes between them at once."""
    peer.register("orders", port=1, id="one")
    events = await watch(lab.connect(), "?service=orders")
    await events.next()
    for n in range(1, 4):
        assert (await events.next_block()).startswith(":")
        assert trio.current_time() == pytest.approx(15 * n, abs=0.1)
    await trio.sleep(5)
    peer.register("orders", port=2, id="two")
    assert await events.next() == ("orders", ["one", "two"])
    assert trio.current_time() == pytest.approx(50, abs=0.1)


async def test_a_stream_ends_with_its_client(
    lab: Lab, peer: Peer, autojump_clock: MockClock
) -> None:
    """Nothing of it stays behind."""
    before = peer.statistics()["subscriptions"]
    wire = lab.connect()
    await watch(wire)
    await wait_all_tasks_blocked()
    assert peer.statistics()["subscriptions"] == before + 1
    await wire.stream.aclose()
    await wait_all_tasks_blocked()
    assert peer.statistics()["subscriptions"] == before


async def test_a_stream_ends_with_its_peer(lab: Lab, peer: Peer, autojump_clock: MockClock) -> None:
    """In good order, so that the client knows that it has all."""
    wire = lab.connect()
    await wire.send("GET", "/v1/watch")
    await wait_all_tasks_blocked()
    peer.abort()
    assert (await wire.reply()).body == b""


@pytest.mark.parametrize(("query", "field"), [("service=", "service"), ("tag=a", "tag")])
async def test_what_is_wrong_with_a_watch_is_named(
    lab: Lab, query: str, field: str, autojump_clock: MockClock
) -> None:
    """As anywhere."""
    reply = await lab.connect().get(f"/v1/watch?{query}")
    assert (reply.status, reply.json["field"]) == (400, field)
