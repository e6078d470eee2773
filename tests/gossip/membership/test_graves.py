"""What is remembered of members that were forgotten."""

from cores import EPOCH, NOW, about, context

from gossamer.gossip import MemberForgotten, Status
from gossamer.gossip.membership._graves import Graves


def test_a_forgotten_member_leaves_its_last_epoch() -> None:
    """After its time a dead member is listed no more; its epoch is known until its stone goes."""
    peer = context(dead_for=10.0, part_for=1.0, tombstone_for=100.0)
    graves = Graves(peer, left_by=lambda name: -1)
    peer.table.put(about("x", Status.DEAD), NOW)
    assert graves.last_epoch("x") == -1
    graves.reap(NOW + 9.9)
    assert "x" in peer.table.rows
    graves.reap(NOW + 10.0)
    assert "x" not in peer.table.rows
    assert peer.events == [MemberForgotten("x")]
    assert (graves.last_epoch("x"), len(graves)) == (EPOCH, 1)
    graves.reap(NOW + 110.0)
    assert (graves.last_epoch("x"), len(graves)) == (-1, 0)


def test_a_part_that_was_left_tells_of_its_owner() -> None:
    """A peer that never knew the owner knows the epoch of what it holds of it."""
    peer = context()
    graves = Graves(peer, left_by={"x": 7}.__getitem__)
    assert graves.last_epoch("x") == 7
    peer.table.put(about("x"), NOW)
    assert graves.last_epoch("x") == -1  # the member itself says more
