"""Chooses the member to probe next: round robin over a shuffled list.

See Das, Gupta, Motivala 2002, section 4.3.
A peer probes each member within 2n - 1 periods.
New members enter at a random place, so that peers do not all probe the same member after a mass
join.
"""

from collections.abc import Iterable
from random import Random


class ProbePlanner:
    """The order in which members are probed."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._order: list[str] = []
        self._position = 0
        self._listed: dict[str, None] = {}
        self._hastened: dict[str, None] = {}

    def __len__(self) -> int:
        """Return how many names are kept, those included that are to be probed no more."""
        return len(self._order)

    @property
    def left_in_round(self) -> int:
        """How many places of this round are still to come."""
        return len(self._order) - self._position

    @property
    def hastened(self) -> list[str]:
        """The names that are probed out of their turn, the next one first."""
        return list(self._hastened)

    def add(self, name: str) -> None:
        """Probe `name` from now on."""
        if name not in self._listed:
            self._listed[name] = None
            if len(self._order) > 2 * len(self._listed) + 64:  # many came and went in one round
                waiting = dict.fromkeys(self._order[self._position :])
                self._order = [known for known in waiting if known in self._listed]
                self._position = 0
            place = self._rng.randint(self._position, len(self._order))
            self._order.insert(place, name)

    def fill(self, names: Iterable[str]) -> None:
        """Probe all these from now on, in a random order."""
        self._listed.update(dict.fromkeys(names))
        self._order = list(self._listed)
        self._rng.shuffle(self._order)
        self._position = 0

    def remove(self, name: str) -> None:
        """Stop probing `name`."""
        # `next` skips its place in the order, and the next round leaves it out.
        self._listed.pop(name, None)
        self._hastened.pop(name, None)

    def hasten(self, name: str) -> None:
        """Probe `name` next, out of turn."""
        if name in self._listed:
            self._hastened[name] = None

    def next(self) -> str | None:
        """Return the name to probe now, or None if there is no member."""
        if self._hastened:
            name = next(iter(self._hastened))
            del self._hastened[name]
            return name
        for _ in range(2):
            while self._position < len(self._order):
                name = self._order[self._position]
                self._position += 1
                if name in self._listed:
                    return name
            self._order = list(self._listed)
            self._rng.shuffle(self._order)
            self._position = 0
        return None
