"""Putting the pieces of a snapshot together, and comparing heads."""

import pytest
from cores import EPOCH, NOW, context

from gossamer.gossip.basis import Malformed
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.exchange._heads import HeadComparison, parse_heads
from gossamer.gossip.exchange._part_exchange import Assembly
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Piece
from gossamer.gossip.replication import OwnPart, Remains, Replicas
from gossamer.gossip.state import BUCKETS, PART_RECORDS


def test_the_last_piece_completes_a_snapshot() -> None:
    """Pieces of one part come together; until the last there is nothing."""
    assembly = Assembly()
    assert assembly.add(Piece("o", 1, 9, more=True, records={"a": b"1"})) is None
    assert assembly.add(Piece("o", 1, 9, more=True, records={"b": b"2"})) is None
    whole = assembly.add(Piece("o", 1, 9, more=False, records={"c": b"3"}))
    assert whole == {"a": b"1", "b": b"2", "c": b"3"}


@pytest.mark.parametrize("other", [("p", 1, 9), ("o", 2, 9), ("o", 1, 8)], ids=str)
def test_a_piece_of_another_snapshot_begins_anew(other: tuple[str, int, int]) -> None:
    """What was incomplete is dropped, be it another owner, epoch or version that follows."""
    assembly = Assembly()
    assembly.add(Piece("o", 1, 9, more=True, records={"a": b"1"}))
    whole = assembly.add(Piece(*other, more=False, records={"b": b"2"}))
    assert whole == {"b": b"2"}


def test_after_a_whole_snapshot_the_next_begins_anew() -> None:
    """The same part told twice is complete twice, and not mixed with itself."""
    assembly = Assembly()
    first = assembly.add(Piece("o", 1, 9, more=False, records={"a": b"1"}))
    second = assembly.add(Piece("o", 1, 9, more=False, records={"b": b"2"}))
    assert (first, second) == ({"a": b"1"}, {"b": b"2"})


def test_a_snapshot_has_a_part_s_bounds() -> None:
    """One record more than a part may have is refused, however many pieces bring it."""
    assembly = Assembly()
    records = {f"k{number}": b"" for number in range(PART_RECORDS)}
    assert assembly.add(Piece("o", 1, 9, more=True, records=records)) is None
    with pytest.raises(Malformed, match="too large"):
        assembly.add(Piece("o", 1, 9, more=True, records={"one more": b""}))


def _holding(**heads: tuple[int, int]) -> tuple[Context, HeadComparison]:
    peer = context()
    spread = Spread(peer)
    own = OwnPart(peer, spread, overtaken=lambda epoch, now: None)
    replicas = Replicas(peer, spread, own, Remains(), NOW)
    for owner, (epoch, version) in heads.items():
        part = peer.store.open(owner, epoch)
        peer.store.append(part, [("k", b"v")] * version)
    return peer, HeadComparison(peer, own, replicas)


def test_what_is_newer_there_is_wanted_and_what_is_newer_here_given() -> None:
    """By epoch first, then by version; equal heads, and both sides' unknowns, need nothing."""
    _, heads = _holding(same=(1, 5), older=(1, 2), newer=(2, 1), alone=(1, 1))
    theirs = {"same": (1, 5), "older": (1, 3), "newer": (1, 9), "unknown": (3, 4)}
    wants, gives = heads.compare(theirs, None, None)
    assert parse_heads(wants) == {"older": (1, 2), "unknown": (0, 0)}
    assert set(gives) == {("newer", 1, 9), ("alone", 0, 0), ("me", 0, 0)}


def test_only_what_is_in_scope_is_given() -> None:
    """Of owners that were not asked for, nothing is given because the other did not name them."""
    _, heads = _holding(asked=(1, 1), other=(1, 1))
    assert heads.compare({}, None, ["asked"]) == ([], [("asked", 0, 0)])
    assert heads.compare({}, 0, None) == ([], [])  # no bucket differs


def test_what_an_earlier_life_left_is_wanted_whole() -> None:
    """An own part of a lower epoch is asked for from its beginning, once."""
    peer, heads = _holding()
    earlier = {"me": (EPOCH - 1, 7)}
    assert heads.compare(earlier, None, [])[0] == ["me", 0, 0]
    assert peer.me.epoch == EPOCH


def test_equal_stores_have_no_differing_bucket() -> None:
    """Where fingerprints are equal no head is told; one part more shows in one bucket."""
    _, one = _holding(a=(1, 1), b=(1, 1))
    _, other = _holding(a=(1, 1), b=(1, 1), c=(1, 1))
    assert len(one.fingerprints) == 8 * BUCKETS
    assert one.differing(one.fingerprints).heads == []
    told = other.differing(one.fingerprints)
    assert told.heads == ["c", 1, 1]
    assert told.mask is not None
    assert int.from_bytes(told.mask).bit_count() == 1


@pytest.mark.parametrize("flat", [["o"], ["o", 1], ["o", -1, 1], ["", 1, 1], [1, 1, 1]], ids=repr)
def test_a_bad_head_is_refused(flat: list[object]) -> None:
    """Heads are triples of an owner's name and two whole numbers."""
    with pytest.raises(Malformed):
        parse_heads(flat)
