"""Deregistrations and overrides from any peer, until the owner has adopted them."""

import pytest
from instant_mesh import UNIX, InstantMesh

from gossamer.gossip import Status
from gossamer.peers.model import NotFound, RegistryConfig


def test_any_peer_can_deregister_and_nothing_is_left_of_it(mesh: InstantMesh) -> None:
    """A removal by another peer takes effect there at once, and the owner withdraws its record."""
    mesh["a"].register()
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    assert mesh["c"].ids() == []
    mesh.spread()
    assert all(peer.ids() == [] for peer in mesh.peers.values())
    assert not mesh["a"].gossip.parts["a"].records

    mesh.run(15.0)
    assert not mesh["c"].gossip.parts["c"].records
    assert all(peer.ids() == [] for peer in mesh.peers.values())


def test_a_registration_after_a_removal_wins(mesh: InstantMesh) -> None:
    """Registering again after a removal is newer than the removal, at the owner and elsewhere."""
    mesh["a"].register()
    for registrar in "ba":
        mesh["c"].registry.deregister("orders", "one", mesh.now)
        mesh[registrar].register()
        assert all(peer.ids() == ["one"] for peer in mesh.peers.values())


def test_a_status_set_anywhere_is_adopted_by_the_owner(mesh: InstantMesh) -> None:
    """An override keeps who, why and until when, and stays until it is cleared."""
    mesh["a"].register()
    mesh["d"].registry.set_status(
        "orders", "one", "OUT_OF_SERVICE", reason="canary", expires=3600, now=mesh.now
    )
    assert mesh["d"].status() == "OUT_OF_SERVICE"
    mesh.spread()
    for peer in mesh.peers.values():
        assert peer.ids() == []
        found = peer.registry.lookup("orders", all=True)[0]
        assert found.own_status == "UP"
        assert found.override is not None
        assert (found.override.by, found.override.reason) == ("d", "canary")
        assert found.override.expires_at == pytest.approx(UNIX + mesh.now + 3600)

    mesh.run(15.0)
    assert not mesh["d"].gossip.parts["d"].records
    mesh["a"].register()
    assert {peer.status() for peer in mesh.peers.values()} == {"OUT_OF_SERVICE"}

    mesh["e"].registry.clear_status("orders", "one", now=mesh.now)
    mesh.spread()
    assert {peer.status() for peer in mesh.peers.values()} == {"UP"}


def test_an_override_ends_everywhere_at_its_time(mesh: InstantMesh) -> None:
    """When an override expires every peer shows the service's own status again."""
    mesh["a"].register()
    mesh["b"].registry.set_status("orders", "one", "DOWN", expires=5, now=mesh.now)
    mesh.spread()
    mesh.run(4.9)
    assert {peer.status() for peer in mesh.peers.values()} == {"DOWN"}
    mesh.run(0.2)
    assert {peer.status() for peer in mesh.peers.values()} == {"UP"}
    for peer in mesh.peers.values():
        found = peer.registry.find("orders", "one")
        assert found is not None
        assert found.override is None


def test_a_late_status_does_not_revive_what_was_deregistered(mesh: InstantMesh) -> None:
    """A status set in ignorance of a removal does not bring the instance back."""
    mesh["a"].register()
    mesh.cut("ae", "bcd")
    mesh["b"].registry.deregister("orders", "one", mesh.now)
    mesh.run(0.5)
    mesh["e"].registry.set_status("orders", "one", "STARTING", now=mesh.now)
    mesh.run(1.0)
    assert mesh["a"].status() == "STARTING"
    mesh.cuts.clear()
    mesh.run(60.0)
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())
    mesh.run(60.0)
    assert all(not part.records for part in mesh["a"].gossip.parts.values())


def test_a_status_goes_with_the_registration_that_the_owner_ends(mesh: InstantMesh) -> None:
    """What is registered anew right after a deregistration has no override of the old."""
    mesh["a"].register()
    mesh["c"].registry.set_status("orders", "one", "DOWN", now=mesh.now)
    mesh.spread()
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh["a"].register()
    assert {peer.status() for peer in mesh.peers.values()} == {"UP"}
    mesh.run(30.0)
    assert {peer.status() for peer in mesh.peers.values()} == {"UP"}
    assert len(mesh["a"].gossip.parts["a"].records) == 1


def test_an_adopted_decision_lingers_for_those_who_hear_late(mesh: InstantMesh) -> None:
    """The writer keeps its removal for some seconds after the owner has withdrawn."""
    mesh["a"].register()
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    mesh.run(5.0)
    assert len(mesh["c"].gossip.parts["c"].records) == 1
    mesh.run(6.0)
    assert not mesh["c"].gossip.parts["c"].records


def test_a_removal_holds_while_there_is_anything_to_remove(mesh: InstantMesh) -> None:
    """What a peer that left has leased stays removed, although nobody withdraws its record."""
    mesh["e"].register(ttl=3600)
    mesh["e"].gossip.leave(mesh.now)
    mesh.run(1.0)
    mesh.kill("e")
    assert mesh["a"].ids() == ["one"]
    mesh["b"].registry.deregister("orders", "one", mesh.now)
    mesh.run(60.0)
    assert all(mesh[name].ids(all=True) == [] for name in "abcd")


def test_a_removal_outlasts_the_partition_in_which_it_was_made(mesh: InstantMesh) -> None:
    """An instance deregistered while its owner was cut off for hours does not come back."""
    mesh["e"].register("one", ttl=100_000)
    mesh.cut("abcd", "e")
    mesh.run(60.0)
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    assert mesh["a"].ids() == []
    mesh.run(2 * 3600.0)
    assert "e" not in mesh["a"].gossip.parts
    assert mesh["e"].ids() == ["one"]
    mesh.cuts.clear()
    # The owner is heard long before its part can be fetched.
    mesh.streams = False
    mesh.run(40.0)
    assert mesh["a"].gossip.members["e"].status is Status.ALIVE
    assert "e" not in mesh["a"].gossip.parts
    mesh.streams = True
    for _ in range(200):
        mesh.run(0.5)
        assert mesh["a"].ids() == mesh["b"].ids() == []
    assert mesh["e"].ids(all=True) == []
    assert not mesh["a"].gossip.parts["a"].records


def test_a_removal_by_the_owner_holds_against_a_record_that_is_left_elsewhere(
    mesh: InstantMesh,
) -> None:
    """When a dead peer still has a record of the instance, removing it hides that one too."""
    mesh["e"].register(ttl=3600)
    mesh.kill("e")
    mesh.run(12.0)
    mesh["a"].register(port=81)
    assert [(each.owner, each.verified) for each in mesh["b"].registry.lookup("orders")] == [
        ("a", True)
    ]
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh.spread()
    assert all(mesh[name].ids(all=True) == [] for name in "abcd")
    mesh.start("e")
    mesh.run(30.0)
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())
    mesh.run(30.0)
    assert not mesh["a"].gossip.parts["a"].records


def test_waiting_overrides_are_bounded(mesh: InstantMesh) -> None:
    """Beyond the limit the oldest override that waits is dropped, and that is counted."""
    small = InstantMesh("a", "b", config=RegistryConfig(overrides=3))
    for number in range(5):
        small["b"].register(f"i{number}", ttl=10_000)
    small.cut("a", "b")
    for number in range(5):
        small["a"].registry.set_status("orders", f"i{number}", "DOWN", now=small.now)
    assert small["a"].ids() == ["i0", "i1"]
    assert small["a"].registry.statistics()["overrides_waiting"] == 3
    assert small["a"].registry.statistics()["overrides_dropped"] == 2
    assert len(small["a"].gossip.parts["a"].records) == 3


def test_an_override_for_an_owner_that_never_returns_is_dropped_after_two_days() -> None:
    """An intervention that no owner adopts does not stay without end."""
    mesh = InstantMesh("a", "b", config=RegistryConfig(override_kept_for=5000))
    mesh["b"].register(ttl=1000)
    mesh.kill("b")
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh.run(4900.0)
    assert mesh["a"].registry.statistics()["overrides_waiting"] == 1
    mesh.run(200.0)
    assert mesh["a"].registry.statistics()["overrides_waiting"] == 0
    assert not mesh["a"].gossip.parts["a"].records


@pytest.mark.parametrize("action", ["status", "clear", "report"])
def test_an_action_that_comes_before_the_tick_finds_no_lease_that_is_over(
    mesh: InstantMesh, action: str
) -> None:
    """A process that was slow still shows the instance; the action says that it is not there."""
    mesh["e"].register(ttl=30)
    mesh.kill("e")
    mesh.run(15.0)
    registry = mesh["b"].registry
    assert registry.find("orders", "one") is not None
    late = mesh.now + 60.0
    actions = {
        "status": lambda: registry.set_status("orders", "one", "DOWN", now=late),
        "clear": lambda: registry.clear_status("orders", "one", now=late),
        "report": lambda: registry.report("orders", "one", "DOWN", now=late),
    }
    with pytest.raises(NotFound):
        actions[action]()
    # Lookups are told as well: no tick is due for it any more.
    assert not registry.lookup("orders", all=True)
    assert not mesh["b"].gossip.parts["b"].records
