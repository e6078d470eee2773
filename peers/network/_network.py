"""The network as the runtime needs it, and the real network.

One port carries datagrams (UDP) and streams (TCP).
UDP does not use trio's own socket: after one `wait_readable` the endpoint reads up to 64 datagrams.
This was measured as eight times as fast as one await for each datagram.
"""

import errno
import socket
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

import trio

from gossamer.gossip import Address
from gossamer.peers.model import numeric

from ._error_queue import ErrorQueue

# Large enough for the datagrams between two turns of the loop, and small enough that others run.
BATCH_LIMIT = 64
_DATAGRAM_LIMIT = 65535
# A burst of a thousand peers' datagrams; the kernel's default of 208 KiB holds about 90 of its
# bookkeeping units on some systems. The kernel caps the value at its own limit.
_RECEIVE_BUFFER = 1 << 20
_BACKLOG = 128
# Port 0: the kernel picks a free UDP port; the same port may be in use for TCP.
_FREE_PORT_ATTEMPTS = 32
_ACCEPT_PAUSE = 0.1
# A pending ICMP error makes one call fail and is gone; further errors may arrive in between.
_PENDING_ERRORS = 4


class Endpoint(Protocol):
    """A bound address that sends and receives datagrams and streams."""

    address: Address
    """The bound host and port."""

    def send(self, data: bytes, to: Address) -> None:
        """Send a datagram, or drop and count it; never blocks, never raises."""

    async def receive(self) -> list[tuple[bytes, Address]]:
        """Return at most `BATCH_LIMIT` datagrams; none if only errors have arrived."""
        ...

    def unreachable(self) -> list[Address]:
        """Return the addresses at which no process listens, as hosts said after the last call."""
        ...

    async def connect(self, to: Address) -> trio.abc.Stream:
        """Open a stream; raises `OSError` if the other host refuses it."""
        ...

    async def accept(self) -> tuple[trio.abc.Stream, Address]:
        """Return the next inbound stream and the address it came from."""
        ...

    def statistics(self) -> Mapping[str, int]:
        """Return how much was dropped or refused, by name."""
        ...

    async def aclose(self) -> None:
        """Stop listening and release the port."""


class Network(Protocol):
    """Makes endpoints: on real sockets, or on a simulated network."""

    async def bind(self, host: str, port: int) -> Endpoint:
        """Bind both transports to one port; 0: any free one.  `OSError` if the port is taken."""
        ...

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Return the numeric addresses of a name; `OSError` if it does not resolve."""
        ...

    async def source_for(self, target: Address) -> str:
        """Return the local IP address of the route to `target`; `OSError` if there is no route."""
        ...


class SocketNetwork:
    """The real network."""

    async def bind(self, host: str, port: int) -> Endpoint:
        """Bind UDP and TCP to one port; `OSError` if it is taken."""
        literal = numeric(host) or (await self.resolve(host, port))[0][0]
        attempts = _FREE_PORT_ATTEMPTS if port == 0 else 1
        for attempt in range(attempts):
            datagrams = _open(literal, port, socket.SOCK_DGRAM)
            try:
                listener = _open(literal, datagrams.getsockname()[1], socket.SOCK_STREAM)
            except OSError as error:
                datagrams.close()
                if error.errno != errno.EADDRINUSE or attempt == attempts - 1:
                    raise
            else:
                return SocketEndpoint(datagrams, listener)
        raise AssertionError("every attempt returns or raises")

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Return the numeric addresses of a name; `OSError` if it does not resolve."""
        try:
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except UnicodeError as error:  # a label of more than 63 characters, or an empty one
            raise OSError(errno.EINVAL, "not a host name") from error
        hosts = [numeric(str(sockaddr[0])) for *_, sockaddr in found]
        addresses = list(dict.fromkeys((each, port) for each in hosts if each is not None))
        if not addresses:
            raise OSError(errno.EADDRNOTAVAIL, "no usable address")
        return addresses

    async def source_for(self, target: Address) -> str:
        """Return the local IP address of the route to `target`; sends nothing."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target[0], target[1] or 9))
            host = numeric(probe.getsockname()[0])
        if host is None:
            raise OSError(errno.EADDRNOTAVAIL, "only a link-local address leads there")
        return host


class SocketEndpoint:
    """One port of the real network."""

    def __init__(self, datagrams: socket.socket, listener: socket.socket) -> None:
        host, port = datagrams.getsockname()[:2]
        self.address: Address = (numeric(host) or host, port)
        self._datagrams = datagrams
        self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        self._six = datagrams.family == socket.AF_INET6
        self._buffer = bytearray(_DATAGRAM_LIMIT)
        self._view = memoryview(self._buffer)
        self._counters: Counter[str] = Counter()
        self._errors = ErrorQueue(datagrams)

    def send(self, data: bytes, to: Address) -> None:
        """Send a datagram, or drop and count it."""
        host = _target(to[0], self._six)
        if host is None:
            self._counters["sends_unroutable"] += 1
            return
        try:
            self._send(data, (host, to[1]))
        except BlockingIOError:
            self._counters["sends_buffer_full"] += 1
        except OSError as error:
            match error.errno:
                case errno.ENOBUFS | errno.ENOMEM:
                    self._counters["sends_buffer_full"] += 1
                case errno.ENETUNREACH | errno.EHOSTUNREACH | errno.ENETDOWN | errno.ECONNREFUSED:
                    self._counters["sends_unreachable"] += 1
                case _:  # EPERM from a firewall, EMSGSIZE, EBADF after closing, and the like
                    self._counters["sends_failed"] += 1
        except OverflowError:  # a port beyond 65535
            self._counters["sends_unroutable"] += 1

    def _send(self, data: bytes, to: Address) -> None:
        for _ in range(_PENDING_ERRORS):
            try:
                self._datagrams.sendto(data, to)
            except ConnectionRefusedError:
                # The error of an earlier datagram; this datagram was not sent.
                continue
            return
        raise ConnectionRefusedError(errno.ECONNREFUSED, "one error after another")

    async def receive(self) -> list[tuple[bytes, Address]]:
        """Return at most `BATCH_LIMIT` datagrams; none if only errors have arrived.

        Each call empties the error queue, because a socket with errors in it counts as readable.
        """
        while True:
            await trio.lowlevel.wait_readable(self._datagrams)
            self._errors.read()
            batch = self._drain()
            if batch or self._errors.told:
                return batch

    def unreachable(self) -> list[Address]:
        """Return the addresses at which no process listens, as hosts said after the last call."""
        return self._errors.take()

    def _drain(self) -> list[tuple[bytes, Address]]:
        batch: list[tuple[bytes, Address]] = []
        for _ in range(BATCH_LIMIT):
            try:
                size, sender = self._datagrams.recvfrom_into(self._buffer)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                continue  # the error queue says which address it was
            except OSError:
                self._counters["receive_errors"] += 1
                continue
            host = (
                sender[0].removeprefix("::ffff:") if self._six and "." in sender[0] else sender[0]
            )
            batch.append((bytes(self._view[:size]), (host, sender[1])))
        return batch

    async def connect(self, to: Address) -> trio.abc.Stream:
        """Open a stream; raises OSError when it is refused."""
        family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        if numeric(to[0]) is None:
            raise OSError(errno.EINVAL, "not a numeric address")
        stream = trio.socket.socket(family, socket.SOCK_STREAM)
        try:
            await stream.connect(to)
        except BaseException:
            stream.close()
            raise
        return trio.SocketStream(stream)

    async def accept(self) -> tuple[trio.abc.Stream, Address]:
        """Return the next inbound stream and the address it came from."""
        while True:
            try:
                stream = await self._listener.accept()
                host, port = stream.socket.getpeername()[:2]
            except trio.ClosedResourceError:
                raise
            except OSError:
                # There are no file descriptors or memory, or the other side closed already.
                self._counters["accept_errors"] += 1
                await trio.sleep(_ACCEPT_PAUSE)
            else:
                return stream, (numeric(host) or host, port)

    def statistics(self) -> Mapping[str, int]:
        """Return how much was dropped or refused, by name."""
        return self._counters

    async def aclose(self) -> None:
        """Stop listening and release the port."""
        if self._datagrams.fileno() >= 0:
            trio.lowlevel.notify_closing(self._datagrams)
            self._datagrams.close()
        await self._listener.aclose()


# `sendto` would resolve a host name by DNS, and block.  Members' addresses come from the network;
# the core checks that they are numeric, and this checks it once more.
@lru_cache(maxsize=8192)
def _target(host: str, six: bool) -> str | None:
    literal = numeric(host)
    if literal is None:
        return None
    if ":" in literal:
        return literal if six else None
    return f"::ffff:{literal}" if six else literal


def _open(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6 and host == "::":
            _share_with_ipv4(opened)
        if kind == socket.SOCK_STREAM:
            # Only for ports in TIME_WAIT: a restart must not wait a minute for its own port.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        opened.bind((host, port))
        if kind == socket.SOCK_STREAM:
            opened.listen(_BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _share_with_ipv4(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    except OSError:
        pass  # on this system such a socket carries IPv6 only
