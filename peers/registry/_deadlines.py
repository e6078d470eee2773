from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """A time for each key, and the earliest of these times; `set` costs O(log n)."""

    def __init__(self) -> None:
        self._at: dict[K, float] = {}
        # When a time moves or a key is discarded, the old entry stays in the heap. It is removed
        # when it is the earliest, or when such entries are more than half of the heap. Each entry
        # has a count, so that the heap never compares keys.
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._at)

    @property
    def kept(self) -> int:
        """The number of entries that use memory, including old entries of moved times."""
        return len(self._heap)

    def __contains__(self, key: K) -> bool:
        return key in self._at

    def get(self, key: K) -> float | None:
        """Return the time of `key`, or None if it has none."""
        return self._at.get(key)

    def set(self, key: K, at: float) -> None:
        """Set or move the time of `key`; infinity means never."""
        if self._at.get(key) == at:
            return
        self._at[key] = at
        self._count += 1
        heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._at) + 64:
            self._heap = [entry for entry in self._heap if self._at.get(entry[2]) == entry[0]]
            heapify(self._heap)

    def discard(self, key: K) -> None:
        """Remove `key`, if it is there."""
        self._at.pop(key, None)

    @property
    def next(self) -> float:
        """The earliest time; infinity if there is none."""
        heap = self._heap
        while heap and self._at.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else inf

    def pop_due(self, now: float) -> list[K]:
        """Remove and return the keys whose time has come, earliest first."""
        due = []
        while self.next <= now:
            key = heappop(self._heap)[2]
            del self._at[key]
            due.append(key)
        return due
