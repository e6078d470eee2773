"""A registry behind each core of a simulated mesh, as in a running peer."""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import TypeVar

from gossamer.gossip import Event
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
        self._alarms: dict[str, float] = {}
        mesh.attendant = self._attend

    def __getitem__(self, peer: SimulatedPeer) -> Registry:
        return self._of[peer.name]

    def act(self, peer: SimulatedPeer, action: Callable[[Registry, float], T]) -> T:
        """Have a peer's registry do something, and its core say what follows."""
        registry = self._of[peer.name]
        result = action(registry, self._mesh.now)
        peer.drain()
        self._set_alarm(peer, registry)
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
        self._alarms[peer.name] = inf
        peer.follower = partial(self._hear, peer, registry)

    def _hear(self, peer: SimulatedPeer, registry: Registry, events: list[Event]) -> None:
        registry.handle_all(events, self._mesh.now)
        self._set_alarm(peer, registry)

    def _set_alarm(self, peer: SimulatedPeer, registry: Registry) -> None:
        deadline = registry.deadline
        if deadline < self._alarms[peer.name]:
            self._alarms[peer.name] = deadline
            self._mesh.clock.call_at(deadline, self._ring, (peer, registry, deadline))

    def _ring(self, alarm: tuple[SimulatedPeer, Registry, float]) -> None:
        peer, registry, when = alarm
        if self._of[peer.name] is not registry or self._alarms[peer.name] != when:
            return
        self._alarms[peer.name] = inf
        if peer.running:
            registry.tick(self._mesh.now)
            peer.drain()
            self._set_alarm(peer, registry)
