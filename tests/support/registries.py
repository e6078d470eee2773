"""A registry behind each core of a simulated mesh, as in a running peer."""

from collections.abc import Callable
from typing import TypeVar

from gossamer.peers import Registration
from gossamer.peers.registry import Registry, Replication
from gossamer.simulations import Mesh, SimulatedPeer

T = TypeVar("T")


class Registries:
    """The registries of all peers that start from now on, by name.

    `beneath` gives what the registry of a peer reads from and writes to.
    """

    def __init__(
        self,
        mesh: Mesh,
        *,
        beneath: Callable[[SimulatedPeer], Replication] = lambda peer: peer.gossip,
    ) -> None:
        self._mesh = mesh
        self._beneath = beneath
        self._of: dict[str, Registry] = {}
        mesh.attendant = self._attend

    def __getitem__(self, peer: SimulatedPeer) -> Registry:
        return self._of[peer.name]

    def act(self, peer: SimulatedPeer, action: Callable[[Registry, float], T]) -> T:
        """Have a peer's registry do something, and its core say what follows."""
        registry = self._of[peer.name]
        result = action(registry, self._mesh.now)
        peer.drain()
        return result

    def register(self, peer: SimulatedPeer, service: str, id: str) -> None:
        """Register an instance of a peer's own process."""
        self.act(
            peer,
            lambda registry, now: registry.register(
                Registration(service=service, id=id, port=80), now
            ),
        )

    def ids(self, peer: SimulatedPeer, service: str) -> set[str]:
        """Return the ids of all instances of a service that a peer knows, whatever their status."""
        return {each.id for each in self._of[peer.name].lookup(service, all=True)}

    def statuses(self, peer: SimulatedPeer, service: str) -> dict[str, str]:
        """Return the effective status of each instance that a peer knows."""
        return {each.id: each.status for each in self._of[peer.name].lookup(service, all=True)}

    def _attend(self, peer: SimulatedPeer) -> None:
        registry = Registry(self._beneath(peer), wall=peer.wall, default_address=peer.address[0])
        self._of[peer.name] = registry
        peer.followers.append(registry)
