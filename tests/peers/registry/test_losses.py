"""What is shown when peers crash, leave, restart, stop, or are cut off."""

from instant_mesh import InstantMesh

from gossamer.gossip import Status
from gossamer.peers.model import Registration


def test_one_crash_takes_its_own_instances_and_leaves_leased_ones_in_grace(
    mesh: InstantMesh,
) -> None:
    """After one peer's death its process's instances go at once, leased ones with their lease."""
    mesh["e"].register("mine")
    mesh["e"].register("leased", ttl=20)
    mesh["a"].register("other")
    mesh.kill("e")
    mesh.run(9.0)
    assert mesh["a"].gossip.members["e"].status is Status.DEAD
    verdict = mesh["a"].gossip.members["e"].since
    for name in "abcd":
        lookup = mesh[name].registry.lookup("orders")
        assert [each.id for each in lookup] == ["other", "leased"]
        assert [each.verified for each in lookup] == [True, False]
        assert lookup.degraded
        assert mesh[name].registry.statistics()["peers_preserved"] == 0
    mesh.run(verdict + 20.1 - mesh.now)
    assert mesh["a"].ids() == ["other"]
    assert not mesh["a"].registry.lookup("orders").degraded


def test_a_departure_is_seen_at_once(mesh: InstantMesh) -> None:
    """A peer that leaves takes the instances of its process along, without any grace."""
    mesh["e"].register("mine")
    mesh["e"].gossip.leave(mesh.now)
    mesh.spread()
    assert all(mesh[name].ids(all=True) == [] for name in "abcd")


def test_a_restarted_peer_takes_up_its_leased_instances(mesh: InstantMesh) -> None:
    """A new life publishes the leased instances of the last one; they expire without heartbeats."""
    mesh["e"].register("mine")
    mesh["e"].register("leased", ttl=60)
    mesh["a"].registry.set_status("orders", "leased", "DOWN", now=mesh.now)
    mesh["a"].registry.set_status("orders", "mine", "OUT_OF_SERVICE", now=mesh.now)
    mesh.spread()
    mesh.kill("e")
    mesh.start("e")
    for peer in mesh.peers.values():
        assert peer.ids(all=True) == ["leased"]
        found = peer.registry.find("orders", "leased")
        assert found is not None
        assert found.verified
        assert found.status == "DOWN"
    mesh["e"].register("mine")
    assert {peer.status("mine") for peer in mesh.peers.values()} == {"OUT_OF_SERVICE"}
    mesh.run(60.1)
    assert all(peer.ids(all=True) == ["mine"] for peer in mesh.peers.values())


def test_a_cut_preserves_both_sides_and_heals_by_itself(mesh: InstantMesh) -> None:
    """Each half keeps the other's instances, unverified and last, without a gap; then all heal."""
    for name in "abcde":
        mesh[name].register(f"of-{name}")
    everything = {f"of-{name}" for name in "abcde"}
    mesh.cut("abc", "de")
    for _ in range(100):
        mesh.run(0.3)
        assert all(set(peer.ids()) == everything for peer in mesh.peers.values())
    lookup = mesh["a"].registry.lookup("orders")
    assert [each.id for each in lookup] == ["of-a", "of-b", "of-c", "of-d", "of-e"]
    assert [each.verified for each in lookup] == [True] * 3 + [False] * 2
    assert lookup.degraded
    (preserved,) = mesh["a"].registry.preserved(mesh.now)
    assert (preserved.service, preserved.instances) == ("orders", 2)

    mesh["e"].register("new-e")
    mesh["a"].register("new-a")
    mesh.cuts.clear()
    mesh.run(30.0)
    everything |= {"new-a", "new-e"}
    for peer in mesh.peers.values():
        lookup = peer.registry.lookup("orders")
        assert {each.id for each in lookup} == everything
        assert all(each.verified for each in lookup)
        assert not lookup.degraded


def test_preservation_ends_by_itself(mesh: InstantMesh) -> None:
    """What never comes back is given up after the time that is configured."""
    for name in "abcde":
        mesh[name].register(f"of-{name}")
    mesh.kill("d", "e")
    mesh.run(30.0)
    assert set(mesh["a"].ids()) == {f"of-{name}" for name in "abcde"}
    mesh.run(900.0)
    assert set(mesh["a"].ids()) == {"of-a", "of-b", "of-c"}


def test_an_operator_can_accept_a_loss(mesh: InstantMesh) -> None:
    """Accepting the loss drops what is preserved of the service, and tells how many."""
    for name in "abcde":
        mesh[name].register(f"of-{name}")
    mesh["e"].registry.register(Registration(service="payments", port=1), mesh.now)
    mesh.spread()
    mesh.kill("d", "e")
    mesh.run(30.0)
    assert mesh["a"].registry.accept_loss("payments", mesh.now) == 1
    assert mesh["a"].registry.accept_loss("nothing", mesh.now) == 0
    assert len(mesh["a"].ids()) == 5
    assert mesh["a"].registry.accept_loss(None, mesh.now) == 2
    assert set(mesh["a"].ids()) == {"of-a", "of-b", "of-c"}
    assert mesh["a"].registry.accept_loss(None, mesh.now) == 0
    mesh.run(60.0)
    assert set(mesh["a"].ids()) == {"of-a", "of-b", "of-c"}


def test_a_peer_that_is_cut_off_says_so(mesh: InstantMesh) -> None:
    """A peer that hears nobody answers on, marks its answers, and wakes those who wait."""
    mesh["b"].register()
    before = mesh["a"].registry.lookup("orders")
    assert not before.degraded
    mesh.cut("a", "bcde")
    mesh.run(10.0)
    after = mesh["a"].registry.lookup("orders")
    assert mesh["a"].gossip.isolated
    assert [each.id for each in after] == ["one"]
    assert after.degraded
    assert after.index > before.index
    mesh.cuts.clear()
    mesh.run(20.0)
    assert not mesh["a"].registry.lookup("orders").degraded
    assert all(not peer.registry.degraded for peer in mesh.peers.values())


def test_instances_of_a_former_life_go_with_its_successor(mesh: InstantMesh) -> None:
    """A peer that is restarted at once takes nothing along but what was leased."""
    mesh["e"].register("mine")
    mesh["e"].register("leased", ttl=60)
    mesh.kill("e")
    mesh.start("e")
    assert {tuple(peer.ids(all=True)) for peer in mesh.peers.values()} == {("leased",)}


def test_a_stopped_owner_keeps_its_leases(mesh: InstantMesh) -> None:
    """A peer that was stopped for 20 s comes back with its instances, and lets them live on."""
    mesh["e"].register("mine")
    mesh["e"].register("leased", ttl=10)
    mesh["e"].stopped = True
    mesh.run(20.0)
    assert mesh["a"].ids(all=True) == []
    mesh["e"].stopped = False
    mesh.run(5.0)
    for peer in mesh.peers.values():
        assert set(peer.ids()) == {"leased", "mine"}
        assert all(each.verified for each in peer.registry.lookup("orders"))
        assert peer.registry.statistics()["peers_preserved"] == 0
    mesh.run(10.0)
    assert {tuple(peer.ids()) for peer in mesh.peers.values()} == {("mine",)}
