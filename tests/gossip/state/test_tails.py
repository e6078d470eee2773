"""What stands behind the frozen items of an update about a member."""

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.basis import Malformed, encode
from gossamer.gossip.state import (
    OWN_CAPABILITIES,
    OWN_TAIL,
    TAIL_LIMIT,
    Capability,
    Member,
    MemberTable,
    MemberUpdate,
    Status,
    decode_member_update,
    encoded_update,
    update_about,
)

_FROZEN: list[object] = [0, "b", 1, 2, 1, "10.0.0.1", 7940, "z", 3, "c"]
_values = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 62), (1 << 64) - 1), st.text(max_size=9),
    st.binary(max_size=30), st.lists(st.integers(0, 9), max_size=3),
)  # fmt: skip


def _table(*pieces: MemberUpdate) -> MemberTable:
    table = MemberTable("me")
    for piece in pieces:
        table.put(piece, 1.0)
    return table


def _update(epoch: int, incarnation: int, status: Status, tail: bytes) -> MemberUpdate:
    return MemberUpdate("b", epoch, incarnation, status, ("10.0.0.1", 7940), "z", 5, tail=tail)


def _tail(size: int) -> bytes:
    """Return a tail of so many bytes."""
    return encode([0, bytes(size - 4)])


@given(st.integers(0, (1 << 64) - 1), st.lists(_values, max_size=5))
def test_further_items_come_back_verbatim(capabilities: int, further: list[object]) -> None:
    """Whatever a later version adds, the update is encoded again byte by byte."""
    data = encode([*_FROZEN, capabilities, *further])
    update = decode_member_update(data)

    assert update.encode() == data
    assert update_about(MemberTable("me").put(update, 1.0), "c").encode() == data


def test_without_further_items_there_is_no_tail() -> None:
    """The update of a version that knew no tails is read and written as it was."""
    update = decode_member_update(encode(_FROZEN))

    assert update.tail == b""
    assert update.encode() == encode(_FROZEN)


@pytest.mark.parametrize(("size", "passes"), [(TAIL_LIMIT, True), (TAIL_LIMIT + 1, False)])
def test_a_tail_ends_at_its_limit(size: int, passes: bool) -> None:
    """A tail of 256 bytes is kept; an update with a longer one is refused."""
    data = _update(1, 0, Status.ALIVE, _tail(size)).encode()
    assert len(_tail(size)) == size
    if passes:
        assert decode_member_update(data).tail == _tail(size)
    else:
        with pytest.raises(Malformed):
            decode_member_update(data)


def test_many_further_items_are_counted_in_longer_heads() -> None:
    """The number of items takes one byte, two, or three, as it has to."""
    for count in (1, 13, 14, 23, 24, 200, 245, 246, 254):
        data = encode([*_FROZEN, *[0] * count])
        assert decode_member_update(data).encode() == data


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", b"1", None, []])
def test_an_eleventh_item_of_another_type_means_no_capabilities(value: object) -> None:
    """The item is kept and passed on as it is: it must not hide the member."""
    data = encode([*_FROZEN, value])
    update = decode_member_update(data)
    assert update.encode() == data
    assert _table(update).rows["b"].capabilities == 0


def test_capabilities_are_read_by_the_bits_that_are_known() -> None:
    """Bits of a later version are no flags here; without a tail no flag is set."""
    assert encode([1]) == OWN_TAIL
    assert OWN_CAPABILITIES == Capability.TAILS
    for tail, expected in (
        (b"", Capability(0)),
        (encode([0]), Capability(0)),
        (encode([1]), Capability.TAILS),
        (encode([(1 << 64) - 1, "further"]), Capability.TAILS),
        (encode([1 << 40]), Capability(0)),
    ):
        row = _table(_update(1, 0, Status.ALIVE, tail)).rows["b"]
        assert row.capabilities == expected
    assert Member("b", 1, 0, Status.ALIVE, ("h", 1), "", 0, 0.0).capabilities == 0


@pytest.mark.parametrize("status", [Status.SUSPECT, Status.DEAD, Status.LEFT])
def test_a_tail_is_believed_from_updates_of_life_only(status: Status) -> None:
    """What others say of a member changes nothing of what it said of itself."""
    own, forged = encode([1, "own"]), encode([0, "forged"])
    table = _table(_update(1, 0, Status.ALIVE, own), _update(1, 1, status, forged))

    assert table.rows["b"].tail == own
    assert decode_member_update(encoded_update(table.rows["b"])).tail == own


@pytest.mark.parametrize("status", list(Status))
def test_another_epoch_brings_its_own_tail(status: Status) -> None:
    """An update about another epoch describes another process, whatever it says of it."""
    later = encode([1, "later"])
    table = _table(_update(1, 7, Status.ALIVE, OWN_TAIL), _update(2, 0, status, later))

    assert table.rows["b"].tail == later


@pytest.mark.parametrize("status", [Status.ALIVE, Status.SUSPECT, Status.DEAD])
@pytest.mark.parametrize("moved", [False, True])
def test_a_later_incarnation_changes_the_tail(status: Status, moved: bool) -> None:
    """A member that speaks up tells its tail anew, wherever it is and whatever it was taken for."""
    later = _update(1, 2, Status.ALIVE, encode([1, "later"]))
    if moved:
        later.address = ("10.0.0.2", 7940)
    table = _table(_update(1, 1, status, OWN_TAIL), later)

    assert table.rows["b"].tail == later.tail
    assert decode_member_update(encoded_update(table.rows["b"])) == later


def test_a_table_that_is_filled_keeps_tails() -> None:
    """Members that are known from the start have their tails."""
    table = MemberTable("me")
    payload = _update(1, 0, Status.ALIVE, encode([1, "later"])).encode()
    table.fill([payload], 1.0)

    assert table.rows["b"].tail == encode([1, "later"])
    assert encoded_update(table.rows["b"]) == payload
