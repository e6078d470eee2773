"""Limits of exchanges and of what all owners together may make a peer keep."""

import pytest
from cores import EPOCH, NOW, SEAL, Bench, address_of, delta, exchange, gossip, held, open_exchange

from gossamer.gossip import Exchange, Gossip, GossipConfig, Places, encode
from gossamer.gossip.messages import Done, Members, Parts, Want
from gossamer.gossip.messages._entries import SNAPSHOT
from gossamer.gossip.state import operation_size

# Places


def test_one_host_gets_half_of_the_places() -> None:
    """It may hold as many as are free, so the next one still finds room, and the one after."""
    places = Places(64)
    taken = [sum(places.take(host) for _ in range(100)) for host in "abcdefgh"]
    assert taken == [32, 16, 8, 4, 2, 1, 1, 0]
    assert len(places) == 64


@pytest.mark.parametrize(("limit", "first", "second"), [(1, 1, 0), (2, 1, 1), (3, 2, 1)])
def test_few_places_are_shared_as_well(limit: int, first: int, second: int) -> None:
    """Of three exchanges at once one host gets two."""
    places = Places(limit)
    assert sum(places.take("a") for _ in range(5)) == first
    assert sum(places.take("b") for _ in range(5)) == second


def test_a_place_that_is_given_back_is_free_again() -> None:
    """Nothing of a host is kept when it holds nothing."""
    places = Places(3)
    assert [places.take("a") for _ in range(3)] == [True, True, False]
    places.free("a")
    assert places.take("b")
    assert not places.take("a")
    places.free("a")
    places.free("b")
    assert len(places) == 0
    assert places.hosts == 0


# Exchanges


def _opened(core: Gossip, name: str = "x") -> Exchange:
    """Return an exchange that `name` has opened from its host."""
    called = open_exchange(core, name, (address_of(name)[0], 50_000))
    assert not called.finished
    return called


def _hear(called: Exchange, message: list[object], now: float = NOW) -> None:
    called.receive(SEAL.seal(encode(message), EPOCH), now)
    called.outbox.clear()


@pytest.mark.parametrize(("count", "ends"), [(9, False), (10, False), (11, True)])
@pytest.mark.parametrize("kind", [Want.KIND, Members.KIND, Parts.KIND])
def test_what_an_exchange_brings_is_bounded(kind: int, count: int, ends: bool) -> None:
    """Beyond the limit of items the exchange ends, and that is counted."""
    bench = Bench(exchange_items=1 + 10)  # the opening counts for one
    called = _opened(bench.core)
    items: list[object] = []
    for number in range(count):
        items += [f"o{number}", EPOCH, 1] if kind == Want.KIND else [b"\x80"]
    _hear(called, [kind, items, [0] * count] if kind == Members.KIND else [kind, items])
    assert called.finished == ends
    assert bench.counts("refused_items") == (int(ends),)


def test_empty_wants_do_not_go_on_without_end() -> None:
    """A frame counts for one item at least."""
    bench = Bench(exchange_items=1 + 10)  # the opening counts for one
    called = _opened(bench.core)
    for _ in range(10):
        _hear(called, [Want.KIND, []])
    assert bench.counts("refused_items") == (0,)
    _hear(called, [Want.KIND, []])
    assert called.finished
    assert bench.inside.exchanges.served == 0


def test_exchanges_opened_for_ever_leave_room_for_others() -> None:
    """A host that opens all it can and says nothing more holds two places of three."""
    bench = Bench()
    forever = [_opened(bench.core), _opened(bench.core)]
    third = open_exchange(bench.core, "x", (address_of("x")[0], 50_003))
    assert third.finished
    assert bench.counts("refused_exchanges") == (1,)
    other = gossip("other")
    other.publish("orders", b"here", NOW)
    exchange(other, bench.core, NOW)
    assert held(bench.core)["other"][2] == {"orders": b"here"}
    assert not any(each.finished for each in forever)


@pytest.mark.parametrize(("items", "served"), [(9, True), (10, False), (11, False)])
def test_what_a_host_brings_in_many_exchanges_is_bounded(items: int, served: bool) -> None:
    """A host that has brought its share is busy for the rest of ten seconds; others are not."""
    bench = Bench(host_items=10)
    for count in (items - 5, 5):
        called = _opened(bench.core)
        _hear(called, [Parts.KIND, [b"\x80"] * (count - 1)])  # its opening counts for one
        _hear(called, [Done.KIND])
    host = address_of("x")[0]
    assert (bench.inside.exchanges.enter(host, NOW) is None) == served
    assert bench.counts("refused_exchanges") == (int(not served),)
    assert bench.inside.exchanges.enter("10.8.8.8", NOW) is None
    bench.inside.exchanges.admission.places.free("10.8.8.8")
    assert bench.inside.exchanges.enter(host, NOW + 10) is None


def test_wants_of_what_does_not_exist_are_answered_by_nothing() -> None:
    """Heads that nobody has, and versions that nobody wrote, cost an answer of no bytes."""
    bench = Bench()
    bench.core.publish("orders", b"here", NOW)
    called = _opened(bench.core)
    called.outbox.clear()
    for number in range(100):
        flat: list[object] = [f"nobody-{number}", EPOCH, 5, "me", EPOCH + 9, 1 << 40]
        called.receive(SEAL.seal(encode([Want.KIND, flat]), EPOCH), NOW)
    assert sum(map(len, called.outbox)) < 20_000
    assert not called.finished


def test_what_moves_extends_an_exchange_in_proportion_and_within_a_bound() -> None:
    """A slow link has the time that its bytes take; silence gains none."""
    bench = Bench(stream_rate=1000, stream_extension=5.0, stream_timeout=10.0)
    called = _opened(bench.core)
    began = called.deadline
    frame = SEAL.seal(encode([Want.KIND, []]), EPOCH)
    called.receive(frame, NOW)
    assert called.deadline == pytest.approx(began + len(frame) / 1000)
    called.moved(4000)
    assert called.deadline == pytest.approx(began + len(frame) / 1000 + 4)
    called.moved(10**9)
    # What came before it asked counts as well.
    assert NOW + 10 + 4.9 < called.deadline <= NOW + 10 + 5


def test_garbage_gains_no_time() -> None:
    """Only frames with a right seal and of the right form count as progress."""
    bench = Bench()
    called = _opened(bench.core)
    before = called.deadline
    called.receive(bytes(1000), NOW)
    assert called.deadline == before
    assert called.finished


# All owners together

SIZE = operation_size("k", bytes(1000))


def _told(bench: Bench, owner: str, *, size: int = 1000, since: int = 0) -> bool:
    """Have a member tell of a record; return whether it was taken."""
    bench.hear("a", updates=[delta(owner, since, ("k", bytes(size)))])
    part = bench.core.parts.get(owner)
    return part is not None and part.version > since


@pytest.mark.parametrize(("limit", "taken"), [(2 * SIZE - 1, 1), (2 * SIZE, 2), (2 * SIZE + 1, 2)])
def test_the_bytes_of_all_owners_are_bounded(limit: int, taken: int) -> None:
    """One below, at, and above what two owners need; the own records do not count."""
    bench = Bench(store_bytes=limit)
    bench.core.publish("own", bytes(5000), NOW)
    bench.meet("a")
    assert [_told(bench, f"o{number}") for number in range(2)] == [True, taken == 2]
    assert not _told(bench, "late")
    assert bench.counts("refused_store") == (3 - taken,)
    assert bench.core.statistics()["record_bytes"] == taken * SIZE + operation_size(
        "own", bytes(5000)
    )


def test_a_part_that_stays_as_large_is_taken_and_one_that_grows_is_not() -> None:
    """At the limit, changes that need no room go on; what is held never goes for what comes."""
    bench = Bench(store_bytes=SIZE)
    bench.meet("a")
    assert _told(bench, "first")
    assert not _told(bench, "second")
    assert _told(bench, "first", since=1)
    assert not _told(bench, "first", since=2, size=1001)
    assert bench.core.parts["first"].version == 2


def test_a_snapshot_has_to_fit_as_well() -> None:
    """A part that comes in an exchange is judged by the same bound."""
    for limit, fits in ((SIZE - 1, False), (SIZE, True)):
        bench = Bench(store_bytes=limit)
        called = _opened(bench.core)
        entry = encode([SNAPSHOT, "o", EPOCH, 70, 0, ["k", bytes(1000)]])
        _hear(called, [Parts.KIND, [entry]])
        assert ("o" in held(bench.core)) == fits
        assert bench.counts("refused_store") == (int(not fits),)


def test_what_was_declined_is_not_sent_again_and_again() -> None:
    """A part without room counts as known in exchanges, until there may be room again."""
    full, other = gossip("full", store_bytes=SIZE), gossip("other")
    other.publish("k", bytes(20_000), NOW)
    first = exchange(full, other, NOW)
    second = exchange(full, other, NOW)
    third = exchange(other, full, NOW)
    assert first > 20_000
    assert second < 1000
    assert third < 1000
    assert "other" not in held(full)


def test_what_was_declined_is_taken_when_there_is_room() -> None:
    """After half a minute it is tried again; then it fits, since an owner withdrew."""
    full, first, other = gossip("full", store_bytes=SIZE), gossip("first"), gossip("other")
    first.publish("k", bytes(1000), NOW)
    exchange(full, first, NOW)
    other.publish("k", bytes(1000), NOW)
    exchange(full, other, NOW)
    assert "other" not in held(full)
    first.withdraw("k", NOW + 1)
    exchange(full, first, NOW + 1)
    exchange(full, other, NOW + 1)
    assert "other" not in held(full)
    for second in range(60):
        full.tick(NOW + second)
        for begun in full.calls:
            begun.fail("nobody calls", NOW + second)
        full.calls.clear()
    exchange(full, other, NOW + 60)
    assert held(full)["other"][2] == {"k": bytes(1000)}


def test_declined_owners_are_bounded() -> None:
    """A peer remembers only a limited number of the owners whose parts it declined."""
    bench = Bench(store_bytes=1, sender_updates=5000, sender_datagrams=5000)
    bench.meet("a")
    for number in range(1500):
        _told(bench, f"o{number}")
    assert len(bench.inside.replicas.declined) == 1024
    assert bench.core.statistics()["record_bytes"] == 0


def test_deltas_with_gaps_are_bounded() -> None:
    """What never will be filled waits in bounded room and is counted."""
    bench = Bench()
    bench.meet("a")
    for number in range(1000):
        bench.hear("a", updates=[delta(f"o{number % 500}", 5 + number, ("k", b"v"))])
        bench.now += 0.0001
    kept = bench.core.statistics()
    assert kept["waiting_deltas"] <= 256 * 16
    assert kept["refused_waiting"] > 0
    assert kept["parts"] == 0


@pytest.mark.parametrize(
    "name",
    ["stream_rate", "exchange_items", "host_items", "sender_datagrams", "sender_updates",
     "senders", "store_bytes"],
)  # fmt: skip
def test_limits_are_checked(name: str) -> None:
    """None of them may be nothing."""
    with pytest.raises(ValueError, match=f"{name} must be greater than 0"):
        GossipConfig.profile("lan", name="me", **{name: 0})


def test_done_ends_an_exchange_at_once() -> None:
    """A place is free when the other has said that it is done."""
    bench = Bench()
    called = _opened(bench.core)
    assert bench.inside.exchanges.served == 1
    _hear(called, [Done.KIND])
    assert called.finished
    assert bench.inside.exchanges.served == 0
