from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip import decode, encode
from gossamer.peers.model import MOMENT_MOST, STAMP_MOST, Override
from gossamer.peers.registry._records import (
    Intervention,
    Kind,
    Record,
    Refused,
    decode_intervention,
    decode_record,
    encode_intervention,
    encode_record,
    instance_key,
    intervention_key,
    parse_key,
)

RECORD = Record(
    stamp=5,
    status="UP",
    address="10.0.0.5",
    port=8080,
    tags=("v2",),
    metadata=(("team", "a"),),
    weight=1,
    zone=None,
    ttl_ms=30_000,
    registered_ms=1,
    updated_ms=2,
    override=Override("DOWN", "why", "who", 12.5),
    override_stamp=6,
)
INTERVENTION = Intervention(7, Kind.STATUS, "a", 1, Override("DOWN", None, "who", None), 3)

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
overrides = st.builds(
    Override,
    st.sampled_from(["UP", "DOWN", "STARTING", "OUT_OF_SERVICE"]),
    st.none() | words,
    words,
    st.none() | st.integers(0, MOMENT_MOST).map(lambda ms: ms / 1000),
)
records = st.builds(
    Record,
    stamp=st.integers(0, STAMP_MOST),
    status=st.sampled_from(["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"]),
    address=st.ip_addresses()
    .filter(lambda ip: not (ip.is_multicast or ip.is_unspecified))
    .map(str),
    port=st.integers(1, 65_535),
    tags=st.lists(words, unique=True, max_size=5).map(tuple),
    metadata=st.dictionaries(words, words, max_size=5).map(lambda each: tuple(each.items())),
    weight=st.integers(0, 65_535),
    zone=st.none() | words,
    ttl_ms=st.none() | st.integers(1000, 604_800_000),
    registered_ms=st.integers(0, MOMENT_MOST),
    updated_ms=st.integers(0, MOMENT_MOST),
    override=st.none() | overrides,
    override_stamp=st.integers(0, STAMP_MOST),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(records)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    """Encoding and decoding an instance's record changes nothing."""
    assert decode_record(encode_record(record)) == record


@given(st.sampled_from(Kind), overrides, st.integers(0, STAMP_MOST), words)
def test_an_intervention_comes_back_as_it_was(
    kind: Kind, override: Override, stamp: int, owner: str
) -> None:
    """Encoding and decoding an intervention changes nothing."""
    wanted = Intervention(stamp, kind, owner, 9, override if kind is Kind.STATUS else None, 3)
    assert decode_intervention(encode_intervention(wanted)) == wanted


@given(st.binary(max_size=60))
def test_garbage_is_refused(data: bytes) -> None:
    """Whatever the bytes are, they are refused by `Refused` and nothing else."""
    with pytest.raises(Refused):
        decode_record(data)
    with pytest.raises(Refused):
        decode_intervention(data)


@given(st.integers(0, 13), values)
def test_one_item_of_another_kind_is_refused_or_kept_as_it_is(position: int, value: object) -> None:
    """A record with one item replaced is refused, or reads as just that item replaced."""
    items = decode(encode_record(RECORD))
    assert isinstance(items, list)
    items[position] = value
    data = encode(items)
    try:
        record = decode_record(data)
    except Refused:
        return
    assert encode_record(record) == data


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 2),
        (0, True),
        (1, -1),
        (1, STAMP_MOST + 1),
        (2, "up"),
        (3, "nowhere at all"),
        (4, True),
        (4, 0),
        (5, "v2"),
        (5, [["v2"]]),
        (6, ["team"]),
        (6, ["team", "a", "team", "b"]),
        (6, [1, 2]),
        (9, 0),
        (9, 999),
        (9, 30.0),
        (10, MOMENT_MOST + 1),
        (12, []),
        (12, ["UNKNOWN", None, "who", None]),
        (12, ["DOWN", None, None, None]),
        (12, ["DOWN", None, "who", -1]),
        (13, None),
    ],
)
def test_items_out_of_range_are_refused(position: int, value: object) -> None:
    """Each item has to have its type and be within its range."""
    items = decode(encode_record(RECORD))
    assert isinstance(items, list)
    items[position] = value
    with pytest.raises(Refused):
        decode_record(encode(items))


def test_a_record_that_is_too_large_is_refused() -> None:
    """A record beyond what a user could register with an override is not even decoded."""
    with pytest.raises(Refused, match="too large"):
        decode_record(encode_record(replace(RECORD, metadata=(("k", "v" * 20_000),))))


@pytest.mark.parametrize(
    "change",
    [
        [1, 7, "remove", "a", 1, ["DOWN", None, "who", None], 3],
        [1, 7, "status", "a", 1, None, 3],
        [1, 7, "other", "a", 1, None, 3],
        [1, 7, 5, "a", 1, None, 3],
        [1, 7, "clear", "", 1, None, 3],
        [1, 7, "clear", "a", -1, None, 3],
        [1, 7, "clear", "a", 1, None],
    ],
)
def test_interventions_that_contradict_themselves_are_refused(change: list[object]) -> None:
    """An intervention has an override exactly if it sets a status."""
    assert decode_intervention(encode_intervention(INTERVENTION)) == INTERVENTION
    with pytest.raises(Refused):
        decode_intervention(encode(change))


def test_keys_hold_the_names() -> None:
    """A key names its kind, the service and the id, also with a colon in it."""
    assert parse_key(instance_key(("orders", "h:80"))) == ("i", ("orders", "h:80"))
    assert parse_key(intervention_key(("orders", "1"))) == ("o", ("orders", "1"))


@pytest.mark.parametrize("key", ["", "i", "i\na", "x\na\nb", "i\na\nb\nc", "i\na/b\nc", "i\n\nc"])
def test_other_keys_are_refused(key: str) -> None:
    """A key of another kind or with names that nobody could register is refused."""
    with pytest.raises(Refused):
        parse_key(key)
