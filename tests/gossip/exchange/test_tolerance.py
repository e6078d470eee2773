"""Conversations with a later version: longer frames and entries, and kinds that are not known."""

from collections.abc import Callable

import pytest
from cores import EPOCH, NOW, ROOT, SEAL, Bench, about, converse, gossip, held, open_exchange

from gossamer.gossip import Exchange, encode
from gossamer.gossip.basis import array, blob, decode
from gossamer.gossip.messages import (
    LAST_KIND,
    Another,
    Ask,
    Done,
    Foreign,
    Hello,
    Members,
    Open,
    Parts,
    Probed,
)

LATER = LAST_KIND + 1


def _resealed(change: Callable[[list[object]], list[object]]) -> Callable[[int, bytes], bytes]:
    """Return what changes the items of each frame that is carried."""

    def spoil(_number: int, frame: bytes) -> bytes:
        to_epoch, body = SEAL.open(frame)
        return SEAL.seal(encode(change(array(decode(body)))), to_epoch)

    return spoil


def _longer(items: list[object]) -> list[object]:
    if items[0] == Parts.KIND:
        longer = [_entry(entry) for entry in array(items[1])]
        items = [Parts.KIND, [*longer, encode([5, "of a later kind"])]]
    return [*items, None, "further", b"\x00", [1]]


def _entry(entry: object) -> bytes:
    return encode([*array(decode(blob(entry, 1 << 20))), "further", [2]])


def _say(exchange: Exchange, *items: object, to_epoch: int = EPOCH) -> None:
    exchange.receive(SEAL.seal(encode(list(items)), to_epoch), NOW)


def _ended(exchange: Exchange) -> bool:
    return exchange.finished


@pytest.mark.parametrize("owners", [3, 300], ids=["heads at once", "buckets first"])
def test_longer_frames_and_entries_say_what_they_said(owners: int) -> None:
    """Two peers hold the same after an exchange of frames with further items, either way."""
    one, two = gossip("one", settle=60.0), gossip("two", settle=60.0)
    for core, name in ((one, "one"), (two, "two")):
        core.publish("k", name.encode(), NOW)
    for number in range(owners):
        bench = one if number % 2 else two
        entry = encode([1, f"o{number}", EPOCH, 0, ["k", b"v"]])
        _say(called := open_exchange(bench, "c", ("10.1.1.1", 1)), Parts.KIND, [entry])
        called.fail("enough", NOW)
    one.calls.clear()
    assert one.inside.exchanges.begin("heal", two.address, NOW)
    call, answer = one.calls.pop(), two.accept(one.address, NOW)
    converse(call, answer, NOW, spoil=_resealed(_longer))

    assert one.root == two.root
    assert held(one) == held(two)
    assert len(one.parts) == owners + 2
    for core in (one, two):
        counters = core.statistics()
        assert counters["unknown"] > 0
        assert counters["refused_malformed"] == counters["refused_entry"] == 0


def test_a_frame_of_a_later_kind_is_ignored() -> None:
    """At any moment of a conversation it is counted, and the conversation goes on."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    _say(called, LATER)
    _say(called, Open.KIND, about("c").encode())
    _say(called, LATER, "anything", [b""])
    _say(called, Ask.KIND, 1, ROOT, None, [], None)
    _say(called, 255, None)
    _say(called, Members.KIND, [about("d").encode()], [0])
    _say(called, Done.KIND)

    assert set(bench.core.members) == {"c", "d"}
    assert bench.counts("unknown", "refused_malformed", "exchanges_failed") == (3, 0, 0)
    assert called.finished


def test_frames_of_later_kinds_come_to_an_end() -> None:
    """They count as items of the exchange, so that no peer can send them without end."""
    bench = Bench(exchange_items=10)
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    for _ in range(10):
        _say(called, LATER)
    assert not _ended(called)
    _say(called, LATER)
    assert _ended(called)
    assert bench.counts("unknown", "refused_items") == (10, 1)


def test_large_frames_of_a_later_kind_count_by_their_bytes() -> None:
    """A megabyte of small items takes a second to read: two of them end the conversation."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    large = [bytes(900_000)]
    _say(called, LATER, large)
    assert not _ended(called)
    _say(called, LATER, large)
    assert _ended(called)


def test_a_frame_has_a_handful_of_items() -> None:
    """What is listed stands in an item of its own; a frame that is one long list is damage."""
    for further, ended in ((60, False), (80, True)):
        bench = Bench()
        called = bench.core.accept(("10.1.1.1", 1), NOW)
        _say(called, Open.KIND, about("c").encode(), *range(further))
        assert _ended(called) == ended


@pytest.mark.parametrize("owners", [1, 50])
def test_an_owner_that_is_asked_for_again_and_again_is_given_once(owners: int) -> None:
    """A question of a megabyte must not have an answer of sixty."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    bench.core.publish("k", bytes(1000), NOW)
    _say(called, Open.KIND, about("c").encode())
    called.outbox.clear()
    _say(called, Ask.KIND, 3, ROOT, ["me"] * owners, [], None)
    assert 1000 < sum(map(len, called.outbox)) < 2000


@pytest.mark.parametrize("kind", [256, -1, True, 1.0, "a", None])
def test_what_cannot_be_a_kind_ends_the_conversation(kind: object) -> None:
    """A frame's kind is a whole number within its limit in all versions."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    _say(called, kind)
    assert called.finished
    assert bench.counts("refused_malformed") == (1,)


def test_a_purpose_of_a_later_version_is_served_as_a_repair() -> None:
    """A peer that asks with an unknown purpose receives all members and parts that differ."""
    bench = Bench()
    bench.meet("d")
    bench.core.publish("k", b"v", NOW)
    called = bench.core.accept(("10.1.1.1", 1), NOW)
    _say(called, Open.KIND, about("c").encode())
    called.outbox.clear()
    _say(called, Ask.KIND, 200, ROOT, None, [], None)
    assert not called.finished
    kinds = [array(decode(SEAL.open(frame)[1]))[0] for frame in called.outbox]
    assert {Members.KIND, Parts.KIND} <= set(kinds)


@pytest.mark.parametrize("answer", [Probed.KIND, Another.KIND], ids=["alive", "another"])
def test_a_probe_over_a_stream_is_answered_in_longer_frames(answer: int) -> None:
    """Further items and frames of later kinds leave the answer what it is."""
    bench = Bench()
    bench.meet("b")
    bench.run(1.5)
    [call] = bench.calls("probe")
    number = array(decode(SEAL.open(call.outbox[0])[1]))[1]
    _say(call, LATER, to_epoch=0)
    _say(call, answer, number, "further", to_epoch=0)
    assert call.finished
    assert bench.counts("unknown", "refused_malformed", "exchanges_failed") == (1, 0, 0)
    bench.run(2)
    assert bench.counts("probes_by_stream_only") == (int(answer == Probed.KIND),)


def test_a_greeting_and_a_refusal_are_read_by_their_known_items() -> None:
    """HELLO leads on, and FOREIGN tells that our key is not accepted, however long they are."""
    bench = Bench()
    bench.core.join([("10.9.9.9", 1), ("10.9.9.8", 1)], bench.now)
    one, other = bench.calls()
    one.outbox.clear()
    _say(one, Hello.KIND, about("s").encode(), "further", to_epoch=0)
    assert len(one.outbox) == 1
    _say(other, Foreign.KIND, "further", to_epoch=0)
    assert bench.counts("keys_refused_by_others") == (1,)
