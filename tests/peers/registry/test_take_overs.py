"""The owner of an instance: heartbeats at other peers, failovers, and two owners of one id."""

from dataclasses import replace

import pytest
from instant_mesh import InstantMesh

from gossamer.gossip import encode
from gossamer.peers.model import TAIL_BYTES, NotFound, Registration
from gossamer.peers.registry._records import decode_record, encode_record


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


@pytest.mark.parametrize("free", [0, 3, 7, 9])
def test_an_instance_with_a_full_tail_is_taken_over_as_well(mesh: InstantMesh, free: int) -> None:
    """What a later version wrote must not keep a service that beats from being heard."""
    mesh["a"].register(ttl=30)
    key, value = next(iter(mesh["a"].gossip.parts["a"].records.items()))
    later = b"x" * (TAIL_BYTES - 11 - free)
    tail = encode(["http", 0, "", later])
    assert len(tail) == TAIL_BYTES - free
    record = replace(decode_record(value), tail=tail)
    mesh["a"].gossip.publish(key, encode_record(record), mesh.now)
    mesh.spread()
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert [peer.registry.lookup("orders")[0].owner for peer in mesh.peers.values()] == ["b"] * 5
    taken = decode_record(next(iter(mesh["b"].gossip.parts["b"].records.values())))
    assert taken.tail.endswith(later)


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
