"""Owners that do not live and left a part: of which epoch it is, and since when they are gone."""


class Remains(dict[str, tuple[int, float]]):
    """Owner to (epoch of its part, since when the owner is gone)."""

    def epoch(self, owner: str) -> int:
        """Return the epoch of the part that an absent owner left; -1 if it left none."""
        return self.get(owner, (-1, 0.0))[0]
