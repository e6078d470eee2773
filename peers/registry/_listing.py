from bisect import bisect_left
from dataclasses import dataclass

from gossamer.peers.model import Instance


class Listing:
    """The instances of one service in the order of answers: verified ones first, then by id.

    Each id is there once, so the order needs no third criterion.
    The list stays sorted: a change costs searches and shifts, and not a sort.
    """

    __slots__ = ("_instances", "_order")

    def __init__(self) -> None:
        self._order: list[tuple[bool, str]] = []
        self._instances: list[Instance] = []

    def __len__(self) -> int:
        return len(self._order)

    def add(self, instance: Instance) -> None:
        """Add an instance; its id must not be in the list."""
        rank = (not instance.verified, instance.id)
        position = bisect_left(self._order, rank)
        self._order.insert(position, rank)
        self._instances.insert(position, instance)

    def remove(self, instance: Instance) -> None:
        """Remove an instance; it must be in the list."""
        position = bisect_left(self._order, (not instance.verified, instance.id))
        del self._order[position]
        del self._instances[position]

    def freeze(self) -> tuple[Instance, ...]:
        """Return the instances as they are now."""
        return tuple(self._instances)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A service as lookups see it. It never changes, so any thread may read it."""

    index: int
    every: tuple[Instance, ...]
    up: tuple[Instance, ...]
    doubtful: bool
    """Whether one of these instances is unverified."""
