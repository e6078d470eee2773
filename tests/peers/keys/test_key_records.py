"""Key records: what they contain, and how the decisions in them merge."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip import PLAIN, RING_LIMIT, Key, Malformed, decode, encode
from gossamer.peers.keys._key_decisions import (
    PLAIN_NAMED,
    REMOVALS_LIMIT,
    Decision,
    Decisions,
    Verb,
)
from gossamer.peers.keys._key_records import KeyRecord, decode_key_record
from gossamer.peers.registry import Unknown

_named = st.one_of(
    st.just(PLAIN_NAMED), st.tuples(st.integers(1, 255), st.binary(min_size=4, max_size=4))
)
_keys = st.builds(Key, st.integers(1, 255), st.binary(min_size=32, max_size=32))


def _decision(*verbs: Verb) -> st.SearchStrategy[Decision]:
    # Few values, so that keys and stamps meet.
    stamps = st.one_of(st.integers(0, 5), st.integers(0, 1 << 60))
    unsigned = st.builds(Decision, stamps, st.sampled_from(verbs), _named)
    return st.builds(lambda decision, key: decision.signed("default", key), unsigned, _keys)


_decisions = st.builds(
    lambda use, removals: Decisions(use, {each.key: each for each in removals}),
    st.one_of(st.none(), _decision(Verb.USE)),
    st.lists(_decision(Verb.ACCEPT, Verb.REMOVE), max_size=5),
)


@st.composite
def _records(draw: st.DrawFn) -> KeyRecord:
    accepts = dict(draw(st.lists(_named, min_size=1, max_size=5)))
    return KeyRecord(accepts, draw(st.sampled_from(sorted(accepts))), draw(_decisions))


@given(_records())
def test_a_key_record_is_read_as_it_was_written(record: KeyRecord) -> None:
    """The content of a key record survives encoding and decoding."""
    assert decode_key_record(record.encode()) == record


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    """Arbitrary bytes raise `Malformed`, or `Unknown` for another form, and nothing else."""
    with pytest.raises((Malformed, Unknown)):
        decode_key_record(data)


_anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 300), st.binary(max_size=5), st.just("x")),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(_anything, min_size=5, max_size=5))
def test_well_formed_values_in_other_places_are_refused(items: list[object]) -> None:
    """A record that is accepted is consistent, and its content is encoded to an equal record."""
    data = encode(items)
    try:
        record = decode_key_record(data)
    except (Malformed, Unknown):
        return
    assert record.use in record.accepts
    assert decode_key_record(record.encode()) == record


@given(_decisions, _decisions, _decisions)
def test_decisions_merge_in_any_order(a: Decisions, b: Decisions, c: Decisions) -> None:
    """Merging is commutative, associative and idempotent, so all peers reach the same result."""
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b).merge(b) == a.merge(b)


def test_the_memory_of_removals_is_bounded() -> None:
    """The earliest removals are forgotten."""
    decisions = Decisions()
    for number in range(3 * REMOVALS_LIMIT):
        decisions = decisions.taking(Decision(number, Verb.REMOVE, (1, number.to_bytes(4))))

    assert len(decisions.removals) == REMOVALS_LIMIT
    assert min(each.stamp for each in decisions.removals.values()) == 2 * REMOVALS_LIMIT


def test_the_largest_key_record_is_accepted() -> None:
    """A full ring and all decisions at the limits of their values fit; longer data is refused."""
    key = Key(255, bytes(32))
    decisions = Decisions()
    for verb, count in ((Verb.USE, 1), (Verb.REMOVE, REMOVALS_LIMIT)):
        for number in range(count):
            decision = Decision((1 << 60) - number, verb, (255, number.to_bytes(4)))
            decisions = decisions.taking(decision.signed("default", key))
    accepts = {PLAIN: b"", **{255 - number: bytes(4) for number in range(RING_LIMIT)}}
    record = KeyRecord(accepts, 255, decisions)
    data = record.encode()
    assert decode_key_record(data) == record
    assert 1000 < len(data) < 2000
    with pytest.raises(Malformed):
        decode_key_record(10 * data)


@given(_decision(*Verb), _keys, st.data())
def test_a_proof_holds_for_what_was_decided_and_no_more(
    decision: Decision, key: Key, data: st.DataObject
) -> None:
    """A proof is invalid for another stamp, verb, key, cluster or signer."""
    signed = decision.signed("default", key)
    assert signed.holds("default", key)
    assert not signed.holds("other", key)
    assert not signed.holds("default", Key(key.id, bytes(31) + b"\x01"))
    for other in (
        replace(signed, stamp=signed.stamp + 1),
        replace(signed, verb=Verb((signed.verb + 1) % 3)),
        replace(signed, key=(7, b"else")),
        replace(signed, signer=(7, b"else")),
        replace(signed, proof=data.draw(st.binary(min_size=16, max_size=16))),
    ):
        if other != signed:
            assert not other.holds("default", key)


@given(_records())
def test_more_items_behind_those_of_today_are_passed_over(record: KeyRecord) -> None:
    """A later version may append items; this version reads the items that it knows."""
    items = decode(record.encode())
    assert isinstance(items, list)
    assert decode_key_record(encode([*items, "more", [7]])) == record


def test_another_form_is_unknown_and_no_damage() -> None:
    """A key record in the form of a later version is unknown, and does not count as damaged."""
    with pytest.raises(Unknown):
        decode_key_record(encode([2, "another form"]))
    for damaged in ([0], [True, 1], [-1], []):
        with pytest.raises(Malformed):
            decode_key_record(encode(damaged))
