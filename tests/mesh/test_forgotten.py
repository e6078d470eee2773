"""Peers that come back after the others forgot them, or with a clock that is wrong."""

from typing import Any

import pytest

from gossamer.simulations import Mesh


def _mesh(seed: int, **protocol: Any) -> Mesh:
    mesh = Mesh(seed, **protocol)
    first = mesh.add()
    for _ in range(5):
        mesh.add(seeds=[first.address])
        mesh.run_for(0.05)
    mesh.run_until(mesh.complete, 10.0)
    for peer in mesh:
        peer.publish("before", peer.name.encode())
    mesh.run_until(mesh.converged, 5.0)
    return mesh


def _settled(mesh: Mesh) -> bool:
    return mesh.complete() and mesh.converged()


def _repairs(mesh: Mesh) -> int:
    return sum(peer.gossip.statistics()["exchanges_repair"] for peer in mesh)


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_outlasts_the_memory_of_the_dead(seed: int) -> None:
    """Two sides that have forgotten each other's members heal all the same, through the seeds."""
    mesh = _mesh(seed, dead_for=60.0, part_for=30.0, tombstone_for=7200.0)
    peers = list(mesh)
    mesh.cut(peers[:3], peers[3:])
    mesh.run_for(300.0)
    assert not any(peer.name in peers[0].gossip.members for peer in peers[3:])
    mesh.heal()
    mesh.run_until(lambda: _settled(mesh), 30.0)
    for owner in peers:
        assert set(mesh.record(owner, "before").values()) == {owner.name.encode()}
    quiet = _repairs(mesh)
    mesh.run_for(60.0)
    assert _repairs(mesh) == quiet


@pytest.mark.parametrize("seed", range(3))
def test_a_departed_peer_returns_with_its_clock_set_back(seed: int) -> None:
    """A peer whose new epoch is below the one that others buried takes a higher one."""
    mesh = _mesh(seed)
    peer = mesh["p3"]
    peer.leave()
    mesh.run_for(90.0)
    assert peer.name not in mesh["p0"].gossip.members
    peer.start([mesh["p0"].address], epoch=int(peer.wall() * 1000) - 300_000)
    mesh.run_until(lambda: _settled(mesh), 10.0)
    peer.publish("after", b"1")
    mesh.run_until(lambda: set(mesh.record(peer, "after").values()) == {b"1"}, 2.0)


def test_a_newcomer_with_a_clock_far_behind_joins() -> None:
    """A host without a clock of its own believes the epochs of the mesh that it is pointed to."""
    mesh = _mesh(1)
    mesh.add("behind", seeds=[mesh["p0"].address], skew=-400 * 86_400.0)
    mesh.run_until(lambda: _settled(mesh), 10.0)


def test_a_newcomer_with_a_clock_far_ahead_is_not_joined() -> None:
    """A peer whose epoch nobody believes does not take itself for a part of the mesh."""
    mesh = _mesh(1)
    ahead = mesh.add("ahead", seeds=[mesh["p0"].address], skew=3 * 86_400.0)
    mesh.run_for(30.0)
    assert not ahead.gossip.joined
    assert ahead.gossip.statistics()["refused_by_others"] > 0
    assert all("ahead" not in peer.gossip.members for peer in mesh)
