from bisect import bisect_left
from dataclasses import dataclass

from gossamer.peers.model import Instance


class Listing:
    """Instances of one service in the order of answers: verified ones first, then by id.

    An id is there once, so no third criterion is needed.
    Kept in order as it changes: one change costs two searches and a shift, not a sort.
    """

    __slots__ = ("_instances", "_order")

    def __init__(self) -> None:
        self._order: list[tuple[bool, str]] = []
        self._instances: list[Instance] = []

    def __len__(self) -> int:
        return len(self._order)

    def add(self, instance: Instance) -> None:
        """Add an instance whose id is not there."""
        rank = (not instance.verified, instance.id)
        position = bisect_left(self._order, rank)
        self._order.insert(position, rank)
        self._instances.insert(position, instance)

    def remove(self, instance: Instance) -> None:
        """Remove an instance that is there."""
        position = bisect_left(self._order, (not instance.verified, instance.id))
        del self._order[position]
        del self._instances[position]

    def freeze(self) -> tuple[Instance, ...]:
        """Return the instances as they are now."""
        return tuple(self._instances)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A service as lookups see it; replaced as a whole, so that any thread may read it."""

    index: int
    every: tuple[Instance, ...]
    up: tuple[Instance, ...]
    doubtful: bool
    """Whether an instance is there whose owner is not."""
