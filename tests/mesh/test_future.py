"""Peers of this version and of a next one in one mesh, as in an upgrade that goes peer by peer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from future import FAMILY, LATER, TAIL, NextVersion
from registries import Registries

from gossamer.gossip import Capability, Status
from gossamer.gossip.basis import array, decode
from gossamer.peers import Registration
from gossamer.simulations import Block, Mesh, SimulatedPeer

SERVICE = "orders"
# What tells of damage, and must stay at zero whatever a later version says.
DAMAGE = (
    "refused_garbage",
    "refused_checksum",
    "refused_oversize",
    "refused_malformed",
    "refused_message",
    "refused_update",
    "refused_entry",
    "refused_member",
    "refused_other",
    "rumors_too_large",
)
# In each mesh some peers can talk with each other only through peers of the other version.
MIXTURES = [
    pytest.param(["p1", "p4"], [["p1"], ["p4"]], id="few are new"),
    pytest.param(["p0", "p1", "p3", "p5"], [["p2"], ["p4"]], id="few are old"),
    pytest.param(["p0", "p2", "p4"], [["p0"], ["p2"], ["p4"]], id="half are new"),
]


class Mixed:
    """Six peers, some of them of the next version, and what is registered at them."""

    def __init__(self, names: list[str], *, keyed: bool) -> None:
        self.mesh = Mesh(5, settle=0.5, part_for=600.0)
        self.next = NextVersion(self.mesh, names, keyed=keyed)
        self.registries = Registries(self.mesh, beneath=self.next.beneath)

    @property
    def running(self) -> list[SimulatedPeer]:
        return [peer for peer in self.mesh if peer.running]

    def settle(self, seconds: float = 40.0) -> None:
        """Let time pass until all hold the same, and a little longer."""
        self.mesh.run_until(
            lambda: self.mesh.converged() and self.mesh.complete(), seconds, step=0.1
        )
        self.mesh.run_for(1.0)

    def register(self, peer: SimulatedPeer, name: str, ttl: float | None = None) -> None:
        registration = Registration(service=SERVICE, id=name, port=80, ttl=ttl)
        self.registries.act(peer, lambda registry, now: registry.register(registration, now))

    def override(self, peer: SimulatedPeer, name: str, status: str) -> None:
        self.registries.act(
            peer, lambda registry, now: registry.set_status(SERVICE, name, status, now=now)
        )

    def record(self, holder: SimulatedPeer, owner: str, key: str) -> list[object]:
        """Return the items of a record as a peer holds it."""
        return array(decode(holder.gossip.parts[owner].records[key]))

    def is_new(self, name: str) -> bool:
        return name in self.next.names

    def check(self, instances: set[str]) -> None:
        """Check that all hold the same, whole, and take nothing of it for damage."""
        assert len({peer.gossip.root for peer in self.running}) == 1
        for peer in self.running:
            assert self.registries.ids(peer, SERVICE) == instances, peer.name
            statistics = peer.gossip.statistics()
            assert {name: statistics[name] for name in DAMAGE} == dict.fromkeys(DAMAGE, 0)
            assert self.registries[peer].statistics()["refused_records"] == 0
            for other in self.running:
                if other is not peer:
                    self._check_member(peer, other)
            for other in self.mesh:
                self._check_records(peer, other)

    def _check_member(self, peer: SimulatedPeer, other: SimulatedPeer) -> None:
        member = peer.gossip.members[other.name]
        assert member.status is Status.ALIVE
        assert member.capabilities == Capability.TAILS
        assert (member.tail == TAIL) == self.is_new(other.name)

    def _check_records(self, peer: SimulatedPeer, owner: SimulatedPeer) -> None:
        part = peer.gossip.parts.get(owner.name)
        if part is None or not self.is_new(owner.name):
            return
        for key in part.records:
            if key.startswith(("i\n", "o\n")):
                assert self.record(peer, owner.name, key)[-1] == LATER, (peer.name, key)


@contextmanager
def _mixed(names: list[str], apart: list[list[str]], *, keyed: bool) -> Iterator[Mixed]:
    """Have six peers join one after the other, some of which cannot talk with each other."""
    mixed = Mixed(names, keyed=keyed)
    with mixed.next.speaking():
        mixed.mesh.add_peers(1)
        mixed.mesh.run_for(0.5)
        mixed.mesh.add_peers(5, apart=0.3)
        mixed.settle()
        if apart:
            mixed.mesh.cut(*([mixed.mesh[name] for name in side] for side in apart))
        yield mixed


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
@pytest.mark.parametrize(("names", "apart"), MIXTURES)
def test_rumors_pass_through_peers_of_the_other_version(
    names: list[str], apart: list[list[str]], keyed: bool
) -> None:
    """Registrations, overrides and unknown updates arrive whole through peers of any version."""
    with _mixed(names, apart, keyed=keyed) as mixed:
        mesh = mixed.mesh
        for number, peer in enumerate(mesh):
            mixed.register(peer, f"i{number}")
            mixed.next.tell(peer, f"hello from {peer.name}")
        mesh.run_for(2.0)
        for number, peer in enumerate(mesh):
            mixed.override(peer, f"i{(number + 1) % 6}", "OUT_OF_SERVICE")
            if mixed.is_new(peer.name):
                peer.publish(FAMILY, b"\xff of a new family")
        mixed.settle()
        mesh.run_for(15.0)
        mixed.check({f"i{number}" for number in range(6)})

        for peer in mesh:
            assert set(mixed.registries.statuses(peer, SERVICE).values()) == {"OUT_OF_SERVICE"}
            assert peer.gossip.statistics()["unknown"] > 0
            unknown = mixed.registries[peer].statistics()["unknown_records"]
            assert unknown == len(names)
            for name in names:
                assert peer.gossip.parts[name].records[FAMILY] == b"\xff of a new family"
        for listener in names:
            others = set(names) - {listener}
            heard = mixed.next.heard[listener]
            assert {origin for origin, text in heard if text.startswith("hello")} >= others


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
@pytest.mark.parametrize(("names", "apart"), MIXTURES)
def test_exchanges_bring_deltas_and_snapshots_of_the_other_version(
    names: list[str], apart: list[list[str]], keyed: bool
) -> None:
    """A peer that was away for a few changes, and one for more than a log holds, catch up."""
    with _mixed(names, apart, keyed=keyed) as mixed:
        mesh = mixed.mesh
        instances = set()
        for count in (3, 90):
            for away in ("p1", "p2"):
                with mesh.cut([mesh[away]], [peer for peer in mesh if peer.name != away]):
                    for number in range(count):
                        for peer in mesh:
                            if peer.name != away and number < (count if peer.name != "p5" else 3):
                                name = f"{peer.name}-{number}"
                                mixed.register(peer, name)
                                instances.add(name)
                        mesh.run_for(0.02)
                    mesh.run_for(30.0)
                mixed.settle(60.0)
        mixed.check(instances)
        assert all(
            sum(peer.gossip.statistics()[f"exchanges_{why}"] for why in ("heal", "repair", "fetch"))
            for peer in mesh
        )
        assert max(len(part.records) for part in mesh["p0"].gossip.parts.values()) >= 90


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
def test_updates_that_travel_by_stream_alone_keep_what_is_new(keyed: bool) -> None:
    """Where no datagram passes, exchanges tell of members and parts of the other version."""
    with _mixed(["p1", "p4"], [["p1"], ["p4"]], keyed=keyed) as mixed:
        mesh = mixed.mesh
        with mesh.fabric.add(Block("udp", [mesh["p2"].address[0], mesh["p4"].address[0]])):
            mesh.run_for(20.0)
            for peer in mesh:
                mixed.register(peer, peer.name)
            mesh.run_for(40.0)
            for peer in mesh:
                assert mixed.registries.ids(peer, SERVICE) == set(mesh.peers)
        mixed.settle()
        mixed.check(set(mesh.peers))


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
@pytest.mark.parametrize(("names", "apart"), MIXTURES)
def test_accusations_and_obituaries_keep_the_fields_of_a_member(
    names: list[str], apart: list[list[str]], keyed: bool
) -> None:
    """Updates about a member keep all that it told of itself, whichever peer sends them."""
    with _mixed(names, apart, keyed=keyed) as mixed:
        mesh = mixed.mesh
        victim, leaver = mesh[names[1]], mesh[names[0]]
        victim.crash(host=True)
        mesh.run_for(40.0)
        late = mesh.add("late", seeds=[mesh["p5" if names[1] != "p5" else "p4"].address])
        mesh.run_for(10.0)
        for peer in mixed.running:
            member = peer.gossip.members[victim.name]
            assert (member.status, member.tail) == (Status.DEAD, TAIL), peer.name

        leaver.leave()
        mesh.run_for(10.0)
        for peer in mixed.running:
            member = peer.gossip.members[leaver.name]
            assert (member.status, member.tail) == (Status.LEFT, TAIL), peer.name

        # A peer that heard of nothing for a while lists lives that are over.
        with mesh.cut([late], [peer for peer in mixed.running if peer is not late]):
            victim.restart(seeds=[mesh["p5" if names[1] != "p5" else "p3"].address])
            mesh.run_for(40.0)
        mixed.settle(60.0)
        mixed.check(set())


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
def test_a_lease_that_an_old_peer_takes_over_keeps_the_fields_of_its_record(keyed: bool) -> None:
    """New, old, new: a record that changes its owner twice has what its first owner wrote."""
    with _mixed(["p1", "p4"], [["p1"], ["p4"]], keyed=keyed) as mixed:
        mesh = mixed.mesh
        mixed.register(mesh["p1"], "leased", ttl=60.0)
        mesh.run_for(2.0)
        for owner in ("p2", "p4"):
            mixed.registries.act(
                mesh[owner], lambda registry, now: registry.heartbeat(SERVICE, "leased", now)
            )
            mesh.run_for(5.0)
            for peer in mesh:
                record = mixed.record(peer, owner, f"i\n{SERVICE}\nleased")
                assert record[-1] == LATER
        mixed.settle()
        mixed.check({"leased"})


@pytest.mark.parametrize("keyed", [False, True], ids=["without keys", "with keys"])
def test_a_mesh_is_upgraded_and_taken_back_peer_by_peer(keyed: bool) -> None:
    """At every step all see all instances, and each member with what its version says of it."""
    with _mixed([], [], keyed=keyed) as mixed:
        mesh = mixed.mesh
        order = [*mesh.peers, *reversed(mesh.peers)]
        for name in order:
            mixed.next.names ^= {name}
            mesh[name].restart(seeds=[peer.address for peer in mesh if peer.name != name])
            mixed.settle(60.0)
            for peer in mesh:
                mixed.register(peer, peer.name)
            mesh.run_for(3.0)
            mixed.settle(60.0)
            mixed.check(set(mesh.peers))
