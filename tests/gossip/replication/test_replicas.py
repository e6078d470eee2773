"""Parts as they arrive: in any order, across gaps, too large, too old, or from an earlier life."""

from typing import Any

import pytest
from cores import EPOCH, NOW, Bench, about, converse, delta, gossip
from hypothesis import given, settings, strategies as st

from gossamer.gossip import (
    KEY_LIMIT,
    VALUE_LIMIT,
    EpochRaised,
    PartChanged,
    PartDropped,
    PreviousLife,
    RecordTooLarge,
    Status,
)
from gossamer.gossip.basis import decode
from gossamer.gossip.messages import Delta, encode_head
from gossamer.gossip.messages._updates import HEAD
from gossamer.gossip.state import PART_RECORDS, Operation
from gossamer.gossip.state._part import LOG_OPERATIONS

operations = st.lists(
    st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(max_size=3))),
    min_size=1,
    max_size=12,
)


def _bench(**options: Any) -> Bench:
    bench = Bench(**options)
    bench.meet("t", "o", "u")
    bench.run(1)
    bench.sent()
    return bench


def _holds(bench: Bench, owner: str = "o") -> tuple[int, dict[str, bytes]]:
    part = bench.core.parts.get(owner)
    return (part.version, dict(part.records)) if part is not None else (0, {})


def _after(done: list[Operation]) -> dict[str, bytes]:
    state: dict[str, bytes | None] = dict(done)
    return {key: value for key, value in state.items() if value is not None}


@given(operations, st.data())
def test_deltas_in_any_order_and_number(done: list[Operation], data: st.DataObject) -> None:
    """However deltas are cut, shuffled and repeated, once all have come the part is the owner's."""
    ranges = st.tuples(st.integers(0, len(done) - 1), st.integers(1, 4))
    cuts = data.draw(st.lists(ranges, max_size=8)) + [(since, 1) for since in range(len(done))]
    bench = _bench()
    for since, count in data.draw(st.permutations(cuts)):
        bench.hear("t", updates=[delta("o", since, *done[since : since + count])])
    assert _holds(bench) == (len(done), _after(done))
    told: dict[str, bytes | None] = {}
    for event in bench.events(PartChanged):
        told.update(event.changes)
    assert _after(list(told.items())) == _after(done)


def test_a_gap_is_waited_out_for_a_moment() -> None:
    """A delta that is too early changes nothing, and is merged when the one before it comes."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 1, ("b", b"2"))])
    assert _holds(bench) == (0, {})
    assert not bench.events(PartChanged)
    bench.run(0.1)
    bench.hear("t", updates=[delta("o", 0, ("a", b"1"))])
    assert _holds(bench) == (2, {"a": b"1", "b": b"2"})
    bench.run(1)
    assert not bench.calls("fetch")
    assert bench.counts("gaps", "waiting_deltas") == (0, 0)


def test_old_operations_are_told_to_nobody() -> None:
    """A delta of which all is known is not passed on, however it is cut."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 0, ("a", b"1"), ("b", b"2"))])
    bench.run(3)
    bench.sent()
    bench.hear("t", updates=[stale := delta("o", 1, ("b", b"2"))])
    bench.run(1)
    assert stale not in bench.updates()


def test_what_waits_is_merged_behind_a_snapshot() -> None:
    """When an exchange brings the part, deltas that had come too early follow at once."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 2, ("c", b"3"))])
    assert bench.inside.replicas.merge_snapshot("o", EPOCH, 2, {"a": b"1"}, bench.now)
    assert _holds(bench) == (3, {"a": b"1", "c": b"3"})


def test_a_gap_that_stays_is_fetched_from_the_teller() -> None:
    """After 150 ms the part is fetched from the peer that told of it last; no record is applied."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 1, ("b", b"2"))])
    bench.hear("u", updates=[delta("o", 2, ("c", b"3"))])
    bench.run(0.151)
    [call] = bench.calls("fetch")
    assert (call.purpose, call.address) == ("fetch", bench.core.members["u"].address)
    assert bench.counts("gaps", "waiting_deltas") == (1, 0)
    assert _holds(bench) == (0, {})


def test_what_waits_is_bounded() -> None:
    """At most 16 deltas of 256 owners wait; more are refused and counted."""
    bench = _bench()
    for number in range(1, 19):
        bench.hear("t", updates=[delta("o", number, ("k", bytes([number])))])
    assert bench.counts("waiting_deltas", "refused_waiting") == (16, 0)
    for number in range(255):
        bench.hear("t", updates=[delta(f"o{number}", 1, ("k", b"v"))])
    assert bench.counts("waiting_deltas", "refused_waiting") == (271, 0)
    bench.hear("t", updates=[delta("one-more", 1, ("k", b"v"))])
    assert bench.counts("waiting_deltas", "refused_waiting") == (271, 1)
    bench.run(0.2)
    assert bench.counts("waiting_deltas") == (0,)


def test_a_large_record_goes_by_its_head() -> None:
    """A value too large for a datagram is announced as (owner, epoch, version) alone."""
    bench = _bench()
    bench.core.publish("k", bytes(5000), bench.now)
    assert bench.updates() == [encode_head("me", EPOCH, 1)]
    bench.run(1)
    bench.sent()
    bench.core.publish("k", bytes(500), bench.now)
    assert bench.updates() == [delta("me", 1, ("k", bytes(500)))]


def test_a_head_is_fetched_and_then_passed_on() -> None:
    """A peer fetches the part of a head from the teller, and passes the head on only afterwards."""
    bench, other = _bench(), gossip("o")
    other.publish("k", bytes(5000), NOW)
    head = encode_head("o", EPOCH, 1)
    bench.hear("o", updates=[head])
    assert head not in bench.updates()
    [call] = bench.calls()
    assert (call.purpose, call.address) == ("fetch", other.address)
    converse(call, other.accept(bench.core.address, NOW), bench.now)
    assert _holds(bench) == (1, {"k": bytes(5000)})
    bench.core.tick(bench.now)
    assert head in bench.updates()


def test_heads_that_are_never_fetched_do_not_clog() -> None:
    """Among more heads than are kept, the latest is still passed on when its part comes."""
    bench = _bench()
    for number in range(300):
        bench.hear("t", updates=[encode_head(f"o{number}", EPOCH, 1)])
    bench.hear("t", updates=[head := encode_head("last", EPOCH, 1)])
    assert len(bench.inside.replicas.announced) <= 256
    bench.inside.replicas.merge_snapshot("last", EPOCH, 1, {"k": b"v"}, bench.now)
    bench.core.tick(bench.now)
    bench.run(0.1)
    assert head in bench.updates()
    assert len(bench.inside.fetches.waiting_from("t")) <= 1024


def test_known_heads_ask_for_nothing() -> None:
    """A head at or below what is held, or of an older life, is nothing new."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 0, ("a", b"1"), ("b", b"2"), epoch=EPOCH + 5)])
    for head in ((EPOCH + 5, 2), (EPOCH + 5, 1), (EPOCH, 99), (EPOCH + 9, 0)):
        bench.hear("t", updates=[encode_head("o", *head)])
    assert not bench.calls()
    bench.hear("t", updates=[encode_head("o", EPOCH + 5, 3)])
    assert len(bench.calls()) == 1


def test_a_newer_life_begins_anew() -> None:
    """A first delta of a newer epoch replaces the part; one of an older epoch changes nothing."""
    bench = _bench()
    bench.hear("t", updates=[delta("o", 0, ("a", b"1"), ("b", b"2"))])
    bench.events()
    bench.hear("t", updates=[delta("o", 0, ("b", b"3"), epoch=EPOCH + 1)])
    assert _holds(bench) == (1, {"b": b"3"})
    [event] = bench.events(PartChanged)
    assert dict(event.changes) == {"a": None, "b": b"3"}
    bench.hear("t", updates=[delta("o", 2, ("c", b"4"))])
    assert _holds(bench) == (1, {"b": b"3"})
    assert not bench.events(PartChanged)


def test_the_log_is_bounded_and_below_its_floor_the_part_goes_whole() -> None:
    """After 64 operations the oldest falls out: replicas at the floor get a delta, below it all."""
    bench = _bench()
    for number in range(LOG_OPERATIONS + 1):
        bench.core.publish(f"k{number}", b"v", bench.now)
    own = bench.core.parts["me"]
    assert (own.version, own.floor) == (65, 1)
    replicas = bench.inside.replicas
    assert decode(replicas.entries("me", EPOCH, 1)[0])[0] == 1  # type: ignore[index]
    assert decode(replicas.entries("me", EPOCH, 0)[0])[0] == 3  # type: ignore[index]
    assert replicas.entries("me", EPOCH, 65) == []


def test_a_record_that_is_too_large_changes_nothing() -> None:
    """Key and value pass at their limits, and one byte more raises with the part as it was."""
    bench = _bench()
    bench.core.publish("k" * KEY_LIMIT, bytes(VALUE_LIMIT), bench.now)
    bench.events()
    before = bench.core.root
    for key, value in (
        ("k" * (KEY_LIMIT + 1), b""),
        ("é" * 301, b""),
        ("k", bytes(VALUE_LIMIT + 1)),
    ):
        with pytest.raises(RecordTooLarge):
            bench.core.publish(key, value, bench.now)
    assert bench.core.root == before
    assert not bench.events()
    assert not bench.core.withdraw("unknown", bench.now)
    assert bench.core.root == before


def test_no_owner_grows_beyond_its_bounds_in_a_replica() -> None:
    """The 20,001st record of a part is refused and counted; one in place of another is not."""
    bench = _bench()
    records = {f"k{number}": b"v" for number in range(PART_RECORDS)}
    bench.inside.replicas.merge_snapshot("o", EPOCH, PART_RECORDS, records, bench.now)
    bench.hear("t", updates=[delta("o", PART_RECORDS, ("more", b"v"))])
    assert _holds(bench)[0] == PART_RECORDS
    assert bench.counts("refused_part_size") == (1,)
    bench.hear("t", updates=[delta("o", PART_RECORDS, ("k0", None), ("more", b"v"), ("k1", b"w"))])
    assert _holds(bench)[0] == PART_RECORDS + 3
    assert len(bench.core.parts["o"].records) == PART_RECORDS


def test_owners_are_bounded() -> None:
    """Exactly `member_limit` parts are kept; those known go on, new ones are counted."""
    bench = _bench(member_limit=10)
    for number in range(12):
        bench.hear("t", updates=[delta(f"o{number}", 0, ("k", b"v"))])
    assert len(bench.core.parts) == 10
    assert bench.counts("refused_parts") == (3,)
    bench.hear("t", updates=[delta("o0", 1, ("k", b"w"))])
    assert _holds(bench, "o0") == (2, {"k": b"w"})


def test_a_dead_owners_part_is_dropped_after_its_time() -> None:
    """An hour after death the part goes as a whole, and is not taken back from a third party."""
    bench = _bench(part_for=100.0, tombstone_for=300.0)
    bench.hear("t", updates=[delta("o", 0, ("k", b"v"))])
    bench.hear("t", updates=[about("o", Status.DEAD).encode()])
    bench.run(99)
    assert _holds(bench) == (1, {"k": b"v"})
    bench.events()
    bench.run(22)  # looked at every ten seconds
    assert _holds(bench) == (0, {})
    assert [event.owner for event in bench.events(PartDropped)] == ["o"]
    assert bench.counts("part_tombstones") == (1,)

    bench.hear("t", updates=[delta("o", 1, ("k", b"w"))])
    bench.hear("t", updates=[encode_head("o", EPOCH, 7)])
    assert not bench.inside.replicas.merge_snapshot("o", EPOCH, 9, {"k": b"x"}, bench.now)
    assert _holds(bench) == (0, {})
    assert bench.counts("refused_part_tombstone") == (3,)
    assert bench.inside.replicas.merge_snapshot("o", EPOCH + 1, 1, {"k": b"y"}, bench.now)


def test_a_tombstone_of_a_part_is_forgotten_in_time() -> None:
    """After `tombstone_for` the last trace of an owner is gone."""
    bench = _bench(part_for=50.0, tombstone_for=100.0, dead_for=60.0, left_for=10.0)
    bench.hear("t", updates=[delta("o", 0, ("k", b"v"))])
    bench.hear("o", updates=[about("o", Status.LEFT, incarnation=1).encode()])
    bench.run(75)
    assert bench.counts("part_tombstones") == (1,)
    bench.run(110)
    assert bench.counts("part_tombstones") == (0,)
    assert not bench.inside.replicas.remains


def test_a_returning_owner_keeps_its_part() -> None:
    """Wrongly declared dead, with its hour not over, an owner comes back with all its records."""
    bench = _bench(part_for=100.0, tombstone_for=300.0)
    bench.hear("t", updates=[delta("o", 0, ("k", b"v"))])
    bench.hear("t", updates=[about("o", Status.DEAD).encode()])
    bench.run(60)
    bench.hear("o", updates=[about("o", incarnation=1).encode()])
    bench.run(20)
    bench.hear("t", updates=[about("o", Status.DEAD, incarnation=1).encode()])
    bench.run(60)
    assert _holds(bench) == (1, {"k": b"v"})


def test_what_an_earlier_life_left_is_reported_and_replaced() -> None:
    """Records of an older epoch of ours go to the user; the own part outranks them."""
    bench = _bench()
    assert not bench.inside.replicas.merge_snapshot("me", EPOCH - 9, 70, {"k": b"old"}, bench.now)
    [event] = bench.events(PreviousLife)
    assert event.records == {"k": b"old"}
    assert bench.core.parts["me"].head == (EPOCH, 1)
    assert dict(bench.core.parts["me"].records) == {}
    bench.run(0.1)
    assert any(update[1] in (1, HEAD) for update in bench.updates())


@pytest.mark.parametrize("how", ["head", "delta", "snapshot"])
def test_an_own_part_that_is_ahead_of_us_leads_to_a_new_epoch(how: str) -> None:
    """After a forgery, or an older disk, a higher epoch with this peer's records takes over."""
    bench = _bench()
    bench.core.publish("k", b"mine", bench.now)
    bench.sent()
    match how:
        case "head":
            bench.hear("t", updates=[encode_head("me", EPOCH, 9)])
        case "delta":
            bench.hear("t", updates=[delta("me", 8, ("k", b"theirs"))])
        case _:
            bench.inside.replicas.merge_snapshot("me", EPOCH, 9, {"k": b"theirs"}, bench.now)
    assert bench.core.epoch == EPOCH + 1
    assert [event.epoch for event in bench.events(EpochRaised)] == [EPOCH + 1]
    part = bench.core.parts["me"]
    assert (part.epoch, dict(part.records)) == (EPOCH + 1, {"k": b"mine"})
    assert bench.counts("own_part_ahead") == (1,)


def test_what_we_know_of_ourselves_is_no_updates() -> None:
    """The own part at or below its version raises nothing."""
    bench = _bench()
    bench.core.publish("k", b"mine", bench.now)
    bench.events()
    for version in (0, 1):
        bench.hear("t", updates=[encode_head("me", EPOCH, version)])
    bench.hear("t", updates=[encode_head("me", EPOCH - 1, 99)])
    assert bench.core.epoch == EPOCH
    assert not bench.events()


@settings(max_examples=30)
@given(operations, operations, st.data())
def test_two_lives_in_any_interleaving(
    first: list[Operation], second: list[Operation], data: st.DataObject
) -> None:
    """Deltas of two lives may come in any order: in the end the newer life stands whole."""
    updates = [delta("o", since, done) for since, done in enumerate(first)]
    updates += [delta("o", since, done, epoch=EPOCH + 1) for since, done in enumerate(second)]
    bench = _bench()
    for update in data.draw(st.permutations(updates)):
        bench.hear("t", updates=[update])
    for since, done in enumerate(second):  # what did not find a place is told again, otherwise cut
        bench.inside.replicas.merge_delta(Delta("o", EPOCH + 1, since, [done]), bench.now)
    assert _holds(bench) == (len(second), _after(second))
