from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a peer stands to its mesh at one moment."""

    joined: bool
    """Whether it has met another member, or has no seed to meet one through."""
    isolated: bool
    """Whether it takes the silence of all others for a fault of its own network."""
    degraded: bool
    """Whether some of its answers may be out of date, or some members are reached only in part."""
    leaving: bool
    """Whether it is about to leave, or has left or stopped; it refuses changes then."""
    conflict: str | None
    """Where another living process uses its name; None if none does."""
