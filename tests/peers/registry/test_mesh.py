"""Registries over real cores in one process: datagrams and streams are passed on by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st
from instant_mesh import UNIX, InstantMesh, InstantPeer

from gossamer.gossip import Status
from gossamer.peers.model import Instance, NotFound, Registration, RegistryConfig
from gossamer.peers.registry._records import decode_record, encode_record
from gossamer.peers.registry._view import View


@pytest.fixture
def mesh() -> InstantMesh:
    return InstantMesh("a", "b", "c", "d", "e")


def test_a_registration_is_seen_everywhere_and_so_is_its_end(mesh: InstantMesh) -> None:
    """An instance that is registered at one peer is returned at each other, until it ends."""
    mesh["a"].register(port=8080)
    assert all(peer.ids() == ["one"] for peer in mesh.peers.values())
    found = mesh["e"].registry.lookup("orders")[0]
    assert (found.owner, found.address, found.port, found.verified) == ("a", "10.0.0.1", 8080, True)

    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh.spread()
    assert all(peer.ids() == [] for peer in mesh.peers.values())
    assert all(not peer.registry.knows("orders") for peer in mesh.peers.values())


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


def test_a_heartbeat_at_another_peer_takes_a_leased_instance_over(mesh: InstantMesh) -> None:
    """The peer that hears a heartbeat becomes the owner, and the former owner gives up."""
    mesh["a"].register(ttl=30)
    mesh["a"].registry.set_status("orders", "one", "DOWN", now=mesh.now)
    mesh.spread()
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    for peer in mesh.peers.values():
        found = peer.registry.find("orders", "one")
        assert found is not None
        assert (found.owner, found.status, found.ttl) == ("b", "DOWN", 30)
    assert not mesh["a"].gossip.parts["a"].records
    assert mesh["a"].registry.statistics()["leases"] == 0

    mesh.run(30.1)
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())


def test_a_heartbeat_for_an_instance_of_a_living_process_changes_nothing(mesh: InstantMesh) -> None:
    """An instance without a lease needs no heartbeat, and keeps its owner."""
    mesh["a"].register()
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert mesh["c"].registry.lookup("orders")[0].owner == "a"
    with pytest.raises(NotFound, match="no instance 'two'"):
        mesh["b"].registry.heartbeat("orders", "two", mesh.now)
    with pytest.raises(NotFound, match="no service 'payments'"):
        mesh["b"].registry.heartbeat("payments", "two", mesh.now)


def test_a_takeover_keeps_what_was_decided_meanwhile(mesh: InstantMesh) -> None:
    """A removal that a peer has not heard of when it takes an instance over still wins."""
    mesh["a"].register(ttl=300)
    mesh.cut("ab", "cde")
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    mesh.run(0.5)
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert mesh["a"].ids() == ["one"]
    mesh.cuts.clear()
    mesh.run(60.0)
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())


def test_a_status_survives_a_failover_that_knew_nothing_of_it(mesh: InstantMesh) -> None:
    """A status set on one side of a cut holds for the owner that wins on the other side."""
    mesh["a"].register(ttl=300)
    mesh.cut("ab", "cde")
    mesh["a"].registry.set_status("orders", "one", "OUT_OF_SERVICE", now=mesh.now)
    mesh["c"].registry.register(
        Registration(service="orders", id="one", port=81, ttl=300), mesh.now + 0.1
    )
    mesh.run(1.0)
    mesh.cuts.clear()
    mesh.run(60.0)
    for peer in mesh.peers.values():
        found = peer.registry.find("orders", "one")
        assert found is not None
        assert (found.owner, found.port, found.status) == ("c", 81, "OUT_OF_SERVICE")
    assert not mesh["a"].gossip.parts["a"].records


def test_a_status_is_handed_on_by_an_owner_that_gives_up(mesh: InstantMesh) -> None:
    """An owner that nobody heard leaves its decision to the owner that takes its place."""
    mesh["a"].register(ttl=300)
    mesh.mute = {"a"}
    mesh["a"].registry.set_status("orders", "one", "OUT_OF_SERVICE", now=mesh.now)
    mesh.run(0.1)
    mesh["c"].register(port=81, ttl=300)
    assert not any(key.startswith("i") for key in mesh["a"].gossip.parts["a"].records)
    assert mesh["c"].status() == "UP"
    mesh.mute = set()
    mesh.run(20.0)
    assert {peer.status() for peer in mesh.peers.values()} == {"OUT_OF_SERVICE"}
    assert mesh["a"].registry.lookup("orders", all=True)[0].owner == "c"


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


def test_an_owner_that_is_here_wins_over_one_that_is_kept(mesh: InstantMesh) -> None:
    """A dead peer's later registration does not hide an earlier one whose owner is alive."""
    mesh["a"].register(ttl=300)
    mesh.cut("acd", "be")
    mesh["b"].register(port=81, ttl=300)
    mesh.kill("b")
    mesh.run(15.0)
    mesh.cuts.clear()
    mesh.run(60.0)
    for name in "acde":
        (found,) = mesh[name].registry.lookup("orders")
        assert (found.owner, found.verified) == ("a", True)


def test_an_adopted_decision_lingers_for_those_who_hear_late(mesh: InstantMesh) -> None:
    """The writer keeps its removal for some seconds after the owner has withdrawn."""
    mesh["a"].register()
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    mesh.run(5.0)
    assert len(mesh["c"].gossip.parts["c"].records) == 1
    mesh.run(6.0)
    assert not mesh["c"].gossip.parts["c"].records


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
    """What nobody will adopt does not stay for ever."""
    mesh = InstantMesh("a", "b", config=RegistryConfig(override_kept_for=5000))
    mesh["b"].register(ttl=1000)
    mesh.kill("b")
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh.run(4900.0)
    assert mesh["a"].registry.statistics()["overrides_waiting"] == 1
    mesh.run(200.0)
    assert mesh["a"].registry.statistics()["overrides_waiting"] == 0
    assert not mesh["a"].gossip.parts["a"].records


def test_bad_records_are_counted_and_spoil_nothing(mesh: InstantMesh) -> None:
    """Records of another kind or shape are ignored one by one; the good beside them count."""
    core = mesh["a"].gossip
    mesh["a"].register("good")
    good = core.parts["a"].records["i\norders\ngood"]
    for key, value in {
        "i\norders\nbad": b"\xff",
        "i\norders\nfloat": good[:-1] + b"\xf9",
        "x\norders\nother": good,
        "i\nor/ders\nslash": good,
        "no key at all": good,
        "o\norders\ngood": good,
        "": b"",
    }.items():
        core.publish(key, value, mesh.now)
    mesh["a"].register("later")
    for name in "bcde":
        assert mesh[name].ids() == ["good", "later"]
        statistics = mesh[name].registry.statistics()
        # The empty key takes a place in the log, and is neither damaged nor unknown.
        assert (statistics["refused_records"], statistics["unknown_records"]) == (4, 2)
    core.publish("i\norders\ngood", b"", mesh.now)
    mesh.spread()
    assert {tuple(peer.ids()) for peer in mesh.peers.values()} == {("later",)}
    core.publish("i\norders\ngood", good, mesh.now)
    mesh.spread()
    assert {tuple(peer.ids()) for peer in mesh.peers.values()} == {("good", "later")}


def test_a_stamp_from_the_far_future_can_be_beaten(mesh: InstantMesh) -> None:
    """A record with an absurd stamp does not stand in the way of later registrations."""
    mesh["a"].register()
    record = decode_record(mesh["a"].gossip.parts["a"].records["i\norders\none"])
    forged = encode_record(replace(record, stamp=record.stamp * 8, port=666))
    mesh["a"].gossip.publish("i\norders\none", forged, mesh.now)
    mesh.spread()
    assert mesh["b"].registry.lookup("orders")[0].port == 666
    mesh["b"].register(port=81)
    assert {peer.registry.lookup("orders")[0].port for peer in mesh.peers.values()} == {81}
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    mesh.spread()
    assert all(peer.ids() == [] for peer in mesh.peers.values())


def test_concurrent_owners_settle_on_one(mesh: InstantMesh) -> None:
    """The same instance registered on both sides of a cut ends up with the later registration."""
    mesh.cut("ab", "cde")
    mesh["d"].register(port=1)
    mesh["b"].register(port=2)
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.cuts.clear()
    mesh.run(30.0)
    for peer in mesh.peers.values():
        assert [(each.owner, each.port) for each in peer.registry.lookup("orders")] == [("b", 2)]
    assert not mesh["d"].gossip.parts["d"].records


def from_scratch(peer: InstantPeer, owners: Iterable[str]) -> dict[str, Instance | None]:
    """Return what a view shows that reads the same core's parts only now, in this order."""
    view = View(
        peer.gossip,
        wall=lambda: UNIX + peer.mesh.now,
        observe=lambda _: None,
        is_preserved=peer.registry._preservation.keeps,
        owners_limit=32,
    )
    for owner in owners:
        view.apply(owner, (), peer.mesh.now)
    return {each: view.find(("orders", each)) for each in IDS}


IDS = ("i0", "i1")
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["register", "lease", "deregister", "set", "clear", "report", "heartbeat", "wait"]
        ),
        st.sampled_from("abc"),
        st.sampled_from(IDS),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(steps, st.sampled_from(["a", "b", "c", ""]), st.permutations(["a", "b", "c"]), st.integers())
def test_the_view_is_a_function_of_the_parts(
    steps: list[tuple[str, str, str]], cut_off: str, order: list[str], seed: int
) -> None:
    """After any actions on both sides of a cut all agree, as if they had read all at once."""
    mesh = InstantMesh("a", "b", "c")
    mesh.rng.seed(seed)
    if cut_off:
        mesh.cut(cut_off, set("abc") - {cut_off})
    for action, name, one in steps:
        registry = mesh[name].registry
        try:
            match action:
                case "register":
                    registry.register(Registration(service="orders", id=one, port=1), mesh.now)
                case "lease":
                    registry.register(
                        Registration(service="orders", id=one, port=2, ttl=1000), mesh.now
                    )
                case "deregister":
                    registry.deregister("orders", one, mesh.now)
                case "set":
                    registry.set_status("orders", one, "DOWN", by=name, now=mesh.now)
                case "clear":
                    registry.clear_status("orders", one, now=mesh.now)
                case "report":
                    registry.report("orders", one, "STARTING", output=name, now=mesh.now)
                case "heartbeat":
                    registry.heartbeat("orders", one, mesh.now)
                case _:
                    mesh.run(0.3)
        except NotFound:
            pass
        if action != "wait" and mesh.rng.random() < 0.5:
            mesh.run(0.003)
        for peer in mesh.peers.values():
            assert from_scratch(peer, order) == {i: peer.registry.find("orders", i) for i in IDS}
    mesh.cuts.clear()
    mesh.run(20.0)
    shown = {each: mesh["a"].registry.find("orders", each) for each in IDS}
    for peer in mesh.peers.values():
        assert {each: peer.registry.find("orders", each) for each in IDS} == shown
    assert from_scratch(mesh["a"], order) == shown
    mesh.run(25.0)
    records = [key for peer in mesh.peers.values() for key in peer.gossip.parts[peer.name].records]
    # One record for each instance that is shown, and no override that still waits.
    assert sorted(records) == [f"i\norders\n{each}" for each in IDS if shown[each] is not None]


def test_a_late_heartbeat_does_not_bring_back_what_was_deregistered(mesh: InstantMesh) -> None:
    """A heartbeat that another peer gets before it hears of the end revives nothing."""
    mesh["a"].register("one", ttl=600.0)
    mesh.run(1.0)
    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert all(peer.ids() == [] for peer in mesh.peers.values())
    mesh.run(30.0)
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())
