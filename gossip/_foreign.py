"""What was lately said of foreign keys, so that it is not said for each datagram."""

from collections.abc import Hashable

_EVERY = 60.0
# Senders may be forged: no more is said within that time.
_LIMIT = 64


class ForeignKeys:
    """Lets each thing be said once a minute, and 64 things at most."""

    def __init__(self) -> None:
        self._said_at: dict[Hashable, float] = {}

    def tell(self, what: Hashable, now: float) -> bool:
        """Whether to say this now, which counts as said."""
        said_at = self._said_at
        for known in [known for known, when in said_at.items() if now - when >= _EVERY]:
            del said_at[known]
        if what in said_at or len(said_at) >= _LIMIT:
            return False
        said_at[what] = now
        return True
