"""How much time a suspect has to refute: Lifeguard's suspicion time-out.

The time-out starts at its maximum.  It falls towards its minimum with the logarithm of the number
of distinct peers that confirm the suspicion (Dadgar, Phillips, Currey 2017, section IV-B):

    timeout(c) = max(minimum, maximum - (maximum - minimum) * ln(c + 1) / ln(k + 1))

The values are those of memberlist.  The minimum is multiplier * max(1, log10 n) * interval, the
maximum is six times that, and k is multiplier - 2.
k is 0 if the mesh has too few other members to confirm, and if the maximum is the minimum: that is
SWIM's fixed time-out, without confirmations.
"""

from math import log, log10


class Suspicion:
    """One suspicion under way, with the peers that confirm it."""

    __slots__ = ("_k", "_longest", "_shortest", "accusers", "since")

    def __init__(self, accuser: str, now: float, *, shortest: float, longest: float, k: int):
        self.accusers = [accuser]
        self.since = now
        self._shortest = shortest
        self._longest = longest
        self._k = k

    @property
    def lasts(self) -> float:
        """How much time the suspect has, with the present confirmations."""
        if self._k < 1:
            return self._shortest
        confirmations = len(self.accusers) - 1
        fall = log(confirmations + 1) / log(self._k + 1)
        return max(self._shortest, self._longest - (self._longest - self._shortest) * fall)

    @property
    def ends_at(self) -> float:
        """When the suspect will be declared dead."""
        return self.since + self.lasts

    @property
    def soonest(self) -> float:
        """When it will be declared dead if enough peers confirm."""
        return self.since + self._shortest

    def confirm(self, accuser: str) -> bool:
        """Count `accuser`; return False if it was counted before or no more are needed."""
        if accuser in self.accusers or len(self.accusers) > self._k:
            return False
        self.accusers.append(accuser)
        return True


def start_suspicion(
    accuser: str, now: float, *, members: int, multiplier: int, longest: int, interval: float
) -> Suspicion:
    """Return a new suspicion in a mesh of `members` living members, this peer included."""
    shortest = multiplier * max(1.0, log10(max(members, 1))) * interval
    k = multiplier - 2
    if members - 2 < k or longest == 1:
        k = 0
    return Suspicion(accuser, now, shortest=shortest, longest=longest * shortest, k=k)
