from collections.abc import Iterable, Sequence
from typing import Protocol, Self

from gossamer.gossip import Metric
from gossamer.peers.model import Instance, Lookup, MemberInfo, Registration, ServiceSummary

from ._condition import Condition


class LookupWatch(Protocol):
    """An iterator of lookups: the present one, then one whenever it has changed.

    It ends when it is closed or the peer stops.
    """

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Lookup: ...

    def close(self) -> None:
        """End it."""
        ...


class Catalog(Protocol):
    """The registry as fronts and mounts use it; a `Peer` is one.

    It uses the registry's own words, and knows nothing of HTTP, DNS or sockets. A mount that has
    other rules for names maps them itself.
    """

    # Reading: from memory, without waiting.

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """Return the instances of a service that are `UP`, or all; empty if it is not known."""
        ...

    def knows(self, service: str) -> bool:
        """Whether a service has an instance, of any status."""
        ...

    def find(self, service: str, id: str) -> Instance:
        """Return one instance of any status; raises `NotFound`."""
        ...

    def services(self) -> Sequence[ServiceSummary]:
        """Return every service that has an instance, by name."""
        ...

    def members(self) -> Sequence[MemberInfo]:
        """Return all members by name, this peer included."""
        ...

    def condition(self) -> Condition:
        """Return how the peer stands to its mesh; cheap enough for every request."""
        ...

    def metrics(self) -> Iterable[Metric]:
        """Return all that the peer measures, with its values at this moment."""
        ...

    # Following: the latest value, never a backlog.

    def watch(self, service: str | None = None) -> LookupWatch:
        """Return an iterator of lookups of a service, or of each service that changes."""
        ...

    def index(self, service: str | None) -> int:
        """Return the index of a service, or of the registry, which grows with every change."""
        ...

    async def changed(self, service: str | None, index: int) -> int:
        """Return the index as soon as it is not `index`; raises `Unavailable` at the end."""
        ...

    # Writing: takes effect at once, or raises `GossamerError` with nothing changed.

    def register_or_replace(self, wanted: Registration) -> tuple[Instance, bool]:
        """Register an instance, or replace it; return it, and whether it is new."""
        ...

    def heartbeat(self, service: str, id: str) -> None:
        """Renew an instance's lease; after `NotFound` the service should register again."""
        ...

    def report(self, service: str, id: str, status: str, *, output: str | None = None) -> Instance:
        """Set the service's own status and output; an override stays, and decides what is shown."""
        ...

    def set_status(
        self,
        service: str,
        id: str,
        status: str,
        *,
        reason: str | None = None,
        expires: float | None = None,
        by: str | None = None,
    ) -> Instance:
        """Override an instance's status, for `expires` seconds or until it is cleared."""
        ...

    def clear_status(self, service: str, id: str) -> Instance:
        """End the override of an instance's status."""
        ...

    def deregister(self, service: str, id: str) -> Instance:
        """Deregister an instance of any owner, and return it as it was."""
        ...
