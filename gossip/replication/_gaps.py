"""Deltas that came out of order, which wait a moment for the delta before them."""

from dataclasses import dataclass

from gossamer.gossip.kernel import Context, Outcome
from gossamer.gossip.messages import Delta

# How long a delta waits for the one before it.
_PATIENCE = 0.15
_OWNERS_LIMIT = 256
_DELTAS_LIMIT = 16


@dataclass(slots=True)
class Waiting:
    """A delta that waits for the one before it, and the peer that sent it."""

    delta: Delta
    payload: bytes
    teller: str


class Gaps:
    """The deltas that wait, by owner; when none fills the gap in time, the part is wanted."""

    def __init__(self, context: Context) -> None:
        self._timers = context.timers
        self._signals = context.signals
        self._counters = context.counters
        self._waiting: dict[str, list[Waiting]] = {}

    def __len__(self) -> int:
        """Return how many deltas wait."""
        return sum(len(queue) for queue in self._waiting.values())

    def wait(self, waiting: Waiting, now: float) -> Outcome:
        """Keep a delta for a moment; return whether it was declined for lack of room."""
        owner = waiting.delta.owner
        queue = self._waiting.get(owner)
        if queue is None:
            if len(self._waiting) >= _OWNERS_LIMIT:
                self._counters.add("refused_waiting")
                return Outcome.DECLINED
            queue = self._waiting[owner] = []

            def lose_patience(when: float) -> None:
                self._lose_patience(owner, when)

            self._timers.at(now + _PATIENCE, lose_patience)
        if len(queue) < _DELTAS_LIMIT:
            queue.append(waiting)
        return Outcome.UNCHANGED

    def end(self, owner: str) -> list[Waiting]:
        """Return the deltas of an owner that waited, in order, and keep them no longer."""
        return sorted(self._waiting.pop(owner, []), key=lambda item: item.delta.since)

    def _lose_patience(self, owner: str, now: float) -> None:
        queue = self._waiting.pop(owner, [])
        if queue:
            self._counters.add("gaps")
            self._signals.part_wanted(owner, queue[-1].teller, now)
