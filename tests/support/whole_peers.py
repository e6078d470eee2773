"""Whole peers in one process, on a network in memory and a virtual clock."""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from gossamer.peers import Peer, PeerConfig, open_peer
from gossamer.simulations import MemoryNetwork, open_memory_network

PORT = 7940
# 2026-01-31T12:00:00Z
_WALL_AT_START = 1_769_860_800.0


def wall() -> float:
    """Unix seconds that go on with the virtual clock."""
    return _WALL_AT_START + trio.current_time()


def schedule_by_seed(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Let trio run its tasks in an order that follows from a seed."""
    monkeypatch.setattr("trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING", True)
    monkeypatch.setattr("trio._core._run._r", random.Random(seed))


class Town:
    """Hosts of one network with a peer on each; peer `p1` is on host 10.0.0.1."""

    def __init__(self, network: MemoryNetwork, nursery: trio.Nursery, seed: int) -> None:
        self.network = network
        self.peers: list[Peer] = []
        self._nursery = nursery
        self._rng = random.Random(seed)

    async def start(self, number: int, *, ip: str | None = None, **settings: Any) -> Peer:
        """Start a peer that joins through the first host, and return it when it serves."""
        ip = ip or f"10.0.0.{number}"
        settings.setdefault("name", f"p{number}")
        settings.setdefault("bind", f"{ip}:{PORT}")
        settings.setdefault("join", () if number == 1 else (f"10.0.0.1:{PORT}",))
        config = PeerConfig(**settings)
        peer: Peer = await self._nursery.start(self._live, config, ip)
        self.peers.append(peer)
        return peer

    async def start_many(self, count: int) -> list[Peer]:
        """Start peers 1 to `count` and return them when all see all."""
        peers = [await self.start(number) for number in range(1, count + 1)]
        await until(lambda: all(alive(peer) == count for peer in peers), 30)
        return peers

    async def _live(
        self, config: PeerConfig, ip: str, *, task_status: trio.TaskStatus[Peer]
    ) -> None:
        rng = random.Random(self._rng.getrandbits(64))
        async with open_peer(config, network=self.network.host(ip), wall=wall, rng=rng) as peer:
            task_status.started(peer)
            await peer.left()


@asynccontextmanager
async def open_town(seed: int = 1) -> AsyncIterator[Town]:
    """Open an empty town; the peers that still run at its end are stopped."""
    async with open_memory_network(random.Random(seed)) as network, trio.open_nursery() as nursery:
        town = Town(network, nursery, seed)
        yield town
        for peer in town.peers:
            peer.abort()


async def until(condition: Callable[[], object], within: float) -> float:
    """Return the virtual seconds until `condition` holds; fail after `within`."""
    began = trio.current_time()
    while not condition():
        passed = trio.current_time() - began
        assert passed < within, f"not within {within} s"
        await trio.sleep(0.005)
    return trio.current_time() - began


def alive(peer: Peer) -> int:
    """How many members a peer holds for alive."""
    return sum(member.status == "alive" for member in peer.members())


def status(peer: Peer, name: str) -> str | None:
    """What a peer holds a member for; None if it does not know it."""
    return next((each.status for each in peer.members() if each.name == name), None)


def ids(peer: Peer, service: str) -> list[str]:
    """The ids that a lookup returns, sorted."""
    return sorted(instance.id for instance in peer.lookup(service))


def all_see(peers: Iterable[Peer], service: str, *expected: str) -> bool:
    """Whether a lookup at each returns exactly these ids."""
    return all(ids(peer, service) == sorted(expected) for peer in peers)
