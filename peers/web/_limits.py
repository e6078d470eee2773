from dataclasses import dataclass, fields
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What one HTTP server grants its clients; sizes in bytes, times in seconds."""

    connections: int = 512
    """Open connections; one more is answered 503 and closed.
    Half of the 1,024 files that a process may usually open: gossip and disk need some too."""

    head_bytes: int = 16 * 1024
    """Request line and headers together, the blank line included; more is answered 431."""

    body_bytes: int = 64 * 1024
    """A request's body; more is answered 413, with or without a Content-Length."""

    head_time: float = 10.0
    """From the first byte of a request to the end of its headers, and from the connection to the
    end of the first request's; later is answered 408."""

    body_time: float = 10.0
    """From the end of the headers to the end of the body; later is answered 408."""

    idle_time: float = 75.0
    """Between two requests; then the connection is closed."""

    write_time: float = 20.0
    """For a client to read what the server sends; then the connection is closed."""

    linger_time: float = 1.0
    """After a refusal: how long the server reads and throws away what the client still sends, so
    that the client reads the refusal rather than a reset."""

    linger_bytes: int = 1024 * 1024
    """After a refusal: how much the server throws away at most."""

    ahead_bytes: int = 64 * 1024
    """What a client may send ahead while it still waits for an earlier answer."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isfinite(value) or value <= 0:
                raise ValueError(f"{field.name} must be a number above 0, not {value!r}")
