import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.basis import Malformed, Unknown, encode
from gossamer.gossip.messages import (
    Delta,
    Dropped,
    Piece,
    decode_entry,
    encode_dropped,
    encode_part,
)
from gossamer.gossip.messages._entries import PIECE_BYTES
from gossamer.gossip.state import VALUE_LIMIT, Operation, Part, operation_size
from gossamer.gossip.state._part import LOG_OPERATIONS

_operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.binary(max_size=8))),
    min_size=1,
    max_size=2 * LOG_OPERATIONS,
)


def part_of(operations: list[Operation], epoch: int = 5) -> Part:
    """Return an owner's part after these operations."""
    part = Part("o", epoch)
    part.append(operations)
    return part


def pieces_of(entries: list[bytes]) -> list[Piece]:
    """Return the entries, all of which are pieces of a snapshot."""
    pieces = []
    for entry in entries:
        piece = decode_entry(entry)
        assert isinstance(piece, Piece)
        pieces.append(piece)
    return pieces


@given(_operations, st.data())
def test_entries_bring_any_earlier_replica_up_to_date(
    operations: list[Operation], data: st.DataObject
) -> None:
    """Whatever prefix a replica holds, the entries make it equal to the part."""
    part = part_of(operations)
    version = data.draw(st.integers(0, part.version))
    replica = part_of(operations[:version])

    for entry in encode_part(part, replica.epoch, replica.version):
        match decode_entry(entry):
            case Delta(since=since, operations=fresh):
                assert replica.merge(since, fresh) is not None
            case Piece(more=False) as piece:
                replica.replace(piece.epoch, piece.version, piece.records)
            case other:
                pytest.fail(f"{other} has no place here")

    assert (replica.head, replica.records) == (part.head, part.records)


def test_a_replica_above_the_floor_gets_what_it_lacks() -> None:
    """Only the operations that follow the replica's version travel."""
    part = part_of([("a", b"1"), ("b", b"2"), ("a", None)])

    entries = [decode_entry(entry) for entry in encode_part(part, 5, 1)]

    assert entries == [Delta("o", 5, 1, [("b", b"2"), ("a", None)])]


def test_a_replica_that_is_up_to_date_gets_nothing() -> None:
    """Equal or later versions of the same epoch need no entry."""
    part = part_of([("a", b"1")])

    assert encode_part(part, 5, 1) == []
    assert encode_part(part, 5, 9) == []


def test_a_replica_below_the_floor_gets_a_snapshot() -> None:
    """What fell out of the log is replaced by the records that are left."""
    part = part_of([("a", b"0"), ("b", b"0"), ("b", None)] + [("a", b"1")] * LOG_OPERATIONS)

    assert pieces_of(encode_part(part, 5, part.floor - 1)) == [
        Piece("o", 5, part.version, more=False, records={"a": b"1"})
    ]


def test_another_epoch_is_brought_up_from_nothing() -> None:
    """A replica's version in another epoch does not count: all operations are sent."""
    part = part_of([("a", b"1"), ("b", b"2")])

    entries = [decode_entry(entry) for entry in encode_part(part, 4, 2)]

    assert entries == [Delta("o", 5, 0, [("a", b"1"), ("b", b"2")])]


def test_an_empty_part_below_the_floor_is_an_empty_snapshot() -> None:
    """That nothing is left is told by a snapshot of no records."""
    part = part_of([("a", b"1"), ("a", None)] * LOG_OPERATIONS)

    assert pieces_of(encode_part(part, 5, 0)) == [
        Piece("o", 5, part.version, more=False, records={})
    ]


@given(st.lists(st.integers(0, VALUE_LIMIT), min_size=1, max_size=12))
def test_a_snapshot_is_cut_into_pieces(sizes: list[int]) -> None:
    """Pieces stay below their bound or hold one record; the last alone says that it is the last."""
    part = Part("o", 5)
    part.replace(5, 9, {str(number): bytes(size) for number, size in enumerate(sizes)})

    pieces = pieces_of(encode_part(part, 5, 0))

    for piece in pieces:
        size = sum(operation_size(*record) for record in piece.records.items())
        assert size <= PIECE_BYTES or len(piece.records) == 1
        assert (piece.owner, piece.epoch, piece.version) == ("o", 5, 9)
    assert [piece.more for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    joined = [record for piece in pieces for record in piece.records.items()]
    assert joined == list(part.records.items())


def test_two_records_share_a_piece_up_to_its_bound() -> None:
    """A piece is filled to its last byte before the next begins."""
    part = Part("o", 5)
    room = PIECE_BYTES - 2 * operation_size("a", b"")
    for size, count in ((room, 1), (room + 1, 2)):
        part.replace(5, 9, {"a": b"", "b": bytes(size)})
        assert len(encode_part(part, 5, 0)) == count


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.integers(0, 99))
def test_that_a_part_is_gone_comes_back(owner: str, epoch: int) -> None:
    """The entry for a dropped part is read as it was written."""
    assert decode_entry(encode_dropped(owner[:128], epoch)) == Dropped(owner[:128], epoch)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="nothing"),
        pytest.param([0, "o", 1], id="update about a member"),
        pytest.param([2, "o", 1, 1], id="head"),
        pytest.param([256, "o", 1], id="kind beyond the limit"),
        pytest.param([True, "o", 1, 0, ["k", b""]], id="truth value for a kind"),
        pytest.param([1, "o", 1, 0, []], id="empty delta"),
        pytest.param([3, "o", 1, 1, 0], id="short snapshot"),
        pytest.param([3, "o", 1, 1, 0, ["k", b"", "k", b""]], id="key twice"),
        pytest.param([3, "o", 1, 1, 0, ["k", None]], id="removal in a snapshot"),
        pytest.param([3, "o", 1, 1, 0, ["k"]], id="key without a value"),
        pytest.param([3, "o", 1, 1, 0, b""], id="bytes for the records"),
        pytest.param([3, "o", 1, 1, 2, []], id="more beyond 1"),
        pytest.param([3, "o", 1, 1, False, []], id="truth value for more"),
        pytest.param([3, "o", 1, (1 << 48) + 1, 0, []], id="version"),
        pytest.param([3, "o", 1 << 63, 1, 0, []], id="epoch of a snapshot"),
        pytest.param([3, "", 1, 1, 0, []], id="no owner of a snapshot"),
        pytest.param([4, "o", 1 << 63], id="epoch of a dropped part"),
        pytest.param([4, "o\n", 1], id="owner of a dropped part"),
    ],
)
def test_a_bad_entry_is_malformed(items: list[object]) -> None:
    """An entry with one fault in it is refused, and with nothing but Malformed."""
    with pytest.raises(Malformed):
        decode_entry(encode(items))


_further = st.lists(
    st.one_of(st.none(), st.integers(-9, 1 << 63), st.binary(max_size=9)), min_size=1
)


@given(_further)
def test_an_entry_is_read_by_the_items_that_are_known(further: list[object]) -> None:
    """What a later version adds to an entry of a known kind is not looked at."""
    operations: list[Operation] = [("k", b"v")]
    for items, expected in (
        ([1, "o", 5, 0, ["k", b"v"]], Delta("o", 5, 0, operations)),
        ([3, "o", 5, 1, 0, ["k", b"v"]], Piece("o", 5, 1, more=False, records={"k": b"v"})),
        ([4, "o", 5], Dropped("o", 5)),
    ):
        assert decode_entry(encode([*items, *further])) == expected


@pytest.mark.parametrize("items", [[5], [255, "o", 1], [6, None, []]])
def test_an_entry_of_a_later_kind_is_told_from_damage(items: list[object]) -> None:
    """Whatever it holds, it is unknown and nothing worse."""
    with pytest.raises(Unknown):
        decode_entry(encode(items))
