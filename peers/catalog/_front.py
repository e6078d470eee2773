from typing import TYPE_CHECKING, Protocol

from gossamer.gossip import Address, Metric

from ._catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    import trio


class Front(Protocol):
    """A server with its own sockets that shows the registry: all of HTTP, or another protocol."""

    @property
    def name(self) -> str:
        """Its name in the configuration and in `Peer.addresses`."""
        ...

    async def serve(
        self, catalog: Catalog, at: Address, *, task_status: "trio.TaskStatus[Address]"
    ) -> None:
        """Serve on an address until cancelled; report the bound address once it accepts.

        A peer may call it several times, once for each address.
        Raises `OSError` when the address cannot be used.
        """
        ...

    def metrics(self) -> "Iterable[Metric]":
        """Return what it measures; keys begin with its name, and a label names it."""
        ...
