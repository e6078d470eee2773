"""Cuts of many forms, with registries behind the cores, and what must be left after them."""

from collections.abc import Callable
from itertools import pairwise

from registries import Registries

from gossamer.peers.registry import Registry
from gossamer.simulations import DROP, Carrier, Mesh, Packet, Rule, SimulatedPeer, Verdict

_BEFORE = 3.0


class Ring(Rule):
    """Hosts stand in a circle, and each reaches only the next `reach` on either side."""

    on_arrival = True

    def __init__(self, hosts: list[str], reach: int) -> None:
        self._place = {host: place for place, host in enumerate(hosts)}
        self._reach = reach

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        apart = abs(self._place[packet.source[0]] - self._place[packet.destination[0]])
        return DROP if min(apart, len(self._place) - apart) > self._reach else None


Cutter = Callable[[Mesh, list[SimulatedPeer]], Callable[[], None]]


def _cut(*shares: float, one_way: bool = False) -> Cutter:
    """Cut the mesh at these shares of its peers (a share of 0 stands for a single peer)."""

    def cut(mesh: Mesh, peers: list[SimulatedPeer]) -> Callable[[], None]:
        places = [0, *(max(1, round(share * len(peers))) for share in shares), len(peers)]
        sides = [peers[start:end] for start, end in pairwise(places)]
        if one_way:
            mesh.cut_one_way(*sides)
        else:
            mesh.cut(*sides)
        return mesh.heal

    return cut


def _ring(mesh: Mesh, peers: list[SimulatedPeer]) -> Callable[[], None]:
    return mesh.fabric.add(Ring([peer.address[0] for peer in peers], len(peers) // 3)).remove


FORMS: dict[str, Cutter] = {
    "half and half": _cut(0.5),
    "a minority of one": _cut(0.0),
    "three ways": _cut(0.33, 0.66),
    "one-way": _cut(0.5, one_way=True),
    "a ring": _ring,
}


def _act(registries: Registries, here: SimulatedPeer, there: SimulatedPeer) -> None:
    """Register, deregister and override at a peer, instances of its own and of another's."""

    def act(registry: Registry, now: float) -> None:
        registry.deregister("orders", f"{here.name}-ends", now)
        registry.deregister("orders", f"{there.name}-ended-elsewhere", now)
        registry.set_status("orders", f"{there.name}-overridden", "OUT_OF_SERVICE", now=now)

    registries.register(here, "orders", f"{here.name}-new")
    registries.act(here, act)


def survive(form: str, count: int, seconds: float, within: float, seed: int) -> float:
    """Cut, act on both sides, heal; nothing that either side did may be lost, or come back.

    Returns the seconds from healing until all agreed.
    """
    mesh = Mesh(seed, trace=False, keep_history=False)
    registries = Registries(mesh)
    peers = mesh.settle(count)
    first, last = peers[0], peers[-1]
    for peer in (first, last):
        for fate in ("stays", "ends", "ended-elsewhere", "overridden"):
            registries.register(peer, "orders", f"{peer.name}-{fate}")
    mesh.run_for(2.0)

    heal = FORMS[form](mesh, peers)
    # Before a lone peer is declared dead, with which its instances go.
    mesh.run_for(_BEFORE)
    _act(registries, first, last)
    _act(registries, last, first)
    mesh.run_for(seconds - _BEFORE)
    heal()
    healed = mesh.now
    wanted = {
        f"{peer.name}-{fate}": "OUT_OF_SERVICE" if fate == "overridden" else "UP"
        for peer in (first, last)
        for fate in ("stays", "overridden", "new")
    }

    def is_whole() -> bool:
        return mesh.converged() and mesh.complete()

    mesh.run_until(is_whole, within)
    took = mesh.now - healed
    assert took <= within
    # Owners adopt what others decided, which is one more change.
    mesh.run_for(1.0)
    for peer in peers:
        assert registries.statuses(peer, "orders") == wanted
    mesh.run_for(30.0)
    assert is_whole()
    for peer in peers:
        assert registries.statuses(peer, "orders") == wanted
    return took
