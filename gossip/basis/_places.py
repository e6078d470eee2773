"""Places that many hosts share, so that no host can take all of them.

A host may have at most as many places as are free.
A single host gets half of all places, the next host half of the rest, and so on (dynamic
thresholds, Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998, with a factor of
one).
So a new host finds a free place, unless many hosts act together, and nobody has to choose a number
of places per host.
"""


class Places:
    """A bounded number of places, each held by a host."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[str, int] = {}
        self._taken = 0

    def __len__(self) -> int:
        return self._taken

    @property
    def hosts(self) -> int:
        """How many hosts hold places."""
        return len(self._held)

    def take(self, host: str) -> bool:
        """Take a place for `host`; False, with nothing changed, if it has its share."""
        held = self._held.get(host, 0)
        if held >= self.limit - self._taken:
            return False
        self._held[host] = held + 1
        self._taken += 1
        return True

    def free(self, host: str) -> None:
        """Give back a place that `host` holds."""
        held = self._held.pop(host) - 1
        if held:
            self._held[host] = held
        self._taken -= 1
