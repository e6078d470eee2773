"""Peers that come and go without end, around a core that stays."""

import os

import pytest
from visitors import come_and_go

from gossamer.simulations import Mesh

ROUNDS = 100_000 if "GOSSAMER_SOAK" in os.environ else 600


def test_what_is_kept_does_not_grow_with_who_has_gone() -> None:
    """Half of the visitors leave and half die; sizes in the second half are those of the first."""
    come_and_go(9, ROUNDS)


@pytest.mark.parametrize("farewell", ["crash", "leave"])
def test_newcomers_do_not_keep_the_gone_alive_in_lists(farewell: str) -> None:
    """Where nobody lives as long as the gone are kept, they are still forgotten in time."""
    mesh = Mesh(4, dead_for=30.0, left_for=30.0, part_for=10.0, tombstone_for=35.0)
    peers = mesh.add_peers(4, apart=0.5)
    mesh.run_for(3.0)
    gone = peers.pop()
    gone.publish("k", b"v")
    mesh.run_for(1.0)
    getattr(gone, farewell)()
    mesh.run_for(12.0)
    assert "p3" in peers[0].gossip.members
    # Each meets one that knows of the gone, and outlives it.
    for number in range(8):
        oldest = peers.pop(0)
        peers.append(mesh.add(f"new-{number}", seeds=[peers[0].address]))
        mesh.run_for(8.0)
        oldest.leave()
        mesh.run_for(4.0)

    lists = [set(peer.gossip.members) | set(peer.gossip.parts) for peer in mesh if peer.running]
    assert len(lists) == 3
    assert not any("p3" in names for names in lists)
