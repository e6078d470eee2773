"""A dict that forgets its oldest entry when it grows beyond a limit."""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(dict[K, V]):
    """A dict of at most `limit` entries, in the order in which `keep` wrote them.

    Everything but `keep` is the dict's own, so that reading costs what it costs there.
    """

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def keep(self, key: K, value: V) -> tuple[K, V] | None:
        """Write an entry as the newest; return the oldest one if it had to be forgotten."""
        self.pop(key, None)
        self[key] = value
        if len(self) <= self.limit:
            return None
        oldest = next(iter(self))
        return oldest, self.pop(oldest)
