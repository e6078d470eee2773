"""How much work one sender may cause, so that a flood of valid updates leaves time for others.

Each sender has a count in windows of one second, and all windows begin together.
A token bucket for each sender would be smoother, but would cost five times as much per datagram.
At the border of two windows a sender may send twice the limit within a second; the limits leave
room for that.
Only datagrams with a valid seal count.
So a stranger that sends garbage from a forged address does not use up the share of that address.
"""

from .basis import GossipConfig
from .state import Address

_WINDOW = 1.0


class Rates:
    """Counts datagrams and unknown updates by sender."""

    def __init__(self, config: GossipConfig) -> None:
        self._datagrams_limit = config.sender_datagrams
        self._updates_limit = config.sender_updates
        self._senders_limit = config.senders
        self._ends = float("-inf")
        self._datagrams: dict[Address, int] = {}
        self._updates: dict[Address, int] = {}

    def __len__(self) -> int:
        return len(self._datagrams)

    def admits(self, sender: Address, now: float) -> bool:
        """Count a datagram; return False if `sender` has sent too many in this window.

        Senders beyond the limit share one count.
        `STRAYS` and `OPEN_LETTERS` stand for all datagrams whose sender may be forged.
        """
        counts = self._datagrams
        if now >= self._ends:
            self._ends = now + _WINDOW
            counts.clear()
            self._updates.clear()
        count = counts.get(sender, 0)
        if not count and len(counts) >= self._senders_limit and sender[0]:
            sender = _REST
            count = counts.get(sender, 0)
        if count >= self._datagrams_limit:
            return False
        counts[sender] = count + 1
        return True

    def allowance(self, sender: Address, count: int) -> int:
        """Count the unknown updates of an admitted datagram; return how many may be read."""
        counts = self._updates
        if sender not in self._datagrams:
            sender = _REST
        before = counts.get(sender, 0)
        allowed = min(count, self._updates_limit - before)
        counts[sender] = before + allowed
        return allowed


_REST: Address = ("", 0)
STRAYS: Address = ("", 1)
"""Datagrams for another life of this peer, or for another peer."""
OPEN_LETTERS: Address = ("", 2)
"""Datagrams for any peer at this address."""
