from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """One moment for each key, and which comes next; moving one costs O(log n)."""

    def __init__(self) -> None:
        self._at: dict[K, float] = {}
        # Moved and discarded keys leave their old entries behind until they come up, or until
        # they are half of the heap. The count keeps keys from being compared.
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._at)

    @property
    def kept(self) -> int:
        """How many moments are kept, those included that were moved since."""
        return len(self._heap)

    def __contains__(self, key: K) -> bool:
        return key in self._at

    def get(self, key: K) -> float | None:
        """Return the moment set for `key`."""
        return self._at.get(key)

    def set(self, key: K, at: float) -> None:
        """Set or move the moment of `key`; infinity is never."""
        if self._at.get(key) == at:
            return
        self._at[key] = at
        self._count += 1
        heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._at) + 64:
            self._heap = [entry for entry in self._heap if self._at.get(entry[2]) == entry[0]]
            heapify(self._heap)

    def discard(self, key: K) -> None:
        """Forget `key`, if it is there."""
        self._at.pop(key, None)

    @property
    def next(self) -> float:
        """The earliest moment; infinity if there is none."""
        heap = self._heap
        while heap and self._at.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else inf

    def pop_due(self, now: float) -> list[K]:
        """Forget and return the keys whose moment has come, earliest first."""
        due = []
        while self.next <= now:
            key = heappop(self._heap)[2]
            del self._at[key]
            due.append(key)
        return due
