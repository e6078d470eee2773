"""Many protocol cores on one virtual clock and one fabric.

The mesh takes no decisions of the protocol: it carries bytes, keeps the time, and lets processes
start, stop, crash and lose contact.
One seed fixes the whole run, and equal digests (`digest`) mean that two runs were the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from random import Random
from typing import Any

from gossamer.gossip import (
    Event,
    GossipConfig,
    MemberFailed,
    MemberSuspected,
    Profile,
    Seal,
    Status,
)

from ._clock import VirtualClock
from ._fabric import Fabric, Guard
from ._packet import Address, Packet, Rule
from ._peer import SimulatedPeer
from ._trace import Trace

# 2026-01-01 00:00 UTC: what the clocks on the wall show when virtual time begins.
WALL_START = 1_767_225_600.0
# Virtual time does not begin at 0, so that nobody takes 0 for "never".
CLOCK_START = 1000.0
PORT = 7940
# Peers of a settled mesh were given so many seeds.
SEEDS = 3
_FIRST_HOST = int(ip_address("10.0.0.1"))


class Mesh:
    """A mesh of simulated peers.

    `profile` and the keyword arguments are settings of `GossipConfig` for every peer.
    `latency` ends the fabric's chain of rules.
    With `keep_history` each peer remembers its events; without, only `watchers` hear of them.
    """

    def __init__(
        self,
        seed: int,
        *,
        profile: Profile = "lan",
        latency: Rule | None = None,
        trace: bool = True,
        keep_history: bool = True,
        **settings: Any,
    ) -> None:
        self.seed = seed
        self.clock = VirtualClock(CLOCK_START)
        self._rng = Random(seed)
        self.fabric = Fabric(self.clock, Random(self._rng.getrandbits(64)), latency=latency)
        self.peers: dict[str, SimulatedPeer] = {}
        self.watchers: list[Callable[[float, SimulatedPeer, Event], None]] = []
        # Makes the seal of each process that begins; a checksum unless it is set.
        self.sealer: Callable[[SimulatedPeer], Seal | None] = lambda peer: None
        # Told of each process that begins, to add to its `followers`.
        self.attendant: Callable[[SimulatedPeer], None] | None = None
        self._profile: Profile = profile
        self._settings = settings
        self._keep_history = keep_history
        self._trace = Trace() if trace else None
        if trace:
            self.fabric.observer = self._delivered

    # Time

    @property
    def now(self) -> float:
        """Virtual seconds; the mesh begins at `CLOCK_START`."""
        return self.clock.now

    @property
    def wall(self) -> float:
        """What a right clock on the wall shows, in Unix seconds."""
        return WALL_START + self.clock.now - CLOCK_START

    def run_for(self, seconds: float) -> None:
        """Let so much time pass."""
        self.clock.run_for(seconds)

    def run_until(self, condition: Callable[[], bool], limit: float, step: float = 0.01) -> float:
        """Let time pass until `condition` holds, looking every `step` seconds.

        Returns how long it took.
        Raises TimeoutError, at the limit, when it does not hold within `limit` seconds.
        """
        began = self.clock.now
        looks = 0
        while not condition():
            looks += 1
            if looks * step > limit + step / 2:
                raise TimeoutError(f"not within {limit} s, seed {self.seed}")
            self.clock.run_until(began + looks * step)
        return self.clock.now - began

    # Peers

    def add(
        self,
        name: str | None = None,
        *,
        seeds: Sequence[Address] = (),
        address: Address | None = None,
        start: bool = True,
        skew: float = 0.0,
        **settings: Any,
    ) -> SimulatedPeer:
        """Add a peer, by default with the next name and host, and start it.

        Raises ValueError when the name is taken.
        """
        number = len(self.peers)
        name = f"p{number}" if name is None else name
        if name in self.peers:
            raise ValueError(f"{name} is in the mesh already: choose another name")
        config = GossipConfig.profile(self._profile, name=name, **{**self._settings, **settings})
        rng = Random(self._rng.getrandbits(64))
        where = host_address(number) if address is None else address
        peer = SimulatedPeer(self, config, where, rng, skew=skew)
        self.peers[name] = peer
        if start:
            peer.start(seeds)
        return peer

    def add_peers(self, count: int, *, apart: float = 0.0) -> list[SimulatedPeer]:
        """Add `count` peers that join through the first of the mesh, `apart` seconds each."""
        added = []
        for _ in range(count):
            first = next(iter(self.peers.values()), None)
            added.append(self.add(seeds=[] if first is None else [first.address]))
            if apart:
                self.run_for(apart)
        return added

    def settle(
        self, count: int, *, zone_of: Callable[[int], str] | None = None
    ) -> list[SimulatedPeer]:
        """Add `count` peers to an empty mesh that know one another from the start.

        As if they had joined long ago: it takes no virtual time, nothing is sent, and no event
        tells of it.  `zone_of` gives the zone of the peer with a number.
        """
        if self.peers:
            raise RuntimeError("only an empty mesh can be settled: use add_peers")
        added = [
            self.add(zone="" if zone_of is None else zone_of(number)) for number in range(count)
        ]
        members = [peer.gossip.own_update for peer in added]
        seeds = [peer.address for peer in added[:SEEDS]]
        for peer in added:
            peer.acquaint(members, [seed for seed in seeds if seed != peer.address])
        return added

    def __getitem__(self, name: str) -> SimulatedPeer:
        return self.peers[name]

    def __iter__(self) -> Iterator[SimulatedPeer]:
        return iter(self.peers.values())

    def __len__(self) -> int:
        return len(self.peers)

    # The network

    def cut(self, *groups: Iterable[SimulatedPeer]) -> Guard:
        """Cut the network between groups of peers, both ways."""
        return self.fabric.cut(*(_hosts(group) for group in groups))

    def cut_one_way(
        self, sources: Iterable[SimulatedPeer], targets: Iterable[SimulatedPeer]
    ) -> Guard:
        """Lose what `sources` send to `targets`."""
        return self.fabric.cut_one_way(_hosts(sources), _hosts(targets))

    def heal(self) -> None:
        """Take away every cut."""
        self.fabric.heal()

    # What was seen

    def converged(self, among: Iterable[SimulatedPeer] | None = None) -> bool:
        """Whether the running peers, or those given, have equal roots."""
        chosen = [peer for peer in self if peer.running] if among is None else among
        return len({peer.gossip.root for peer in chosen}) <= 1

    def complete(self, among: Iterable[SimulatedPeer] | None = None) -> bool:
        """Whether the running peers, or those given, list one another as alive."""
        chosen = [peer for peer in self if peer.running] if among is None else list(among)
        return all(
            (member := peer.gossip.members.get(other.name)) is not None
            and member.status is Status.ALIVE
            and member.epoch == other.gossip.epoch
            and member.address == other.address
            for peer in chosen
            for other in chosen
            if other is not peer
        )

    def seen(self, peer: SimulatedPeer) -> dict[str, Status | None]:
        """What the other running peers hold `peer` for, by observer; None where it is unknown."""
        views: dict[str, Status | None] = {}
        for other in self:
            if other is not peer and other.running:
                member = other.gossip.members.get(peer.name)
                views[other.name] = None if member is None else member.status
        return views

    def record(self, owner: SimulatedPeer, key: str) -> dict[str, bytes | None]:
        """What the running peers hold under `key` in the owner's part, by holder."""
        held: dict[str, bytes | None] = {}
        for peer in self:
            if peer.running:
                part = peer.gossip.parts.get(owner.name)
                held[peer.name] = None if part is None else part.records.get(key)
        return held

    def accused(self) -> list[str]:
        """The names of all peers that were ever suspected or declared dead, sorted."""
        entries = self.events(MemberSuspected, MemberFailed)
        return sorted(
            {
                event.member.name
                for _, _, event in entries
                if isinstance(event, MemberSuspected | MemberFailed)
            }
        )

    def events(self, *kinds: type[Event]) -> list[tuple[float, SimulatedPeer, Event]]:
        """What the peers told, of these kinds or of all, in order of time, peer by peer."""
        return sorted(
            (
                (time, peer, event)
                for peer in self
                for time, event in peer.history
                if not kinds or isinstance(event, kinds)
            ),
            key=lambda entry: entry[0],
        )

    @property
    def digest(self) -> str:
        """A fingerprint of all deliveries and events so far; RuntimeError without a trace."""
        if self._trace is None:
            raise RuntimeError("this mesh keeps no trace: make it with trace=True")
        return self._trace.digest

    def seal(self, peer: SimulatedPeer) -> Seal | None:
        """Return the seal of a process that begins; None for a checksum."""
        return self.sealer(peer)

    def began(self, peer: SimulatedPeer) -> None:
        """A process has a core, which has not said anything yet."""
        if self.attendant is not None:
            self.attendant(peer)

    def happened(self, peer: SimulatedPeer, events: Sequence[Event]) -> None:
        """A core told of all these, one after the other, at this moment."""
        now = self.clock.now
        if self._trace is not None:
            self._trace.happened(now, peer.name, events)
        if self._keep_history:
            peer.history.extend((now, event) for event in events)
        for watcher in self.watchers:
            for event in events:
                watcher(now, peer, event)

    def _delivered(self, packet: Packet) -> None:
        assert self._trace is not None
        self._trace.delivery(self.clock.now, packet)


def host_address(number: int, port: int = PORT) -> Address:
    """The address of the host with this number, counted from 0: 10.0.0.1 and so on."""
    return str(ip_address(_FIRST_HOST + number)), port


def _hosts(peers: Iterable[SimulatedPeer]) -> list[str]:
    return [peer.address[0] for peer in peers]
