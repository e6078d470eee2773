"""A mesh in which every peer has a registry, and what can happen to its peers."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, TypeVar

from gossamer.gossip import ConfigError, Event, GossipConfig, LeaveCompleted, Observer
from gossamer.peers import Registry
from gossamer.simulations import Address, Mesh, Rule, SimulatedPeer
from gossamer.simulations.scenario import Join, Scenario, ScenarioError, peer_zones

from ._measures import Measures
from ._reach import Reach
from ._truth import Truth

T = TypeVar("T")

# A peer that starts again, or joins, is given the first few of the mesh as seeds, as an operator
# writes them down, and as many that live at that moment, as a directory would name them.
_SEEDS = 3
# Settling may take so long; it takes a fraction of a second.
_SETTLE_LIMIT = 60.0


class World:
    """The peers of a scenario, by number, with their registries.

    `measures` is told of everything from the moment on that it is set.
    """

    def __init__(self, scenario: Scenario, latency: Rule | None) -> None:
        joins = [
            (event.action.count, event.times)
            for event in scenario.events
            if isinstance(event.action, Join)
        ]
        self.capacity = capacity = scenario.peers + sum(count * times for count, times in joins)
        # Any, since the settings' names are only known to the configuration, which checks them.
        settings: dict[str, Any] = dict(scenario.settings)
        try:
            GossipConfig.profile(scenario.profile, name="p0", **settings)
            self.mesh = Mesh(
                scenario.seed,
                profile=scenario.profile,
                latency=latency,
                keep_history=False,
                **settings,
            )
            self._zones = peer_zones(scenario.peers, scenario.zones)
        except ConfigError as error:
            raise ScenarioError(str(error)) from error
        self.peers: list[SimulatedPeer] = []
        self.number: dict[str, int] = {}
        self.registries: list[Registry | None] = [None] * capacity
        self.present = [False] * capacity
        """Peers whose process runs and has not said good-bye."""
        self.active = [False] * capacity
        """Those of them that are not paused."""
        self.touched = [False] * capacity
        self.reach = Reach(capacity)
        self.truth = Truth()
        self.measures: Measures | None = None
        self.restarted: Callable[[int], None] = lambda peer: None
        """Told of each peer that runs again, once it does."""
        self._then: dict[int, Callable[[], None]] = {}
        self._rng = Random(f"{scenario.seed} seeds")

    @property
    def now(self) -> float:
        """Virtual seconds on the mesh's clock."""
        return self.mesh.now

    def zone(self, peer: int) -> str:
        """Return the zone of a peer; those who join later stand in none."""
        return self._zones[peer] if peer < len(self._zones) else ""

    # Beginning

    def settle(self, peers: int) -> None:
        """Let so many peers know one another, as if they had met long ago."""
        self.peers = self.mesh.settle(peers, zone_of=self.zone)
        for number, peer in enumerate(self.peers):
            self.number[peer.name] = number
            self._attend(peer)
        self.mesh.attendant = self._attend

    def open(self) -> None:
        """Let an empty mesh take in peers."""
        self.mesh.attendant = self._attend

    def await_converged(self) -> None:
        """Let time pass until all know what all know.

        Raises `ScenarioError` where the network does not let that happen.
        """
        try:
            self.mesh.run_until(self.mesh.converged, _SETTLE_LIMIT, 0.05)
        except TimeoutError as error:
            raise ScenarioError(
                f"the mesh did not stand within {_SETTLE_LIMIT:g} s: its network loses or delays "
                "too much, or it has too many instances"
            ) from error

    def measure(self) -> Measures:
        """Measure everything from now on."""
        self.measures = measures = Measures(
            self.mesh,
            self.peers,
            self.number,
            self.registries,
            self.present,
            self.active,
            self.touched,
            self.reach,
            self.truth,
        )
        for peer, present in enumerate(self.present):
            if present:
                measures.begin(peer)
        return measures

    # What befalls peers

    def join(self, *, through_first: bool = False) -> int:
        """Let a new peer join through some that live, or the first alone; return its number."""
        number = len(self.peers)
        if through_first:
            seeds = [peer.address for peer in self.peers[:1]]
        else:
            seeds = self._some_seeds()
        self.mesh.add(seeds=seeds, zone=self.zone(number))
        return number

    def crash(self, peer: int, *, host: bool = False) -> None:
        """Kill a process, or its machine."""
        self.peers[peer].crash(host=host)
        self._stopped(peer, crashed=True)

    def leave(self, peer: int, then: Callable[[], None] | None = None) -> None:
        """Let a peer leave; `then` is called when its process has ended."""
        if then is not None:
            self._then[peer] = then
        self._stopped(peer, crashed=False)
        self.peers[peer].leave()

    def start(self, peer: int, *, keep_epoch: bool = False) -> None:
        """Start a process that has ended."""
        self.peers[peer].restart(seeds=self._some_seeds(), keep_epoch=keep_epoch)
        self.restarted(peer)

    def pause(self, peer: int) -> None:
        """Stop a process for a while."""
        self.peers[peer].pause()
        self.active[peer] = False
        self.reach.silence(peer)

    def resume(self, peer: int) -> None:
        """Let a stopped process go on."""
        self.reach.unsilence(peer)
        self.active[peer] = True
        self.peers[peer].resume()

    def moved(self) -> None:
        """To be called when it changed who can reach whom."""
        if self.measures is not None:
            self.measures.moved()

    def act(self, peer: int, action: Callable[[Registry, float], T]) -> T:
        """Have a running peer's registry do something."""
        registry = self.registries[peer]
        assert registry is not None, f"p{peer} does not run"
        result = action(registry, self.now)
        self.peers[peer].drain()
        return result

    # Behind the cores

    def _attend(self, peer: SimulatedPeer) -> None:
        number = self.number.get(peer.name)
        if number is None:
            number = self.number[peer.name] = len(self.peers)
            self.peers.append(peer)
        registry = Registry(
            peer.gossip,
            wall=peer.wall,
            zone=peer.config.zone,
            default_address=peer.address[0],
        )
        self.registries[number] = registry
        self.present[number] = self.active[number] = True
        registry.subscribe(None, partial(self._viewed, number))
        peer.followers += [
            Observer(partial(self._heard, number)),
            registry,
            Observer(partial(self._ending, number)),
        ]
        if self.measures is not None:
            self.measures.started(number)

    def _heard(self, number: int, events: Sequence[Event], _: float) -> None:
        if self.measures is not None:
            self.measures.heard(number, events)

    def _ending(self, number: int, events: Sequence[Event], now: float) -> None:
        if not self.present[number] and any(type(event) is LeaveCompleted for event in events):
            drained = now + self.peers[number].config.drain
            self.mesh.clock.call_at(drained, self._left, number)

    def _left(self, number: int) -> None:
        if self.peers[number].running:
            # The end of the process stands behind this in the line of the same instant.
            self.mesh.clock.call_at(self.now, self._left, number)
            return
        self.registries[number] = None
        then = self._then.pop(number, None)
        if then is not None:
            then()

    def _stopped(self, number: int, *, crashed: bool) -> None:
        was_present, self.present[number] = self.present[number], False
        if not self.active[number] and was_present:
            self.reach.unsilence(number)
        self.active[number] = False
        if crashed:
            self.registries[number] = None
            self._then.pop(number, None)
        owned = self.truth.of(number)
        for provider in owned:
            self.truth.remove(provider)
        if self.measures is not None and was_present:
            self.measures.stopped(number, crashed=crashed)
            for provider in owned:
                self.measures.answers.instance_changed(provider.service, provider.id)

    def _viewed(self, number: int, service: str) -> None:
        if self.measures is not None:
            self.measures.answers.viewed(number, service)

    def _some_seeds(self) -> list[Address]:
        living = [peer for peer, present in enumerate(self.present) if present]
        drawn = self._rng.sample(living, min(_SEEDS, len(living)))
        chosen = dict.fromkeys([*range(min(_SEEDS, len(self.peers))), *drawn])
        return [self.peers[peer].address for peer in chosen]
