from typing import TYPE_CHECKING, Protocol

from gossamer.gossip import Address

from ._catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    import trio


class Front(Protocol):
    """A server of its own that shows the registry: HTTP as a whole, or another protocol."""

    @property
    def name(self) -> str:
        """Its name in the configuration and in `Peer.addresses`."""
        ...

    async def serve(
        self, catalog: Catalog, at: Address, *, task_status: "trio.TaskStatus[Address]"
    ) -> None:
        """Serve on an address until cancelled; report the bound address once it accepts.

        May run several times at once, with an address each.
        Raises `OSError` when the address cannot be used.
        """
        ...

    def statistics(self) -> "Mapping[str, int]":
        """Return its counters by names that begin with its own."""
        ...
