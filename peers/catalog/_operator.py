from collections.abc import Sequence
from typing import Literal, Protocol

from gossamer.gossip import Address


class KeyManagement(Protocol):
    """What may be done with the mesh's keys."""

    def list(self) -> dict[str, object]:
        """Return keys by id and fingerprint, and which member accepts and uses which."""
        ...

    def add(self, path: str) -> None:
        """Accept all keys of another key file as well, at this peer."""
        ...

    def add_plain(self) -> None:
        """Accept plain text as well, at this peer."""
        ...

    def use(self, key: int | Literal["plain"], *, force: bool = False) -> None:
        """Have the whole mesh seal with a key."""
        ...

    def remove(self, key: int | Literal["plain"], *, force: bool = False) -> None:
        """Have the whole mesh no longer accept a key."""
        ...


class Operator(Protocol):
    """What the operators of a peer may do; a `Peer` is one.

    Only the native interface gets this: an API that imitates another system must not be able to
    make a peer leave its mesh.
    """

    def info(self) -> dict[str, object]:
        """Return what the peer knows of itself and the mesh, as `info --json` shows it."""
        ...

    @property
    def keys(self) -> KeyManagement:
        """The mesh's keys; raises `Conflict` for a peer without any."""
        ...

    async def join(self, seeds: Sequence[str]) -> Sequence[Address]:
        """Join through more seeds, which the peer keeps from then on; return their addresses."""
        ...

    def request_leave(self) -> None:
        """Begin to leave gracefully."""
        ...

    def accept_loss(self, service: str | None = None) -> int:
        """Give up the instances that self-preservation keeps; return how many."""
        ...
