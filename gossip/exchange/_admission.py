"""Admission of inbound exchanges: a few at once, and a bounded number of items from each host."""

from gossamer.gossip.basis import Places
from gossamer.gossip.kernel import Context

# In milliseconds. After a random time between these, a peer that found no place may come back.
_BUSY_MS = (100, 400)
# In seconds. A host that always sends as many items as it may uses about 8 % of a core.
_BROUGHT_WINDOW = 10.0


class Admission:
    """The places for inbound exchanges, and the number of items that each host sent lately."""

    def __init__(self, context: Context, now: float) -> None:
        self._config = context.config
        self._rng = context.rng
        self._counters = context.counters
        self.places = Places(context.config.inbound_exchanges)
        # The number of items from each host that was served in this window.
        self._brought: dict[str, int] = {}
        self._brought_until = now

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange.

        If there is none, returns after how many milliseconds the initiator can come back.
        """
        if now >= self._brought_until:
            self._brought_until = now + _BROUGHT_WINDOW
            self._brought.clear()
        too_much = self._brought.get(host, 0) >= self._config.host_items
        if too_much or not self.places.take(host):
            self._counters.add("refused_exchanges")
            return self._rng.randint(*_BUSY_MS)
        return None

    def leave(self, host: str, brought: int) -> None:
        """Free a place after an exchange in which the host sent `brought` items."""
        self.places.free(host)
        self._brought[host] = self._brought.get(host, 0) + brought
