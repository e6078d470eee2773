"""The frames of a conversation: what is written is read again, and what cannot be is refused."""

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.basis import Malformed, Unknown, array, decode, encode
from gossamer.gossip.messages import (
    FINGERPRINT_SIZE,
    LAST_KIND,
    Another,
    Ask,
    Busy,
    Done,
    EpochRefused,
    Foreign,
    Frame,
    Heads,
    Hello,
    Members,
    Open,
    Parts,
    Probe,
    Probed,
    Want,
    parse_frame,
)
from gossamer.gossip.state import BUCKETS

ROOT = bytes(range(16))
FRAMES: list[Frame] = [
    Probe(7, "a"),
    Probed(7),
    Another(),
    Open(b"me"),
    Busy(60_000),
    Hello(b"me"),
    Members([b"x"], [0]),
    Heads(bytes(BUCKETS // 8), ["o", 1, 2]),
    Heads(None, []),
    Want(["o", 1, 2]),
    Parts([b"entry"]),
    Done(),
    EpochRefused(),
    Foreign(),
    Ask(1, ROOT, None, ["o", 1, 2], None),
    Ask(3, ROOT, ["o"], None, bytes(FINGERPRINT_SIZE * BUCKETS)),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    """Also with further items behind those that are known; with one fewer it is malformed."""
    items = array(decode(encode(frame.items())))
    assert parse_frame(items) == frame
    assert parse_frame([*items, "later", [1]]) == frame
    assert items[0] == frame.KIND
    if len(items) > 1:
        with pytest.raises(Malformed, match="too short"):
            parse_frame(items[:-1])


def test_all_kinds_are_among_them() -> None:
    """Each kind up to the last has a frame."""
    assert {frame.KIND for frame in FRAMES} == set(range(LAST_KIND + 1))


@pytest.mark.parametrize(
    "items",
    [
        [],
        ["a"],
        [-1],
        [256],
        [True],
        [0, -1, "a"],
        [0, 1, "n" * 129],
        [1, 1 << 32],
        [3, bytes(1401)],
        [3, "me"],
        [4, 60_001],
        [6, b"", []],
        [7, bytes(BUCKETS // 8 + 1), []],
        [8, None],
        [9, b"entry"],
        [13, 256, ROOT, None, None, None],
        [13, 1, bytes(17), None, None, None],
        [13, 1, ROOT, [""], None, None],
        [13, 1, ROOT, None, None, bytes(FINGERPRINT_SIZE * BUCKETS - 1)],
    ],
    ids=repr,
)
def test_what_cannot_be_a_frame_is_refused(items: list[object]) -> None:
    """Wrong types, wrong lengths and numbers out of range are malformed, and not merely unknown."""
    with pytest.raises(Malformed) as caught:
        parse_frame(items)
    assert not isinstance(caught.value, Unknown)


@given(st.integers(LAST_KIND + 1, 255))
def test_a_later_kind_is_unknown(kind: int) -> None:
    """A kind of a later version is told from damage, whatever follows it."""
    with pytest.raises(Unknown):
        parse_frame([kind, "anything", [b""]])
