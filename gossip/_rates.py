"""What one sender may have us work for, so that a flood of valid news leaves time for others.

Counted by sender in windows of a second, all of which begin together: a token bucket for each would
smooth better and cost five times as much for every datagram.
Two windows that meet may let through twice the limit within a second; the limits leave room for
that.
Only what carries a right seal is counted, so that a stranger who writes another's address on
garbage does not use up what that one may send.
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
        """Count a datagram; False if `sender` has sent too many in this window.

        Senders beyond the limit of how many are told apart share one account.
        `STRAYS` and `OPEN_LETTERS` stand for all whose sender nobody vouches for.
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
        """Count unknown updates of an admitted datagram; return how many may be looked at."""
        counts = self._updates
        if sender not in self._datagrams:
            sender = _REST
        before = counts.get(sender, 0)
        allowed = min(count, self._updates_limit - before)
        counts[sender] = before + allowed
        return allowed


_REST: Address = ("", 0)
STRAYS: Address = ("", 1)
"""Meant for another life of this peer, or for another peer."""
OPEN_LETTERS: Address = ("", 2)
"""Meant for whoever is there."""
