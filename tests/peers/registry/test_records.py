import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from captured import decoded
from hypothesis import given, strategies as st

from gossamer.gossip import STAMP_LIMIT, decode, encode
from gossamer.peers.model import MOMENT_MOST, OUTPUT_BYTES, TAIL_BYTES, Override
from gossamer.peers.registry import Refused, Unknown
from gossamer.peers.registry._records import (
    Intervention,
    Kind,
    Record,
    decode_intervention,
    decode_record,
    encode_intervention,
    encode_record,
    instance_key,
    intervention_key,
    parse_key,
    report_key,
    report_tail,
)
from gossamer.peers.registry._tail import Tail, TailTooLarge, read_tail, write_tail

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
# What a later version may write behind the items of today.
tails = st.just(b"") | st.lists(
    st.none() | st.integers(0, 2**64 - 1) | st.text(max_size=30) | st.binary(max_size=30),
    min_size=1,
    max_size=30,
).map(encode)
overrides = st.builds(
    Override,
    st.sampled_from(["UP", "DOWN", "STARTING", "OUT_OF_SERVICE"]),
    st.none() | words,
    words,
    st.none() | st.integers(0, MOMENT_MOST).map(lambda ms: ms / 1000),
    tails,
)
records = st.builds(
    Record,
    stamp=st.integers(0, STAMP_LIMIT),
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
    override_stamp=st.integers(0, STAMP_LIMIT),
    tail=tails,
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


@given(st.sampled_from(Kind), overrides, st.integers(0, STAMP_LIMIT), words, tails)
def test_an_intervention_comes_back_as_it_was(
    kind: Kind, override: Override, stamp: int, owner: str, tail: bytes
) -> None:
    """Encoding and decoding an intervention changes nothing."""
    if kind is Kind.REPORT:
        tail = report_tail("DOWN", owner)
    wanted = Intervention(stamp, kind, owner, 9, override if kind is Kind.STATUS else None, 3, tail)
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
    except (Refused, Unknown):
        return
    assert encode_record(record) == data


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 0),
        (0, -1),
        (0, True),
        (1, -1),
        (1, STAMP_LIMIT + 1),
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
        [1, 7, "report", "a", 1, None, 3],
        [1, 7, "report", "a", 1, None, 3, "DOWN"],
        [1, 7, "report", "a", 1, None, 3, "UNKNOWN", ""],
        [1, 7, "report", "a", 1, None, 3, "DOWN", "x" * 257],
        [1, 7, "report", "a", 1, ["DOWN", None, "who", None], 3, "DOWN", ""],
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
    """A key names its family, the service and the id, also with a colon in it."""
    for key_of in (instance_key, intervention_key, report_key):
        assert parse_key(key_of(("orders", "h:80"))) == ("orders", "h:80")
    assert len({key_of(("a", "b")) for key_of in (instance_key, intervention_key, report_key)}) == 3


@pytest.mark.parametrize("key", ["", "i", "i\na", "i\na\nb\nc", "i\na/b\nc", "i\n\nc"])
def test_other_keys_are_refused(key: str) -> None:
    """A key without two names, or with names that nobody could register, is refused."""
    with pytest.raises(Refused):
        parse_key(key)


RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: each["key"].replace("\n", "/"))
def test_the_bytes_of_the_first_version_are_read_for_ever(recorded: dict[str, Any]) -> None:
    """What that version wrote reads as it did there, and is written in the same bytes."""
    data = bytes.fromhex(recorded["hex"])
    read: Record | Intervention
    if recorded["key"].startswith("i"):
        read = decode_record(data)
        assert encode_record(read) == data
    else:
        read = decode_intervention(data)
        assert encode_intervention(read) == data
    seen = json.loads(json.dumps(asdict(read), default=lambda tail: tail.hex()))
    assert seen.pop("tail") == ""
    if seen["override"] is not None:
        assert seen["override"].pop("tail") == ""
    assert seen == recorded["reads"]


@given(records, tails)
def test_more_items_change_nothing_that_is_known(record: Record, more: bytes) -> None:
    """Items behind those of today are kept as they came, and the items of today read the same."""
    bare = replace(record, tail=b"")
    longer = encode([*decoded(encode_record(bare)), *(decoded(more) if more else ())])
    read = decode_record(longer)
    assert read == replace(bare, tail=more)
    assert encode_record(read) == longer


@given(tails, st.integers(1, STAMP_LIMIT), words)
def test_a_report_leaves_what_a_later_version_wrote(tail: bytes, stamp: int, output: str) -> None:
    """Writing the known items of a tail moves and changes nothing of those behind them."""
    written = write_tail(tail, report_stamp=stamp, output=output)
    assert read_tail(written) == Tail(read_tail(tail).source, stamp, output)
    before = decoded(tail) if tail else []
    assert decoded(written)[3:] == before[3:]
    assert decoded(written)[:1] == (before[:1] or ["process"])


def test_a_record_with_nothing_but_defaults_has_no_tail() -> None:
    """So a plain registration takes no byte more than it ever did."""
    assert write_tail() == write_tail(source="process") == b""
    assert write_tail(write_tail(report_stamp=5), report_stamp=0) == b""
    assert decoded(write_tail(source="http")) == ["http"]
    assert decoded(write_tail(output="x")) == ["process", 0, "x"]


@pytest.mark.parametrize(
    ("items", "known"),
    [
        ([], Tail()),
        ([5, "later", None], Tail()),
        (["kubernetes", 7], Tail("kubernetes", 7, "")),
        (["satellite", STAMP_LIMIT + 1, "x" * OUTPUT_BYTES], Tail("satellite", 0, "x" * 256)),
        (["", -1, "x" * (OUTPUT_BYTES + 1)], Tail()),
        (["http", True, "\x1b[2J"], Tail("http", 0, "")),
        (["x" * 65, 3, "ok", ["later"]], Tail("process", 3, "ok")),
    ],
)
def test_items_of_a_tail_have_defaults(items: list[object], known: Tail) -> None:
    """An item that is absent, of another type or out of range reads as its default, and is kept."""
    record = decode_record(encode([*decoded(encode_record(RECORD)), *items]))
    assert (record.source, record.output) == (known.source, known.output)
    assert record.report_stamp == (known.report_stamp or RECORD.stamp)
    assert decoded(encode_record(record))[14:] == items


def test_a_tail_has_a_limit() -> None:
    """A record with as long a tail as may be is read, and one byte more is damage."""
    items = decoded(encode_record(RECORD))
    room = TAIL_BYTES - len(encode([b"x" * 1000])) + 1000
    assert len(decode_record(encode([*items, b"x" * room])).tail) == TAIL_BYTES
    with pytest.raises(Refused):
        decode_record(encode([*items, b"x" * (room + 1)]))
    with pytest.raises(Refused):
        decode_record(encode([*items, b"x" * (room + 2000)]))


@pytest.mark.parametrize("free", [4, 7, 200, 257, 300])
def test_an_output_is_shortened_where_a_later_version_took_the_room(free: int) -> None:
    """A status is not lost for what is said with it, and as much is said as fits."""
    tail = encode(["process", 1, "", b"x" * (TAIL_BYTES - 14 - free)])
    output = "é" * (OUTPUT_BYTES // 2)
    written = write_tail(tail, report_stamp=2, output=output)
    said = read_tail(written).output
    assert output.startswith(said)
    assert said == output or TAIL_BYTES - 4 <= len(written) <= TAIL_BYTES
    assert decoded(written)[3:] == decoded(tail)[3:]


def test_a_report_without_room_for_its_stamp_is_refused() -> None:
    """Without its stamp nobody could tell which report is the later one."""
    tail = encode(["process", 0, "", b"x" * (TAIL_BYTES - 14)])
    with pytest.raises(TailTooLarge):
        write_tail(tail, report_stamp=1 << 50)


@pytest.mark.parametrize("items", [[2], [2, "anything"], [1 << 40, *range(20)]])
def test_another_form_is_unknown_and_no_damage(items: list[object]) -> None:
    """What a later version writes in another form is told apart from damage."""
    for decoder in (decode_record, decode_intervention):
        with pytest.raises(Unknown):
            decoder(encode(items))


def test_another_kind_of_intervention_is_unknown_and_no_damage() -> None:
    """A later version may let peers decide other things."""
    with pytest.raises(Unknown):
        decode_intervention(encode([1, 7, "other", "a", 1, None, 3]))
