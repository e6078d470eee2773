"""The open questions, and the part of the protocol that waits for the answer to each.

Pings and departures have a number, and their answers ("I am here", "I am not that peer") have the
number of the question.  The asker itself checks everything else in an answer.
Each asker numbers and closes its own questions, and bounds how many of them are open.
"""

from random import Random
from typing import Protocol

from gossamer.gossip.state import Address


class Asker(Protocol):
    """Waits for answers."""

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Take in that `source` is there."""

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Take in that another peer is at an address; return whether it was asked there."""


class Sequence:
    """Numbers for questions; the first one is drawn, so that two lives of a peer differ."""

    def __init__(self, rng: Random) -> None:
        self._last = rng.getrandbits(31)

    def next(self) -> int:
        """Return a number that no open question of this sequence has."""
        self._last = (self._last + 1) & 0xFFFFFFFF
        return self._last


class Questions:
    """The open questions of one peer, each with its asker."""

    def __init__(self) -> None:
        self._askers: dict[int, Asker] = {}

    def __len__(self) -> int:
        return len(self._askers)

    def open(self, sequence: int, asker: Asker) -> None:
        """Have the answers with this number handed to `asker`."""
        self._askers[sequence] = asker

    def close(self, sequence: int, asker: Asker) -> None:
        """Hand no more answers with this number to `asker`."""
        # A later question of somebody else can have the same number by chance.
        if self._askers.get(sequence) is asker:
            del self._askers[sequence]

    def asker(self, sequence: int) -> Asker | None:
        """Return the asker of a question; None if no question with this number is open."""
        return self._askers.get(sequence)
