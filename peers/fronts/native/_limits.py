from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeLimits:
    """What the native interface grants its clients; times in seconds."""

    wait: float = 300.0
    """The longest wait that a long poll may ask for."""

    keep_alive: float = 15.0
    """Between two comments on a quiet event stream, for proxies that close silent connections."""
