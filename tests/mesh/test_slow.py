"""Peers slowed to a crawl, as by a processor that others use up, among many that are well."""

from random import Random

import pytest

from gossamer.gossip import MemberFailed
from gossamer.simulations import Mesh, SimulatedPeer


@pytest.mark.parametrize("each", [0.1, 0.5])
@pytest.mark.parametrize("seed", range(2))
def test_the_slow_take_no_healthy_member_with_them(each: float, seed: int) -> None:
    """With 8 of 64 slowed for 30 s at random times no healthy peer is declared dead by anybody."""
    mesh = Mesh(seed, trace=False)
    peers = mesh.settle(64)
    rng = Random(seed)
    slow = rng.sample(peers, 8)
    for peer in slow:
        begins = mesh.now + 1 + rng.random() * 30
        mesh.clock.call_at(begins, peer.slow_down, each)
        mesh.clock.call_at(begins + 30, SimulatedPeer.speed_up, peer)
    mesh.run_for(61.0)
    names = {peer.name for peer in slow}
    dead = {
        event.member.name
        for peer in peers
        for _, event in peer.history
        if isinstance(event, MemberFailed)
    }
    assert dead <= names
    mesh.run_for(30.0)
    assert mesh.complete()
    assert mesh.converged()
