"""Whose keys were lately said to be foreign, so that it is not said for each datagram."""

_EVERY = 60.0
# Senders may be forged: no more hosts than these are told of within that time.
_HOSTS = 64


class ForeignKeys:
    """Tells each host once a minute, and 64 hosts at most."""

    def __init__(self) -> None:
        self._told_at: dict[str, float] = {}

    def tell(self, host: str, now: float) -> bool:
        """Whether to say something of this host now, which counts as said."""
        told_at = self._told_at
        for known in [known for known, when in told_at.items() if now - when >= _EVERY]:
            del told_at[known]
        if host in told_at or len(told_at) >= _HOSTS:
            return False
        told_at[host] = now
        return True
