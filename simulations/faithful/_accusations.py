from collections.abc import Sequence

from gossamer.simulations.report import FalseAccusations

from ._reach import Reach


class Accusations:
    """Counts suspicions and verdicts against members that run, by those who could reach them.

    Reachable is a member to and from whom there is a path, be it over others: that is what
    indirect probes are for.
    So a suspicion that a cut caused, and that ends in a verdict only after the cut, counts as well.
    `touched` are the peers that an event ever paused, slowed, held or disturbed.
    """

    def __init__(self, reach: Reach, present: Sequence[bool], touched: Sequence[bool]) -> None:
        self._reach = reach
        self._present = present
        self._touched = touched
        self._suspicions = 0
        self._deaths = 0
        self._suspicions_of_healthy = 0
        self._deaths_of_healthy = 0
        self._deaths_at_healthy = 0

    def suspected(self, observer: int, subject: int) -> None:
        """An observer suspects a member."""
        if self._present[subject] and self._reach.linked(observer, subject):
            self._suspicions += 1
            self._suspicions_of_healthy += not self._touched[subject]

    def failed(self, observer: int, subject: int) -> None:
        """An observer holds a member for dead."""
        if self._present[subject] and self._reach.linked(observer, subject):
            self._deaths += 1
            if not self._touched[subject]:
                self._deaths_of_healthy += 1
                self._deaths_at_healthy += not self._touched[observer]

    def result(self) -> FalseAccusations:
        """Return what was found."""
        return FalseAccusations(
            suspicions=self._suspicions,
            deaths=self._deaths,
            suspicions_of_healthy=self._suspicions_of_healthy,
            deaths_of_healthy=self._deaths_of_healthy,
            deaths_at_healthy=self._deaths_at_healthy,
        )
