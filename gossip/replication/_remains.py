"""Absent owners whose parts this peer still has: the part's epoch, and the time they were lost."""


class Remains(dict[str, tuple[int, float]]):
    """Maps an absent owner to the epoch of its part and the time at which it was lost."""

    def epoch(self, owner: str) -> int:
        """Return the epoch of the part that an absent owner left, or -1 if it left none."""
        return self.get(owner, (-1, 0.0))[0]
