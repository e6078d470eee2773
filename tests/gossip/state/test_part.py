from itertools import islice
from random import Random

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.state import PART_BYTES, PART_RECORDS, Operation, Part, operation_size
from gossamer.gossip.state._part import LOG_BYTES, LOG_OPERATIONS, part_fingerprint

_values = st.one_of(st.none(), st.binary(max_size=4))
_operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(st.sampled_from("abcde"), _values), max_size=40
)
_histories: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(st.sampled_from("abcde"), _values), min_size=1, max_size=100
)


def part_of(operations: list[Operation]) -> Part:
    """Return an owner's part after these operations."""
    part = Part("o", 5)
    part.append(operations)
    return part


def state(part: Part) -> tuple[object, ...]:
    """Return all that a part says to others."""
    return part.head, dict(part.records), part.size, part.fingerprint


def receive(replica: Part, history: list[Operation], since: int, version: int) -> None:
    """Have a replica take the delta (since, version], or the snapshot at version if since < 0."""
    if since >= 0:
        replica.merge(since, history[since:version])
    elif version > replica.version:
        replica.replace(5, version, part_of(history[:version]).records)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Operation], list[tuple[int, int]]]:
    """Draw a history, and deltas and snapshots of it in any order, some of them twice."""
    history = draw(_histories)
    bounds = st.integers(-1, len(history) - 1).flatmap(
        lambda since: st.tuples(st.just(since), st.integers(max(since + 1, 1), len(history)))
    )
    return history, draw(st.lists(bounds, max_size=12))


@given(deliveries())
def test_a_replica_is_always_a_prefix_of_its_owner(
    drawn: tuple[list[Operation], list[tuple[int, int]]],
) -> None:
    """Whatever arrives in whatever order, a replica equals its owner at some version."""
    history, arrivals = drawn
    replica = Part("o", 5)

    for since, version in arrivals:
        before = replica.version
        receive(replica, history, since, version)

        reachable = since <= before
        assert replica.version == (max(before, version) if reachable else before)
        assert state(replica) == state(part_of(history[: replica.version]))


@given(deliveries(), st.randoms(use_true_random=False))
def test_replicas_converge_whatever_came_before(
    drawn: tuple[list[Operation], list[tuple[int, int]]], random: Random
) -> None:
    """Two replicas that saw the same updates in other orders agree once one whole delta came."""
    history, arrivals = drawn
    shuffled = list(arrivals)
    random.shuffle(shuffled)

    ends = []
    for order in (arrivals, shuffled):
        replica = Part("o", 5)
        for since, version in order:
            receive(replica, history, since, version)
        receive(replica, history, 0, len(history))
        ends.append(state(replica))

    assert ends[0] == ends[1] == state(part_of(history))


@given(deliveries())
def test_merging_is_idempotent(drawn: tuple[list[Operation], list[tuple[int, int]]]) -> None:
    """The same delta or snapshot a second time changes nothing, not even the log."""
    history, arrivals = drawn
    replica = Part("o", 5)

    for since, version in arrivals:
        receive(replica, history, since, version)
        before = (*state(replica), replica.floor, replica.since(replica.floor))
        receive(replica, history, since, version)
        assert (*state(replica), replica.floor, replica.since(replica.floor)) == before


@given(_histories, st.data())
def test_merging_is_commutative_and_associative(
    history: list[Operation], data: st.DataObject
) -> None:
    """Deltas that both can be applied come to the same in either order, and as one."""
    base = data.draw(st.integers(0, len(history)))
    bounds = st.tuples(st.integers(0, base), st.integers(base, len(history)))
    one, other = data.draw(bounds), data.draw(bounds)

    results = []
    for deltas in ([one, other], [other, one], [(min(one[0], other[0]), max(one[1], other[1]))]):
        replica = part_of(history[:base])
        for since, version in deltas:
            assert replica.merge(since, history[since:version]) is not None
        results.append((*state(replica), replica.floor, replica.since(replica.floor)))

    assert results[0] == results[1] == results[2]


@given(_histories, st.data())
def test_merging_returns_what_was_new(history: list[Operation], data: st.DataObject) -> None:
    """Operations that the replica has are skipped, and only the others are returned."""
    have = data.draw(st.integers(0, len(history)))
    since = data.draw(st.integers(0, have))
    replica = part_of(history[:have])

    assert replica.merge(since, history[since:]) == tuple(history[have:])


@given(_operations, st.integers(1, 5), _histories)
def test_a_gap_applies_nothing(
    known: list[Operation], gap: int, operations: list[Operation]
) -> None:
    """A delta that starts after the replica's version changes nothing and says so."""
    replica = part_of(known)
    before = (*state(replica), replica.floor, replica.since(replica.floor))

    assert replica.merge(replica.version + gap, operations) is None
    assert (*state(replica), replica.floor, replica.since(replica.floor)) == before


@given(_operations, st.integers(1, 9), st.dictionaries(st.sampled_from("abcde"), st.binary()))
def test_a_snapshot_is_the_difference_that_it_reports(
    known: list[Operation], version: int, records: dict[str, bytes]
) -> None:
    """Applying the reported operations to the old records gives exactly the new ones."""
    part = part_of(known)
    mirror = dict(part.records)

    changes = part.replace(6, version, records)

    for key, value in changes:
        assert mirror.get(key) != value
        if value is None:
            del mirror[key]
        else:
            mirror[key] = value
    assert mirror == part.records == records
    assert part.head == (6, version)
    assert part.size == sum(operation_size(*record) for record in records.items())
    assert part.fingerprint == part_fingerprint("o", 6, version)


def test_a_snapshot_empties_the_log() -> None:
    """After a snapshot no delta can be made from below its version, only from it."""
    part = part_of([("a", b"1"), ("b", b"2")])

    part.replace(5, 9, {"a": b"3"})

    assert part.floor == 9
    assert part.since(8) is None
    assert part.since(9) == ()


def test_the_log_holds_64_operations() -> None:
    """The 65th operation pushes the first out, and the floor follows."""
    part = part_of([("k", bytes([number])) for number in range(64)])
    assert (part.floor, len(part.since(0) or ())) == (0, 64)

    part.append([("k", b"last")])

    assert part.floor == 1
    assert part.since(0) is None
    kept = part.since(1)
    assert kept is not None
    assert (len(kept), kept[0], kept[-1]) == (64, ("k", b"\x01"), ("k", b"last"))


def test_the_log_holds_16_kib() -> None:
    """Operations that fill the log to its last byte stay, and one byte more pushes them out."""
    half = LOG_BYTES // 2 - operation_size("k", b"")
    assert LOG_BYTES == 16 * 1024
    assert part_of([("k", bytes(half)), ("k", bytes(half))]).floor == 0
    assert part_of([("k", bytes(half)), ("k", bytes(half + 1))]).floor == 1


def test_an_operation_larger_than_the_log_leaves_it_empty() -> None:
    """What fits into no log is applied all the same and can only be sent whole."""
    part = part_of([("a", b"1"), ("b", bytes(LOG_BYTES)), ("c", b"2")])

    assert list(part.records) == ["a", "b", "c"]
    assert part.floor == 2
    assert part.since(2) == (("c", b"2"),)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4000)), max_size=100))
def test_the_log_is_the_longest_suffix_within_its_bounds(sizes: list[tuple[str, int]]) -> None:
    """The log forgets as late as it can, whichever way the operations were grouped."""
    operations: list[Operation] = [(key, bytes(size)) for key, size in sizes]
    room, count = LOG_BYTES, 0
    for key, value in islice(reversed(operations), LOG_OPERATIONS):
        room -= operation_size(key, value)
        if room < 0:
            break
        count += 1

    together = part_of(operations)
    one_by_one = Part("o", 5)
    for operation in operations:
        one_by_one.append([operation])

    for part in (together, one_by_one):
        assert part.floor == len(operations) - count
        assert part.since(part.floor) == tuple(operations[len(operations) - count :])


@given(_operations)
def test_the_size_is_that_of_the_live_records(operations: list[Operation]) -> None:
    """Overwriting and removing give back what the old values took."""
    part = part_of(operations)

    assert part.size == sum(operation_size(*record) for record in part.records.items())
    assert part.version == len(operations)


def test_the_size_of_a_key_is_counted_in_bytes() -> None:
    """A key that is short in characters and long on the wire counts as what travels."""
    assert operation_size("ä", b"") == operation_size("ab", b"") == operation_size("ab", None)


def test_a_part_holds_a_bounded_number_of_records() -> None:
    """At the bound a new key is refused, while keys that are there can still be written."""
    part = Part("o", 5)
    part.replace(5, 1, {str(number): b"" for number in range(PART_RECORDS - 1)})
    assert part.accepts("new", b"")

    part.append([("new", b"")])

    assert not part.accepts("another", b"")
    assert part.accepts("new", b"other")


def test_a_part_holds_a_bounded_number_of_bytes() -> None:
    """The last byte that fits is accepted and the next is not; an overwrite frees the old value."""
    part = Part("o", 5)
    block = bytes(PART_BYTES // 32 - operation_size("00", b""))
    part.replace(5, 1, {f"{number:02}": block for number in range(31)})
    assert part.accepts("31", block)
    assert not part.accepts("31", block + b"x")

    part.append([("31", block)])

    assert part.size == PART_BYTES
    assert not part.accepts("n", b"")
    assert part.accepts("31", block)
    assert not part.accepts("31", block + b"x")


@pytest.mark.parametrize("other", [("p", 5, 9), ("o", 6, 9), ("o", 5, 10)])
def test_fingerprints_tell_owner_epoch_and_version_apart(other: tuple[str, int, int]) -> None:
    """A part that differs in one of the three has another fingerprint, of 64 bits."""
    assert part_fingerprint(*other) != part_fingerprint("o", 5, 9)
    assert 0 < part_fingerprint(*other) < 1 << 64


def test_a_part_that_says_nothing_has_no_fingerprint() -> None:
    """At version 0 a part counts as no part, whichever owner it has."""
    assert part_fingerprint("o", 5, 0) == Part("o", 5).fingerprint == 0
