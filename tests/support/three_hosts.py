"""Three hosts on a fabric, without any protocol: to see what rules do to packets."""

import random

from gossamer.simulations import (
    Address,
    ConstantLatency,
    Fabric,
    Rule,
    StreamEnd,
    VirtualClock,
)

A: Address = ("10.0.0.1", 1)
B: Address = ("10.0.0.2", 1)
C: Address = ("10.0.0.3", 1)


class World:
    """Three hosts, a tenth of a second apart unless said otherwise, that note what arrives."""

    def __init__(self, seed: int = 1, latency: Rule | None = None) -> None:
        self.clock = VirtualClock()
        rng = random.Random(seed)
        self.fabric = Fabric(self.clock, rng, latency=latency or ConstantLatency(0.1))
        self.heard: list[tuple[str, str, bytes]] = []
        self.times: list[float] = []
        for address in (A, B, C):
            self.fabric.attach(address, _Host(self, address[0]))

    def send(self, source: Address, destination: Address, data: bytes = b"x") -> None:
        self.fabric.send_datagram(source, destination, data)

    def passes(self, source: Address, destination: Address) -> bool:
        """Whether one datagram gets through."""
        before = len(self.heard)
        self.send(source, destination)
        self.clock.run_for(10.0)
        return len(self.heard) > before


class _Host:
    def __init__(self, world: World, ip: str) -> None:
        self._world = world
        self._ip = ip

    def receive(self, data: bytes, sender: Address) -> None:
        self._world.heard.append((sender[0], self._ip, data))
        self._world.times.append(self._world.clock.now)

    def unreachable(self, address: Address) -> None:
        raise AssertionError(f"nobody sends datagrams to {address}")

    def accept(self, end: StreamEnd) -> bool:
        end.handler = Talk()
        return True


class Talk:
    """Notes what a stream says."""

    def __init__(self) -> None:
        self.said: list[str | bytes] = []

    def opened(self) -> None:
        self.said.append("opened")

    def received(self, data: bytes) -> None:
        self.said.append(data)

    def ended(self) -> None:
        self.said.append("ended")

    def broken(self, reason: str) -> None:
        self.said.append(reason)
