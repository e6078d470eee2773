"""A network in memory for whole peers.

It replaces real sockets (the `Network` and `Endpoint` of a peer's runtime), and uses the same
fabric and the same rules as the simulator.
Delays run in trio's time.  Under `trio.testing.MockClock(autojump_threshold=0)` a minute passes in
milliseconds; with the ordinary clock this is the network of the demonstration.
"""

import errno
import random
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

import trio

from ._fabric import Fabric, Guard
from ._memory_stream import MemoryStream
from ._packet import Address, Rule
from ._pump import TrioClock
from ._stream import StreamEnd, dial

# As the real endpoint: enough for what arrives between two turns of the loop.
BATCH_LIMIT = 64
# Linux's default for a socket's receive buffer, in bytes; the kernel counts its own bookkeeping.
RECEIVE_BUFFER = 212_992
DATAGRAM_OVERHEAD = 768
DATAGRAM_LIMIT = 65_507
BACKLOG = 128
# Linux's range for ports that nobody asked for by number.
EPHEMERAL = range(32_768, 61_000)
_ANY = ("0.0.0.0", "::")


class MemoryNetwork:
    """Hosts in one process, joined by a fabric.

    `rng` decides latencies and losses.
    `serve` must run while the network is used; `open_memory_network` sees to it.
    """

    def __init__(self, rng: random.Random, *, latency: Rule | None = None) -> None:
        self._clock = TrioClock()
        self.fabric = Fabric(self._clock, rng, latency=latency)
        self._names: dict[str, list[str]] = {}
        self._hosts: dict[str, MemoryHost] = {}

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry packets until cancelled."""
        await self._clock.serve(task_status=task_status)

    def host(self, ip: str) -> "MemoryHost":
        """The host with the address `ip`, made at the first call; ValueError for another text."""
        ip_address(ip)
        if ip not in self._hosts:
            self._hosts[ip] = MemoryHost(self, ip)
        return self._hosts[ip]

    def name(self, name: str, *ips: str) -> None:
        """Let `name` resolve to `ips` from now on; to nothing when there are none."""
        self._names[name] = [str(ip_address(ip)) for ip in ips]

    def lookup(self, name: str) -> list[str]:
        """The IPs of a name, of an IP itself; raises socket.gaierror when it does not resolve."""
        try:
            return [str(ip_address(name))]
        except ValueError:
            found = self._names.get(name)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    def cut(self, *groups: Iterable[str]) -> Guard:
        """Cut the network between groups of hosts, named by IP."""
        return self.fabric.cut(*groups)

    def heal(self) -> None:
        """Take away every cut."""
        self.fabric.heal()

    def statistics(self) -> Mapping[str, int]:
        """The fabric's counters."""
        return self.fabric.statistics()


class MemoryHost:
    """One host of a memory network: what a peer takes for its network."""

    def __init__(self, network: MemoryNetwork, ip: str) -> None:
        self.ip = ip
        self._network = network
        self._next_port = EPHEMERAL.start

    async def bind(self, host: str, port: int) -> "MemoryEndpoint":
        """Listen on `port` of this host; port 0 picks a free one.

        Raises OSError when the port is taken, or when `host` is not an address of this host.
        """
        await trio.lowlevel.checkpoint()
        if host not in _ANY and self.ip not in self._resolved(host):
            raise OSError(errno.EADDRNOTAVAIL, f"{host} is not an address of {self.ip}")
        if not 0 <= port <= 65_535:
            raise OverflowError("bind(): port must be 0-65535.")
        if port == 0:
            port = self.free_port()
        elif (self.ip, port) in self._network.fabric.ports:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        shown = host if host in _ANY else self.ip
        return MemoryEndpoint(self, self._network.fabric, (self.ip, port), (shown, port))

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of a name; raises socket.gaierror when it does not resolve."""
        await trio.lowlevel.checkpoint()
        return [(ip, port) for ip in self._resolved(host)]

    async def source_for(self, target: Address) -> str:
        """This host's IP: there is one road to everywhere."""
        await trio.lowlevel.checkpoint()
        return self.ip

    def free_port(self) -> int:
        """A port of this host that nobody listens on; OSError when there is none."""
        for _ in EPHEMERAL:
            port = self._next_port
            self._next_port = port + 1 if port + 1 in EPHEMERAL else EPHEMERAL.start
            if (self.ip, port) not in self._network.fabric.ports:
                return port
        raise OSError(errno.EADDRINUSE, "No free port")

    def _resolved(self, host: str) -> list[str]:
        return [self.ip] if host == "localhost" else self._network.lookup(host)


class MemoryEndpoint:
    """One port of a memory host, for datagrams and streams."""

    def __init__(self, host: MemoryHost, fabric: Fabric, local: Address, shown: Address) -> None:
        self.address = shown
        self._host = host
        self._fabric = fabric
        self._local = local
        self._closed = False
        self._inbox: deque[tuple[bytes, Address]] = deque()
        self._inbox_bytes = 0
        self._unreachable: dict[Address, None] = {}
        self._backlog: deque[tuple[MemoryStream, Address]] = deque()
        # Each arrival wakes the waiting task, which then looks again.
        self._arrival = trio.lowlevel.ParkingLot()
        self._knock = trio.lowlevel.ParkingLot()
        self._counters: Counter[str] = Counter()
        fabric.attach(local, self._Port(self))

    # What the fabric calls; apart from the methods of the same names that peers call.
    class _Port:
        __slots__ = ("_endpoint",)

        def __init__(self, endpoint: "MemoryEndpoint") -> None:
            self._endpoint = endpoint

        def receive(self, data: bytes, sender: Address) -> None:
            self._endpoint._datagram_came(data, sender)

        def unreachable(self, address: Address) -> None:
            self._endpoint._unreachable_came(address)

        def accept(self, end: StreamEnd) -> bool:
            return self._endpoint._stream_came(end)

    def send(self, data: bytes, to: Address) -> None:
        """Send a datagram or drop and count it."""
        if self._closed or len(data) > DATAGRAM_LIMIT:
            self._counters["sends_failed"] += 1
        else:
            self._fabric.send_datagram(self._local, to, data)

    async def receive(self) -> list[tuple[bytes, Address]]:
        """Return the datagrams that have arrived, or none if only errors have."""
        await trio.lowlevel.checkpoint()
        while not self._inbox and not self._unreachable:
            self._check_open()
            await self._arrival.park()
        self._check_open()
        batch = [self._inbox.popleft() for _ in range(min(BATCH_LIMIT, len(self._inbox)))]
        self._inbox_bytes -= sum(len(data) + DATAGRAM_OVERHEAD for data, _ in batch)
        return batch

    def unreachable(self) -> list[Address]:
        """Return where nobody listens, as hosts have said since the last call."""
        told, self._unreachable = list(self._unreachable), {}
        return told

    async def connect(self, to: Address) -> MemoryStream:
        """Open a stream; raises ConnectionRefusedError where nobody listens, waits across a cut."""
        self._check_open()
        stream = MemoryStream()
        stream.end = dial(self._fabric, (self._local[0], self._host.free_port()), to, stream)
        try:
            await stream.wait_accepted()
        except BaseException:
            stream.end.reset()
            raise
        return stream

    async def accept(self) -> tuple[MemoryStream, Address]:
        """Return the next inbound stream and the address it came from."""
        await trio.lowlevel.checkpoint()
        while not self._backlog:
            self._check_open()
            await self._knock.park()
        self._check_open()
        return self._backlog.popleft()

    def statistics(self) -> Mapping[str, int]:
        """Return what was dropped, by name."""
        return self._counters

    async def aclose(self) -> None:
        """Stop listening and release the port; streams that were accepted live on."""
        if not self._closed:
            self._closed = True
            self._fabric.detach(self._local)
            while self._backlog:
                self._backlog.popleft()[0].end.reset()
            self._arrival.unpark_all()
            self._knock.unpark_all()
        await trio.lowlevel.checkpoint()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("the endpoint was closed")

    def _datagram_came(self, data: bytes, sender: Address) -> None:
        size = len(data) + DATAGRAM_OVERHEAD
        if self._inbox_bytes + size > RECEIVE_BUFFER:
            self._counters["receives_buffer_full"] += 1
            return
        self._inbox_bytes += size
        self._inbox.append((data, sender))
        self._arrival.unpark()

    def _unreachable_came(self, address: Address) -> None:
        if len(self._unreachable) < BATCH_LIMIT:
            self._unreachable[address] = None
        self._arrival.unpark()

    def _stream_came(self, end: StreamEnd) -> bool:
        if len(self._backlog) >= BACKLOG:
            self._counters["accepts_backlog_full"] += 1
            return False
        stream = MemoryStream()
        stream.end = end
        end.handler = stream
        self._backlog.append((stream, end.remote))
        self._knock.unpark()
        return True


@asynccontextmanager
async def open_memory_network(
    rng: random.Random, *, latency: Rule | None = None
) -> AsyncIterator[MemoryNetwork]:
    """A memory network that carries packets until the block is left."""
    network = MemoryNetwork(rng, latency=latency)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.serve)
        try:
            yield network
        finally:
            nursery.cancel_scope.cancel()
