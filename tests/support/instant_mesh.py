"""Registries over real cores in one process, whose datagrams and streams arrive at once.

Simpler than a simulated network where a test cuts, mutes and stops peers, and looks at each step.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from functools import partial

from gossamer.gossip import Exchange, Gossip, GossipConfig, Runner
from gossamer.peers.model import Registration, RegistryConfig
from gossamer.peers.registry import Family, Registry

UNIX = 1_700_000_000.0


class InstantPeer:
    def __init__(self, mesh: InstantMesh, name: str, host: str, epoch: int) -> None:
        self.mesh = mesh
        self.name = name
        self.address = (host, 7940)
        self.alive = True
        self.stopped = False
        self.gossip = Gossip(
            GossipConfig.profile("lan", name=name),
            epoch=epoch,
            nonce=mesh.rng.getrandbits(64),
            advertise=self.address,
            rng=random.Random(mesh.rng.getrandbits(64)),
            now=mesh.now,
        )
        self.registry = Registry(
            self.gossip,
            wall=lambda: UNIX + mesh.now,
            config=mesh.config,
            default_address=host,
            families=mesh.families,
        )
        self.runner = Runner(
            self.gossip,
            [self.registry],
            send=partial(mesh.send, self),
            call=partial(mesh.carry, self),
            clock=lambda: mesh.now,
        )

    @property
    def busy(self) -> bool:
        gossip = self.gossip
        said = gossip.outbox or gossip.events or gossip.calls
        return self.alive and not self.stopped and bool(said)

    def ids(self, service: str = "orders", *, all: bool = False) -> list[str]:
        return [each.id for each in self.registry.lookup(service, all=all)]

    def status(self, id: str = "one", service: str = "orders") -> str | None:
        found = self.registry.find(service, id)
        return None if found is None else found.status

    def register(self, id: str = "one", *, port: int = 80, ttl: float | None = None) -> None:
        self.registry.register(
            Registration(service="orders", id=id, port=port, ttl=ttl), self.mesh.now
        )
        self.mesh.spread()


class InstantMesh:
    """Peers whose packets arrive at once, unless a cut or a dead receiver is in the way."""

    def __init__(
        self,
        *names: str,
        config: RegistryConfig | None = None,
        families: Mapping[str, Family] | None = None,
    ) -> None:
        self.now = 0.0
        self.rng = random.Random(7)
        self.config = config
        self.families = families or {}
        self.peers: dict[str, InstantPeer] = {}
        self.cuts: list[tuple[set[str], set[str]]] = []
        self.mute: set[str] = set()
        self.streams = True
        self.epochs = 0
        for name in names:
            self.start(name)

    def __getitem__(self, name: str) -> InstantPeer:
        return self.peers[name]

    def start(self, name: str) -> InstantPeer:
        self.epochs += 1000
        host = f"10.0.0.{ord(name) - ord('a') + 1}"
        peer = self.peers[name] = InstantPeer(self, name, host, int(UNIX * 1000) + self.epochs)
        seeds = [each.address for each in self.peers.values() if each is not peer and each.alive]
        peer.gossip.join(seeds[:2], self.now)
        self.flush()
        self.run(1.0)
        return peer

    def kill(self, *names: str) -> None:
        for name in names:
            self.peers[name].alive = False

    def cut(self, one: Iterable[str], other: Iterable[str]) -> None:
        self.cuts.append((set(one), set(other)))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            running = [each for each in self.peers.values() if each.alive and not each.stopped]
            # What a test did to a registry may have moved its deadline.
            for each in running:
                each.runner.drain()
            self.flush()
            due = min(each.runner.deadline for each in running)
            if due > end:
                break
            self.now = max(self.now, due)
            for peer in running:
                peer.runner.tick(self.now)
                self.flush()
        self.now = end

    def spread(self) -> None:
        """Let updates travel, which are gathered for a few milliseconds."""
        self.flush()
        self.run(0.05)

    def flush(self) -> None:
        # Every peer has to be drained in each round: what one sends, another answers.
        while any(each.busy for each in self.peers.values()):
            for each in list(self.peers.values()):
                if each.busy:
                    each.runner.drain()

    def send(self, peer: InstantPeer, to: tuple[str, int], datagram: bytes) -> None:
        target = self._reach(peer, to)
        if target is not None:
            target.gossip.receive(datagram, peer.address, self.now)

    def _reach(self, peer: InstantPeer, to: tuple[str, int]) -> InstantPeer | None:
        if peer.name in self.mute:
            return None
        for target in self.peers.values():
            if target.address == to and target.alive and not target.stopped:
                pair = {peer.name, target.name}
                if any(pair & one and pair & other for one, other in self.cuts):
                    return None
                return target
        return None

    def carry(self, peer: InstantPeer, exchange: Exchange) -> None:
        target = self._reach(peer, exchange.address) if self.streams else None
        if target is None:
            exchange.fail("unreachable", self.now)
            return
        other = target.gossip.accept(peer.address, self.now)
        while exchange.outbox or other.outbox:
            for source, sink in ((exchange, other), (other, exchange)):
                frames = list(source.outbox)
                source.outbox.clear()
                for frame in frames:
                    sink.receive(frame, self.now)
        for each in (exchange, other):
            if not each.finished:
                each.fail("closed early", self.now)
