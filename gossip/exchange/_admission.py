"""Admission of inbound exchanges: only a few at once, and a bounded amount from one host."""

from gossamer.gossip.basis import Places
from gossamer.gossip.kernel import Context

# The time after which a peer that found no place may come back, in milliseconds.
_BUSY_MS = (100, 400)
# In seconds. A host that brings all it may, again and again, has some 8 % of a core.
_BROUGHT_WINDOW = 10.0


class Admission:
    """The places for inbound exchanges, and what each host has brought lately."""

    def __init__(self, context: Context, now: float) -> None:
        self._config = context.config
        self._rng = context.rng
        self._counters = context.counters
        self.places = Places(context.config.inbound_exchanges)
        # What each host has brought in this window; a host that has is one that was served in it.
        self._brought: dict[str, int] = {}
        self._brought_until = now

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange; else say in how many ms to come back."""
        if now >= self._brought_until:
            self._brought_until = now + _BROUGHT_WINDOW
            self._brought.clear()
        too_much = self._brought.get(host, 0) >= self._config.host_items
        if too_much or not self.places.take(host):
            self._counters.add("refused_exchanges")
            return self._rng.randint(*_BUSY_MS)
        return None

    def leave(self, host: str, brought: int) -> None:
        """Give a place back, after an exchange in which the host brought so many items."""
        self.places.free(host)
        self._brought[host] = self._brought.get(host, 0) + brought
