"""Each invariant finds the breach that it is for."""

from collections.abc import Callable

import pytest
from invariants import (
    DatagramLimit,
    Monotony,
    Removal,
    check_nobody_dead,
    check_queues,
    check_removed,
    check_roots,
    registry_of,
)

from gossamer.gossip import Status
from gossamer.simulations import Mesh, SimulatedPeer


@pytest.fixture
def mesh() -> Mesh:
    """Three peers that agree on a record of each."""
    mesh = Mesh(1)
    for peer in mesh.settle(3):
        peer.publish("k", b"v")
    mesh.run_for(2.0)
    return mesh


def peers_of(mesh: Mesh) -> list[SimulatedPeer]:
    return list(mesh)


def test_a_mesh_that_is_well_breaks_nothing(mesh: Mesh) -> None:
    """All invariants hold, and what a root stands for is the same everywhere."""
    monotony = Monotony()
    for _ in range(2):
        check_roots(mesh, mesh.now)
        check_nobody_dead(mesh, mesh)
        for peer in mesh:
            check_queues(peer.gossip, mesh.now)
            monotony.check(peer.name, peer.gossip, mesh.now)
        mesh.run_for(1.0)
    first, second, third = (registry_of(peer.gossip) for peer in mesh)
    assert first == second == third


def test_a_record_that_differs_under_one_root_is_found(mesh: Mesh) -> None:
    """A replica that was changed behind its version's back has the same root."""
    parts = peers_of(mesh)[0].gossip.parts
    records = parts["p1"].records
    assert isinstance(records, dict)
    records["k"] = b"another"
    with pytest.raises(AssertionError, match="equal roots and other registries"):
        check_roots(mesh, mesh.now)
    with pytest.raises(AssertionError, match="equal roots and other registries"):
        check_roots(mesh, mesh.now, {"p2"})
    check_roots(mesh, mesh.now, {"p1"})


def test_two_roots_of_one_registry_are_found(mesh: Mesh) -> None:
    """A fingerprint that was not kept up does not stand for what is there."""
    peers_of(mesh)[0].gossip.inside.context.store.root ^= 1
    with pytest.raises(AssertionError, match="other roots and equal registries"):
        check_roots(mesh, mesh.now)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (
            lambda peer: setattr(peer.gossip.members["p1"], "epoch", 1),
            "member p1 fell",
        ),
        (lambda peer: setattr(peer.gossip.parts["p1"], "version", 0), "part p1 fell"),
        (lambda peer: setattr(peer.gossip.inside.context.me, "epoch", 1), "itself  fell"),
    ],
)
def test_what_falls_is_found(mesh: Mesh, spoil: Callable[[SimulatedPeer], None], what: str) -> None:
    """An epoch, a version, and the own epoch."""
    monotony, peer = Monotony(), peers_of(mesh)[0]
    monotony.check(peer.name, peer.gossip, mesh.now)
    spoil(peer)
    with pytest.raises(AssertionError, match=what):
        monotony.check(peer.name, peer.gossip, mesh.now)


def test_a_new_process_begins_a_view_of_its_own(mesh: Mesh) -> None:
    """What a restarted process has not heard yet did not fall."""
    monotony, peer = Monotony(), peers_of(mesh)[0]
    monotony.check(peer.name, peer.gossip, mesh.now)
    peer.restart(keep_epoch=True)
    monotony.check(peer.name, peer.gossip, mesh.now)


def test_a_queue_beyond_its_limit_is_found(mesh: Mesh) -> None:
    """Timers that are never swept, for one."""
    gossip = peers_of(mesh)[0].gossip
    gossip.inside.context.timers._sweep_at = 10_000
    for _ in range(1000):
        gossip.inside.context.timers.at(mesh.now + 1000.0, lambda now: None)
    with pytest.raises(AssertionError, match="timers, and"):
        check_queues(gossip, mesh.now)


def test_an_instance_that_is_shown_after_its_removal_is_found(mesh: Mesh) -> None:
    """Only where the view has passed the removal."""
    peer = peers_of(mesh)[0]
    head = peer.gossip.parts["p1"].head
    passed = Removal("p1", head, "gone")
    ahead = Removal("p1", (head[0], head[1] + 1), "gone")

    check_removed(peer, {"other"}, [passed], mesh.now)
    check_removed(peer, {"gone"}, [ahead], mesh.now)
    with pytest.raises(AssertionError, match="p0 shows gone, which p1 removed"):
        check_removed(peer, {"gone"}, [passed], mesh.now)


def test_a_datagram_that_is_too_large_is_found(mesh: Mesh) -> None:
    """One byte more than the limit, though nobody would have taken it."""
    sizes = DatagramLimit()
    mesh.fabric.add(sizes)
    one, other = peers_of(mesh)[:2]
    mesh.fabric.send_datagram(one.address, other.address, bytes(1400))
    sizes.check(mesh.now)
    mesh.fabric.send_datagram(one.address, other.address, bytes(1401))
    with pytest.raises(AssertionError, match="1401 bytes"):
        sizes.check(mesh.now)


def test_a_live_peer_that_is_held_dead_is_found(mesh: Mesh) -> None:
    """And one that is not known at all."""
    table = peers_of(mesh)[0].gossip.inside.context.table
    row = table.get("p1")
    assert row is not None
    row.status = Status.DEAD
    with pytest.raises(AssertionError, match="p0 holds p1 dead"):
        check_nobody_dead(mesh, mesh)
    del table.rows["p1"]
    with pytest.raises(AssertionError, match="p0 holds p1 unknown"):
        check_nobody_dead(mesh, mesh)
