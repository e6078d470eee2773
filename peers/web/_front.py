from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import trio

from ._limits import HttpLimits
from ._mounts import Mount, Place, Site
from ._server import HttpServer
from ._statistics import server_metrics

if TYPE_CHECKING:
    from gossamer.gossip import Address, Metric
    from gossamer.peers.catalog import Catalog


class HttpFront:
    """HTTP as a whole: some mounts, on any number of addresses.

    Its limits and counters hold for all its addresses together.
    """

    def __init__(
        self, mounts: Sequence[Mount], *, name: str = "http", limits: HttpLimits = HttpLimits()
    ) -> None:
        self.name = name
        self._mounts = mounts
        self._limits = limits
        self._counters: Counter[str] = Counter()
        self._server: HttpServer | None = None

    async def serve(
        self,
        catalog: "Catalog",
        at: "Address",
        *,
        task_status: "trio.TaskStatus[Address]" = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve on an address until cancelled; report the bound address once it accepts.

        Raises `OSError` when the address is taken or is not this machine's.
        """
        await self.server(catalog).listen(*at, task_status=task_status)

    def server(self, catalog: "Catalog") -> HttpServer:
        """Return the one server behind all addresses; the first catalog is the one it shows."""
        if self._server is None:
            site = Site([Place(mount, mount.routes(catalog)) for mount in self._mounts])
            self._server = HttpServer(site, self._limits, self._counters)
        return self._server

    def metrics(self) -> Iterator["Metric"]:
        """Return what was counted since the start, and how many connections are open now."""
        return server_metrics(self.name, self._counters)
