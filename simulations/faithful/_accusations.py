from collections.abc import Sequence

from gossamer.simulations.report import FalseAccusations

from ._reach import Reach


class Accusations:
    """Counts suspicions and verdicts against members that run, by those who could reach them.

    Reachable is a member to and from whom there is a path, be it over others: that is what
    indirect probes are for.
    So a suspicion that a cut caused, and that ends in a verdict only after the cut, counts as well;
    it is told apart, and so is what others hear of it later: what somebody accused whom it could
    not reach at that time was begun by the cut.
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
        self._suspicions_by_cut = 0
        self._deaths_by_cut = 0
        # One byte for each pair, 1 where a cut began the accusation; rows are made when needed.
        self._begun_by_cut: dict[int, bytearray] = {}

    def suspected(self, observer: int, subject: int, accuser: int) -> None:
        """An observer suspects a member, as `accuser` did first."""
        by_cut = self._note(observer, subject, accuser)
        if self._present[subject] and self._reach.linked(observer, subject):
            self._suspicions += 1
            self._suspicions_of_healthy += not self._touched[subject]
            self._suspicions_by_cut += by_cut

    def failed(self, observer: int, subject: int, accuser: int) -> None:
        """Note that an observer declares a member dead."""
        by_cut = self._note(observer, subject, accuser)
        if self._present[subject] and self._reach.linked(observer, subject):
            self._deaths += 1
            self._deaths_by_cut += by_cut
            if not self._touched[subject]:
                self._deaths_of_healthy += 1
                self._deaths_at_healthy += not self._touched[observer]

    def _note(self, observer: int, subject: int, accuser: int) -> bool:
        """Note whether a cut began an accusation, and return it."""
        theirs = self._begun_by_cut.get(accuser)
        by_cut = not self._reach.linked(observer, subject) or (
            theirs is not None and bool(theirs[subject])
        )
        if by_cut:
            ours = self._begun_by_cut.setdefault(observer, bytearray(len(self._present)))
            ours[subject] = 1
        return by_cut

    def result(self) -> FalseAccusations:
        """Return what was found."""
        return FalseAccusations(
            suspicions=self._suspicions,
            deaths=self._deaths,
            suspicions_of_healthy=self._suspicions_of_healthy,
            deaths_of_healthy=self._deaths_of_healthy,
            deaths_at_healthy=self._deaths_at_healthy,
            suspicions_by_cut=self._suspicions_by_cut,
            deaths_by_cut=self._deaths_by_cut,
        )
