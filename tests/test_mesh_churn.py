"""Peers that come and go without end, around a core that stays."""

import os

from gossamer.simulations import Mesh, SimulatedPeer, host_address

CORE = 32
# `make soak` lets a hundred thousand come and go.
ROUNDS = 100_000 if "GOSSAMER_SOAK" in os.environ else 600
SIZES = ("timers", "rumors_membership", "rumors_registry", "suspicions", "doubts")


def _sizes(peers: list[SimulatedPeer]) -> dict[str, int]:
    """Return the largest sizes of what the core keeps."""
    found = {
        name: max(peer.gossip.statistics()[name] for peer in peers)
        for name in (*SIZES, "member_tombstones")
    }
    found["members"] = max(len(peer.gossip.members) for peer in peers)
    found["parts"] = max(len(peer.gossip.parts) for peer in peers)
    return found


def test_what_is_kept_does_not_grow_with_who_has_gone() -> None:
    """Half of the visitors leave and half die; sizes in the second half are those of the first."""
    # Times that let the memory of the gone reach its steady state early.
    mesh = Mesh(
        9,
        trace=False,
        keep_history=False,
        left_for=2.0,
        dead_for=4.0,
        part_for=4.0,
        tombstone_for=8.0,
    )
    core = mesh.settle(CORE)
    mesh.run_for(1.0)
    largest: list[dict[str, int]] = []
    visitors: list[SimulatedPeer] = []
    for number in range(ROUNDS):
        visitor = mesh.add(f"visitor-{number}", seeds=[core[number % CORE].address], start=False)
        visitor.address = host_address(CORE + number % 200)
        visitor.start([core[number % CORE].address])
        visitor.publish("k", b"v")
        visitors.append(visitor)
        mesh.run_for(0.1)
        if len(visitors) == 5:
            gone = visitors.pop(0)
            if number % 2:
                gone.leave()
            else:
                gone.crash()
                mesh.peers.pop(gone.name)
        for name in [name for name, peer in mesh.peers.items() if not peer.running]:
            del mesh.peers[name]
        if number % 50 == 49:
            largest.append(_sizes(core))
    half = len(largest) // 2
    for name in largest[0]:
        before = max(sizes[name] for sizes in largest[1:half])
        after = max(sizes[name] for sizes in largest[half:])
        assert after <= 1.5 * before + 8, (name, before, after)
    for visitor in visitors:
        visitor.leave()
    mesh.run_for(15.0)
    assert all(len(peer.gossip.members) == CORE - 1 for peer in core)
    assert all(peer.gossip.statistics()["member_tombstones"] == 0 for peer in core)
    assert mesh.converged(core)
