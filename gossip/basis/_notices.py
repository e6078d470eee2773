"""What an operator was lately told, so that it is not told for each datagram."""

from collections.abc import Hashable

_EVERY = 60.0
# Senders may be forged: no more is told within that time.
_LIMIT = 64


class Notices:
    """Lets each thing be told once a minute, and 64 things at most."""

    def __init__(self) -> None:
        self._told_at: dict[Hashable, float] = {}

    def tell(self, what: Hashable, now: float) -> bool:
        """Whether to tell this now, which counts as told."""
        told_at = self._told_at
        for known in [known for known, when in told_at.items() if now - when >= _EVERY]:
            del told_at[known]
        if what in told_at or len(told_at) >= _LIMIT:
            return False
        told_at[what] = now
        return True
