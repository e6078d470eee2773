"""Peers that come and go without end, around a core that stays."""

from gossamer.simulations import Mesh, SimulatedPeer, host_address
from gossamer.simulations._mesh import CLOCK_START

CORE = 32
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


def come_and_go(seed: int, rounds: int) -> float:
    """Let so many visitors leave or die; sizes in the second half are those of the first.

    Returns the virtual seconds that it took.
    """
    # Times that let the memory of the gone reach its steady state early.
    mesh = Mesh(
        seed,
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
    for number in range(rounds):
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
    mesh.run_for(30.0)
    assert all(len(peer.gossip.members) == CORE - 1 for peer in core)
    assert all(peer.gossip.statistics()["member_tombstones"] == 0 for peer in core)
    assert mesh.converged(core)
    return mesh.now - CLOCK_START
