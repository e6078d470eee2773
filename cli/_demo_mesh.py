# The mesh of the demonstration: whole peers in one process, in real time, on a network in memory.
#
# Only the network is not real, and it follows the same rules as the simulator's network.
# A crash means that a machine loses its power: from that moment it sends no packet, not even the
# update with which a cancelled peer leaves.

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

import trio

from gossamer.peers import Peer, PeerConfig, Unavailable, open_peer
from gossamer.simulations import Guard, MemoryNetwork, Silence

NAMES = ("aarhus", "bergen", "cadiz", "dover", "esbjerg", "faro", "genoa", "hull")
PORT = 7940

# With the local profile peers know of a crash after seconds.  A user watches the demo for twenty
# seconds in all, and for eight peers shorter times cost little traffic.
PROTOCOL: dict[str, float] = {
    "probe_interval": 0.1,
    "probe_timeout": 0.04,
    "gossip_interval": 0.04,
    "suspicion_multiplier": 3,
    "suspicion_max_multiplier": 3,
    "settle": 0.1,
    "leave_timeout": 0.4,
}

# Each peer is asked for every service this often, in seconds: 8 peers and 3 services make
# about 2,000 lookups a second, and leave most of one core to the peers.
LOOKUP_PAUSE = 0.012
# Time between two checks for a change, in seconds: the precision of the demonstration's figures.
GLANCE = 0.001
# Drawing a frame takes some milliseconds, as long as a registration takes to reach all peers.
# So no frame is drawn within this time after the beginning of a measurement.
HUSH = 0.03

State = Literal["waiting", "running", "crashed", "left"]


@dataclass(slots=True)
class Place:
    """One peer of the demonstration, through all its lives."""

    name: str
    ip: str
    state: State = "waiting"
    peer: Peer | None = None
    side: int = 0
    """Which part of the network it is in; all are in part 0 unless there is a cut."""
    leaving: trio.Event = field(default_factory=trio.Event)
    ended: trio.Event = field(default_factory=trio.Event)
    power: Guard | None = None
    restarts: int = 0


@dataclass(slots=True)
class Lookups:
    """Counts the lookups of the demonstration's consumers, and their answers."""

    since: float = 0.0
    asked: int = 0
    answered: int = 0
    """With at least one instance: each service has some on either side of the cut."""
    degraded: int = 0
    """Answered with the remark that the peer cannot vouch for it."""
    slowest: float = 0.0
    """Seconds."""


class DemoMesh:
    """Starts, crashes, cuts and heals peers, and asks them for services all the time."""

    def __init__(self, network: MemoryNetwork, nursery: trio.Nursery, rng: random.Random) -> None:
        self.network = network
        self.places = [Place(name, f"10.0.0.{n}") for n, name in enumerate(NAMES, 1)]
        self.lookups = Lookups()
        self.quiet_until = 0.0
        self._nursery = nursery
        self._rng = rng
        self.is_cut = False

    @property
    def running(self) -> list[Place]:
        """The places whose peer runs."""
        return [place for place in self.places if place.state == "running"]

    def place(self, name: str) -> Place:
        """The place of that name."""
        return self.places[NAMES.index(name)]

    async def start(self, place: Place) -> None:
        """Start a peer that joins through the first place; returns when it serves."""
        if place.power is not None:
            place.power.remove()
            place.power = None
            place.restarts += 1
        place.leaving, place.ended = trio.Event(), trio.Event()
        await self._nursery.start(self._live, place)

    async def start_all(self) -> None:
        """Start every place at the same moment."""
        async with trio.open_nursery() as nursery:
            for place in self.places:
                nursery.start_soon(self.start, place)

    async def crash(self, place: Place) -> None:
        """Turn off the power of a peer's machine, which ends the process too."""
        place.power = self.network.fabric.add(Silence([place.ip]))
        await self._end(place, "crashed")

    def begin_to_leave(self, place: Place) -> None:
        """Let a peer leave gracefully; `place.ended` is set when its process has ended."""
        place.state = "left"
        place.leaving.set()

    async def stop(self) -> None:
        """Stop all peers that still run, without leaving: no other peer would hear it."""
        for place in self.running:
            await self._end(place, "left")

    async def _end(self, place: Place, state: State) -> None:
        assert place.peer is not None
        place.state = state
        place.peer.abort()
        place.leaving.set()
        await place.ended.wait()

    def cut(self) -> tuple[list[Place], list[Place]]:
        """Cut the network between the first and the second half of the places; return both."""
        half = len(self.places) // 2
        sides = self.places[:half], self.places[half:]
        for number, side in enumerate(sides):
            for place in side:
                place.side = number
        self.network.cut(*([place.ip for place in side] for side in sides))
        self.is_cut = True
        return sides

    def heal(self) -> None:
        """Take the cut away."""
        self.network.heal()
        self.is_cut = False
        for place in self.places:
            place.side = 0

    def ask(self, services: list[str]) -> None:
        """Ask every running place for these services from now on."""
        self.lookups.since = perf_counter()
        for place in self.places:
            self._nursery.start_soon(self._consume, place, services)

    async def until(
        self, true: Callable[[], bool], within: float, since: float | None = None
    ) -> float | None:
        """Return the seconds until `true` holds, from now or `since`; None after the limit."""
        began = perf_counter() if since is None else since
        self.quiet_until = began + HUSH
        try:
            while not true():
                if perf_counter() - began > within:
                    return None
                await trio.sleep(GLANCE)
            return perf_counter() - began
        finally:
            self.quiet_until = 0.0

    async def _live(
        self, place: Place, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        seed = self.places[0]
        config = PeerConfig(
            name=place.name,
            bind=f"{place.ip}:{PORT}",
            join=() if place is seed else (f"{seed.ip}:{PORT}",),
            profile="local",
            protocol=PROTOCOL,
        )
        host = self.network.host(place.ip)
        rng = random.Random(self._rng.getrandbits(64))
        try:
            async with open_peer(config, network=host, rng=rng) as peer:
                place.peer = peer
                await peer.joined()
                place.state = "running"
                task_status.started()
                await place.leaving.wait()
        finally:
            place.peer = None
            place.ended.set()

    async def _consume(self, place: Place, services: list[str]) -> None:
        started: Peer | None = None
        while True:
            peer = place.peer
            if peer is not None and place.state == "running":
                if peer is not started:
                    started = await _wait_for_all(peer, services)
                else:
                    self._look_up(peer, services)
            await trio.sleep(LOOKUP_PAUSE)

    def _look_up(self, peer: Peer, services: list[str]) -> None:
        counts = self.lookups
        for service in services:
            began = perf_counter()
            counts.asked += 1
            found = peer.lookup(service)
            counts.slowest = max(counts.slowest, perf_counter() - began)
            counts.answered += len(found) > 0
            counts.degraded += found.degraded


# A consumer that starts together with its peer waits once for the services that it needs.
async def _wait_for_all(peer: Peer, services: list[str]) -> Peer | None:
    try:
        for service in services:
            await peer.wait_for(service)
    except Unavailable:
        return None
    return peer


def finds(place: Place, service: str, id: str) -> bool:
    """Whether a lookup at a place finds an instance."""
    return place.peer is not None and any(each.id == id for each in place.peer.lookup(service))


def all_find(places: list[Place], service: str, id: str) -> bool:
    """Whether a lookup at each of the places finds an instance."""
    return all(finds(place, service, id) for place in places)


def alive_at(place: Place) -> set[str]:
    """Names of the peers that a place sees as alive, its own among them."""
    if place.peer is None:
        return set()
    return {member.name for member in place.peer.members() if member.status == "alive"}


def all_see(places: list[Place], others: list[Place]) -> bool:
    """Whether each of the places sees exactly those others as alive."""
    names = {place.name for place in others}
    return all(alive_at(place) == names for place in places)


def root_of(place: Place) -> str:
    """The fingerprint of everything that a place knows, in hexadecimal; empty if it is down."""
    return "" if place.peer is None else str(place.peer.info()["root"])


def all_equal(places: list[Place]) -> bool:
    """Whether all places know the same."""
    return len({root_of(place) for place in places}) == 1
