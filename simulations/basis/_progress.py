from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is."""

    share: float
    """Of the work that is expected, from 0 to 1."""
    note: str
    """What it is at, for people: `mesh of 100 peers stands`, `12.0 s of 60 s`."""


Watcher = Callable[[Progress], None]
