from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a peer stands to its mesh at one moment."""

    joined: bool
    """Whether it has met another member, or has no seed to meet one through."""
    isolated: bool
    """Whether most recent probes failed, so that it accuses no member."""
    degraded: bool
    """Whether some of its answers may be out of date, or some members are reached only in part."""
    leaving: bool
    """Whether it is about to leave, or has left or stopped, and so refuses changes."""
    conflict: str | None
    """The address of another living process that uses its name; None if there is none."""
