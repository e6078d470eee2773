"""The notices that the log had lately, so that a notice does not repeat for each datagram."""

from collections.abc import Hashable

_EVERY = 60.0
# Senders may be forged, so the number of notices within that time has a bound.
_LIMIT = 64


class Notices:
    """Permits each notice once a minute, and at most 64 notices a minute."""

    def __init__(self) -> None:
        self._told_at: dict[Hashable, float] = {}

    def tell(self, what: Hashable, now: float) -> bool:
        """Return whether to give this notice now; if so, it counts as given."""
        told_at = self._told_at
        for known in [known for known, when in told_at.items() if now - when >= _EVERY]:
            del told_at[known]
        if what in told_at or len(told_at) >= _LIMIT:
            return False
        told_at[what] = now
        return True
