from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

import trio

from ._connection import Connection
from ._limits import HttpLimits
from ._messages import HttpError
from ._statistics import SERVER

if TYPE_CHECKING:
    from ._mounts import Site

_log = logging.getLogger("gossamer.http")

# At most so many clients beyond the limit get an answer at one time; others are just closed.
_REFUSED_AT_ONCE = 32


class HttpServer:
    """Serves one site to any number of connections, up to a limit, on any number of addresses."""

    def __init__(
        self, site: Site, limits: HttpLimits = HttpLimits(), counters: Counter[str] | None = None
    ) -> None:
        self._site = site
        self._limits = limits
        self._counters = Counter() if counters is None else counters
        self._refusing = 0

    def statistics(self) -> Mapping[str, int]:
        """Return counters: connections open now, and what happened since the start."""
        return {each.key: self._counters[each.key] for each in SERVER}

    async def listen(
        self,
        host: str,
        port: int,
        *,
        task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve on an address until cancelled; report the bound address once it accepts.

        Raises `OSError` when the address is taken or is not this machine's.
        """
        listeners = await _bind(host, port)
        bound: tuple[str, int] = listeners[0].socket.getsockname()[:2]
        loopback = all(
            ip_address(listener.socket.getsockname()[0]).is_loopback for listener in listeners
        )
        serve = partial(self.serve, loopback=loopback)
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(trio.serve_listeners, serve, listeners))
            task_status.started(bound)

    async def serve(self, stream: trio.abc.HalfCloseableStream, *, loopback: bool = True) -> None:
        """Serve one connection until it is over; never raises because of what its client does.

        `loopback` says that only this machine reaches the listener.
        """
        connection = Connection(
            stream,
            self._site,
            self._limits,
            self._counters,
            loopback=loopback,
            from_here=loopback or _is_from_here(stream),
        )
        try:
            if self._counters["connections_open"] < self._limits.connections:
                await self._accept(connection)
            else:
                await self._refuse(stream, connection)
        except Exception:  # noqa: BLE001 - one client must not end a peer, whatever fault it finds
            _log.exception("a connection failed")

    async def _accept(self, connection: Connection) -> None:
        self._counters["connections_open"] += 1
        self._counters["connections"] += 1
        try:
            await connection.serve()
        finally:
            self._counters["connections_open"] -= 1

    async def _refuse(self, stream: trio.abc.HalfCloseableStream, connection: Connection) -> None:
        self._counters["connections_refused"] += 1
        if self._refusing >= _REFUSED_AT_ONCE:
            await trio.aclose_forcefully(stream)
            return
        self._refusing += 1
        try:
            await connection.refuse(
                HttpError(
                    503,
                    f"All {self._limits.connections} connections of this peer are in use;"
                    " close some or ask another peer.",
                    headers=((b"Retry-After", b"1"),),
                )
            )
        finally:
            self._refusing -= 1


def _is_from_here(stream: trio.abc.HalfCloseableStream) -> bool:
    if not isinstance(stream, trio.SocketStream):
        return False
    try:
        client = ip_address(stream.socket.getpeername()[0].partition("%")[0])
    except OSError:
        return False  # gone already
    mapped = client.ipv4_mapped if isinstance(client, IPv6Address) else None
    return (mapped or client).is_loopback


async def _bind(host: str, port: int) -> list[trio.SocketListener]:
    listeners = await trio.open_tcp_listeners(port, host=host)
    if port == 0:
        # A name with several addresses would get a port of its own for each.
        for surplus in listeners[1:]:
            await surplus.aclose()
        del listeners[1:]
    return listeners
