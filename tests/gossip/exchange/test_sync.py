"""The exchange of state: both are equal after it, or neither was harmed."""

import random
from typing import Any

import pytest
from cores import (
    EPOCH,
    NOW,
    SEAL,
    Bench,
    Link,
    about,
    converse,
    exchange,
    gossip,
    held,
    open_exchange,
)
from hypothesis import given, settings, strategies as st
from keys import key, ring, sealer

from gossamer.gossip import FRAME_LIMIT, Address, Gossip, Joined, PartChanged, encode
from gossamer.gossip.basis import decode
from gossamer.gossip.exchange import SyncExchange
from gossamer.gossip.messages import (
    Another,
    Ask,
    Busy,
    Done,
    Heads,
    Hello,
    Members,
    Open,
    Parts,
    Probe,
    Probed,
    Want,
)
from gossamer.gossip.state import Operation, Part

# What an owner wrote in its life: epoch, and operations on few keys, some records of a datagram.
histories = st.tuples(
    st.integers(EPOCH, EPOCH + 2),
    st.lists(
        st.tuples(st.sampled_from("klm"), st.one_of(st.none(), st.binary(max_size=4))),
        min_size=1,
        max_size=100,
    ),
)
# How much of it each side has heard, in percent, by owner.
knowledge = st.dictionaries(
    st.sampled_from([f"owner-{number}" for number in range(8)]),
    st.tuples(histories, st.integers(0, 100), st.integers(0, 100)),
    max_size=8,
)


def _know(core: Gossip, owner: str, epoch: int, operations: list[Operation], share: int) -> None:
    """Have a core hold the first so many percent of an owner's operations, by merging them."""
    for since in range(len(operations) * share // 100):
        part = core.inside.context.store.open(owner, epoch)
        core.inside.context.store.merge(part, since, operations[since : since + 1])


def _crowd(core: Gossip, count: int, prefix: str = "crowd") -> None:
    for number in range(count):
        _know(core, f"{prefix}-{number}", EPOCH, [("k", b"v")], 100)


def _frames(exchange: SyncExchange) -> list[list[object]]:
    frames = []
    for frame in exchange.outbox:
        message = decode(SEAL.open(frame)[1])
        assert isinstance(message, list)
        frames.append(message)
    return frames


@settings(max_examples=60)
@given(knowledge, st.booleans(), st.sampled_from(["heal", "repair", "join"]))
def test_after_one_exchange_both_hold_the_same(
    parts: dict[str, tuple[tuple[int, list[Operation]], int, int]], large: bool, purpose: str
) -> None:
    """One exchange is enough for any purpose and any missed changes, by heads or by buckets."""
    a, b = gossip("a"), gossip("b")
    if large:
        _crowd(a, 300)
        _crowd(b, 300)
    for owner, ((epoch, operations), ours, theirs) in parts.items():
        _know(a, owner, epoch, operations, ours)
        _know(b, owner, epoch, operations, theirs)
    a.publish("mine", b"a", NOW)
    b.publish("mine", b"b", NOW)
    expected = {
        owner: {key for key, value in operations[: len(operations) * max(ours, theirs) // 100]}
        for owner, ((_, operations), ours, theirs) in parts.items()
    }
    exchange(a, b, NOW, purpose)

    assert held(a) == held(b)
    assert a.inside.context.store.root == b.inside.context.store.root
    for owner, keys in expected.items():
        part = a.parts.get(owner)
        assert set(part.records if part else ()) <= keys
    assert held(a)["a"][2] == {"mine": b"a"}
    assert held(b)["b"][2] == {"mine": b"b"}


@given(st.integers(0, 5), st.integers(0, 5), st.integers(1, 90), st.integers(1, 90))
def test_a_newer_life_wins_in_either_direction(older: int, newer: int, n: int, m: int) -> None:
    """With different epochs on the two sides both end at the higher, whatever the versions."""
    a, b = gossip("a"), gossip("b")
    for core, epoch, count, value in ((a, older, n, b"a"), (b, 10 + newer, m, b"b")):
        _know(core, "o", EPOCH + epoch, [(f"k{i}", value) for i in range(count)], 100)
    exchange(a, b, NOW)
    assert held(a)["o"] == held(b)["o"]
    assert held(a)["o"][:2] == (EPOCH + 10 + newer, m)
    assert set(held(a)["o"][2].values()) == {b"b"}


def _asked(bench: Bench, address: Address) -> tuple[Any, Any]:
    """Return the heads and the buckets with which a core asks who greets it."""
    bench.inside.exchanges.begin("heal", address, NOW)
    [call] = bench.calls()
    assert isinstance(call, SyncExchange)
    call.receive(SEAL.seal(encode([Hello.KIND, about("a").encode()]), EPOCH), NOW)
    opening, question = _frames(call)
    assert (opening[0], question[0]) == (Open.KIND, Ask.KIND)
    return question[4], question[5]


def test_a_small_mesh_sends_its_heads_at_once() -> None:
    """Up to 256 owners who asks sends all heads; with one more, 8 kB of buckets."""
    bench = Bench()
    bench.meet("a", "b")  # who knows nobody leaves its own out
    bench.core.publish("k", b"v", NOW)
    _crowd(bench.core, 255)
    heads, buckets = _asked(bench, ("10.1.1.1", 1))
    assert (len(heads), buckets) == (3 * 256, None)
    _crowd(bench.core, 256)
    heads, buckets = _asked(bench, ("10.1.1.2", 1))
    assert (heads, len(buckets)) == (None, 8192)


def test_one_difference_among_many_costs_little() -> None:
    """Among 5,000 owners a single difference takes some 10 kB, as computed."""
    a, b = gossip("a"), gossip("b")
    for core in (a, b):
        _crowd(core, 5000)
    _know(b, "crowd-7", EPOCH, [("k", b"v"), ("k", b"w")], 100)
    exchange(a, b, NOW)
    _know(a, "crowd-8", EPOCH, [("k", b"v"), ("k", b"w")], 100)
    size = exchange(a, b, NOW, "repair")
    assert a.root[8:] == b.root[8:]
    assert size < 11_000


def test_equal_peers_exchange_no_parts() -> None:
    """Where nothing differs nothing is asked for and nothing given."""
    a, b = gossip("a"), gossip("b")
    a.publish("k", b"v", NOW)
    exchange(a, b, NOW)
    kinds: list[object] = []

    def note(_number: int, frame: bytes) -> bytes:
        message = decode(SEAL.open(frame)[1])
        assert isinstance(message, list)
        kinds.append(message[0])
        return frame

    a.inside.exchanges.begin("repair", b.address, NOW)
    converse(a.calls.pop(), b.accept(a.address, NOW), NOW, spoil=note)
    assert kinds == [Open.KIND, Hello.KIND, Ask.KIND, Done.KIND, Done.KIND]


def test_no_frame_exceeds_the_limit() -> None:
    """Twelve thousand owners with long names take several exchanges, each in frames that pass."""
    a, b = gossip("a"), gossip("b")
    _crowd(a, 300, "left")
    _crowd(b, 12_000, "n" * 110)
    sizes = []

    def measure(_number: int, frame: bytes) -> bytes:
        sizes.append(len(frame))
        return frame

    for _ in range(6):
        a.inside.exchanges.begin("repair", b.address, NOW)
        converse(a.calls.pop(), b.accept(a.address, NOW), NOW, spoil=measure)
    assert max(sizes) <= FRAME_LIMIT
    assert a.statistics()["refused_oversize"] == b.statistics()["refused_oversize"] == 0
    assert held(a) == held(b)
    assert len(a.parts) == 12_301


def test_a_frame_beyond_the_limit_is_not_read() -> None:
    """One byte more than 1 MiB ends the conversation unread; exactly so many are read."""
    bench = Bench()
    for extra, reason in ((0, "refused_malformed"), (1, "refused_oversize")):
        conversation = bench.core.accept(("10.1.1.1", 1), NOW)
        conversation.receive(SEAL.seal(bytes(FRAME_LIMIT - 29 + extra), 0), NOW)
        assert conversation.finished
        assert bench.counts(reason) == (1,)


def test_what_one_exchange_gives_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the budget nothing is given, smallest first, also to who asks again and again."""
    monkeypatch.setattr("gossamer.gossip.exchange._part_exchange._GIVEN_BYTES", 10_000)
    b = gossip("b")
    for number, size in enumerate((5000, 30, 4000, 3000)):
        _know(b, f"o{number}", EPOCH, [("k", bytes(size))], 100)
    bench = Bench()
    exchange(bench.core, b, NOW)
    assert set(bench.core.parts) - {"me"} == {"o1", "o2", "o3"}
    assert b.statistics()["exchanges_cut"] == 1

    greedy = open_exchange(b, "c", ("10.1.1.1", 1), owners=["nobody"])
    greedy.outbox.clear()
    want = SEAL.seal(encode([Want.KIND, ["o0", 0, 0]]), 0)
    for _ in range(50):
        greedy.receive(want, NOW)
    assert sum(map(len, greedy.outbox)) < 11_000


def test_what_an_exchange_brings_is_passed_on_at_once() -> None:
    """Updates that come by a stream wait for no tick: children hear of them at once."""
    bench, other = Bench(), gossip("other")
    bench.meet("c", "d")
    bench.run(1)
    bench.sent()
    other.publish("k", b"v", NOW)
    call = bench.core.accept(other.address, bench.now)
    other.join([bench.core.address], NOW)
    converse(other.calls.pop(), call, bench.now)
    told = {item.address for item in bench.sent() if item.packet.updates}
    assert told >= {bench.core.members[name].address for name in "cd"}


@pytest.mark.parametrize(
    "message",
    [
        *([Members.KIND, [], []], [Parts.KIND, []], [Want.KIND, []], [Heads.KIND, None, []]),
        *([Done.KIND], [Probed.KIND, 1], [Open.KIND], [Busy.KIND, 100], []),
    ],
    ids=repr,
)
def test_an_answer_begins_with_a_greeting(message: list[object]) -> None:
    """A seed that says anything else first has failed, and is tried again later, not at once."""
    bench = Bench()
    bench.core.join([("10.9.9.9", 1)], bench.now)
    [call] = bench.calls()
    call.outbox.clear()
    call.receive(SEAL.seal(encode(message), 0), bench.now)
    assert call.finished
    assert not bench.calls()
    assert bench.counts("refused_malformed", "exchanges_failed") == (1, 1)
    assert not bench.core.joined
    bench.run(1)
    assert [again.purpose for again in bench.calls()] == ["join"]


@pytest.mark.parametrize(
    "kind",
    [
        Hello.KIND,
        Ask.KIND,
        Busy.KIND,
        Members.KIND,
        Heads.KIND,
        Want.KIND,
        Parts.KIND,
        Done.KIND,
        Another.KIND,
    ],
)
def test_a_conversation_begins_with_its_opening(kind: int) -> None:
    """A stream that begins with another frame is refused and takes no place."""
    bench = Bench()
    exchange = bench.core.accept(("10.1.1.1", 1), NOW)
    messages: list[list[object]] = [[kind], [kind, []], [kind, None, []]]
    for message in messages:
        exchange.receive(SEAL.seal(encode(message), 0), NOW)
    assert exchange.finished
    assert bench.inside.exchanges.served == 0


def test_a_probe_is_answered_by_whom_it_means() -> None:
    """The peer that is meant says yes, another says that it is another."""
    bench = Bench()
    for name, answer in (("me", [Probed.KIND, 7]), ("you", [Another.KIND])):
        exchange = bench.core.accept(("10.1.1.1", 1), NOW)
        exchange.receive(SEAL.seal(encode([Probe.KIND, 7, name]), EPOCH), NOW)
        assert decode(SEAL.open(exchange.outbox[0])[1]) == answer
        assert exchange.finished
    exchange = bench.core.accept(("10.1.1.1", 1), NOW)
    exchange.receive(SEAL.seal(encode([Probe.KIND, 7, "me"]), EPOCH - 1), NOW)
    assert decode(SEAL.open(exchange.outbox[0])[1]) == [Another.KIND]


def _large_pair() -> tuple[Gossip, Gossip]:
    """Two peers; the second holds a part that travels in several pieces."""
    a, b = gossip("a"), gossip("b")
    for number in range(40):
        b.publish(f"k{number}", bytes(8000), NOW)
    b.publish("small", b"s", NOW)
    return a, b


@settings(max_examples=40)
@given(st.data())
def test_a_broken_stream_leaves_no_half_snapshot(data: st.DataObject) -> None:
    """Wherever the stream ends or a frame is spoiled, a part is held whole or not at all."""
    a, b = _large_pair()
    if data.draw(st.booleans()):
        a, b = b, a
    owner = max(a, b, key=lambda core: len(held(core))).name
    at = data.draw(st.integers(0, 14))
    how = data.draw(st.sampled_from(["break", "cut", "flip", "garbage"]))
    rng = random.Random(data.draw(st.integers(0, 1 << 16)))

    def spoil(number: int, frame: bytes) -> bytes | None:
        if number != at:
            return frame
        match how:
            case "break":
                return None
            case "cut":
                return frame[: rng.randrange(len(frame))]
            case "flip":
                place = rng.randrange(len(frame))
                return (
                    frame[:place]
                    + bytes([frame[place] ^ 1 << rng.randrange(8)])
                    + frame[place + 1 :]
                )
            case _:
                return rng.randbytes(rng.randrange(200))

    a.inside.exchanges.begin("heal", b.address, NOW)
    call, answer = a.calls.pop(), b.accept(a.address, NOW)
    converse(call, answer, NOW, spoil=spoil)
    for core in (a, b):
        part = core.parts.get(owner)
        assert part is None or len(part.records) in (0, 41)
        assert core.inside.exchanges.served == 0
        assert not core.inside.exchanges
    assert call.finished
    assert answer.finished


def test_each_entry_is_judged_by_itself() -> None:
    """Bad members and entries are counted; the good ones beside them are taken."""
    bench = Bench()
    exchange = open_exchange(bench.core, "c", ("10.1.1.1", 1))

    def say(message: list[object]) -> None:
        exchange.receive(SEAL.seal(encode(message), 0), NOW)

    say(
        [
            Members.KIND,
            [b"", b"\xff", 7, about("e").encode(), about("d").encode()],
            [0, 0, 0, -1, 0],
        ]
    )
    part = Part("o", EPOCH)
    part.append([("k", b"v")])
    good = encode([1, "o", EPOCH, 0, ["k", b"v"]])
    say([Parts.KIND, [b"", b"\xff" * 9, encode([3, "o", EPOCH, 1, 0, ["k"]]), good]])
    assert set(bench.core.members) == {"c", "d"}
    assert bench.core.parts["o"].records == {"k": b"v"}
    assert bench.counts("refused_member", "refused_entry") == (4, 3)
    assert not exchange.finished


def test_a_newcomer_repeats_nothing_of_what_it_learns() -> None:
    """Only whom it met is told of further: all else was told to it by who had heard it before."""
    a, b = gossip("a"), gossip("b")
    link = Link(a, b)
    link.join()
    a.publish("k", b"v", link.now)
    link.run(2)
    late = Bench("late")
    late.core.join([a.address], NOW)
    converse(late.core.calls.pop(), a.accept(late.core.address, link.now), NOW)
    assert [type(e) for e in late.core.events if isinstance(e, Joined | PartChanged)] == [
        PartChanged, Joined,
    ]  # fmt: skip
    assert late.counts("rumors_membership", "rumors_registry") == (1, 0)
    assert b.address not in {item.address for item in late.sent()}


def test_an_initiator_that_reaches_itself_learns_it() -> None:
    """Through a strange address a peer may meet itself: it has not joined, and knows why."""
    bench = Bench()
    odd = ("10.200.0.1", 1)
    bench.core.join([odd], NOW)
    call = bench.calls()[0]
    converse(call, bench.core.accept(("10.200.0.9", 2), NOW), NOW)
    assert bench.core.seed_is_self
    assert not bench.core.joined
    assert call.finished


def _keyed(name: str, seed: int) -> Gossip:
    return gossip(name, seal=sealer(ring(key(1)), seed=seed))


def test_a_recorded_conversation_fits_into_no_other() -> None:
    """Played back from either side, to whom it was held with or to another, it changes nothing."""
    one, two = _keyed("one", 1), _keyed("two", 2)
    two.publish("k", b"v", NOW)
    said: dict[str, list[bytes]] = {"one": [], "two": []}
    one.join([two.address], NOW)
    call, answer = one.calls.pop(), two.accept(one.address, NOW)
    while call.outbox or answer.outbox:
        for name, sender, receiver in (("one", call, answer), ("two", answer, call)):
            for frame in sender.outbox:
                receiver.receive(frame, NOW)
                said[name].append(frame)
            sender.outbox.clear()
    assert one.joined
    assert "one" in two.members

    for core in (two, _keyed("two", 3), _keyed("three", 4)):
        known, root = set(core.members), core.root
        played = core.accept(one.address, NOW)
        for frame in said["one"]:
            played.receive(frame, NOW)
        assert played.finished
        assert (set(core.members), core.root) == (known, root)
        assert core.statistics()["refused_checksum"] == 1

    for core in (one, _keyed("one", 5), _keyed("three", 6)):
        known, root = set(core.members), core.root
        core.inside.exchanges.begin("heal", ("10.5.5.5", 1), NOW)
        called = core.calls.pop()
        for frame in said["two"]:
            called.receive(frame, NOW)
        assert called.finished
        assert (set(core.members), core.root) == (known, root)
        assert core.statistics()["refused_checksum"] == 1


def test_an_opening_alone_is_not_believed() -> None:
    """A peer that opens a stream becomes a member, and takes a place, only when it sends ASK."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    called.receive(SEAL.seal(encode([Open.KIND, about("c").encode()]), EPOCH), NOW)
    assert not called.finished
    assert not bench.core.members
    assert bench.inside.exchanges.served == 0
    called.receive(SEAL.seal(encode([Ask.KIND, 1, bytes(16), None, [], None]), EPOCH), NOW)
    assert set(bench.core.members) == {"c"}
    assert bench.inside.exchanges.served == 1


@pytest.mark.parametrize("twice", [Open.KIND, Ask.KIND])
def test_nothing_is_said_twice_at_the_beginning(twice: int) -> None:
    """A second opening, and a second question, end the conversation and free its place."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    opening = encode([Open.KIND, about("c").encode()])
    question = encode([Ask.KIND, 1, bytes(16), None, [], None])
    for body in (opening, opening) if twice == Open.KIND else (opening, question, question):
        called.receive(SEAL.seal(body, EPOCH), NOW)
    assert called.finished
    assert bench.counts("refused_malformed") == (1,)
    assert bench.inside.exchanges.served == 0
