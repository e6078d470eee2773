"""How far a peer trusts itself: Lifeguard's local health, and isolation.

Local health (Dadgar, Phillips, Currey 2017, section IV-A) is a score from 0 (healthy) up to a
limit.  It grows with every sign that this peer itself is slow.  It stretches the peer's probe
interval and timeout by `score + 1`, so that the peer accuses others later.
memberlist limits the score to its limit less one (factor 8 at the limit of 8), and so does this.

Isolation: if most probes of a peer fail, the fault is probably its own network, so it stops
accusing.
It also stops if the target of a probe and all relays stay silent, because relays answer in any
case.
Isolation is limited in time: if the others are really gone, the peer has to declare them dead.
"""

from collections import deque

# Three targets that fail one after another are the least that can be told from one or two deaths.
_LEAST_FAILED_TARGETS = 3
_RECENT_PROBES = 10
_FAILED_SHARE = 0.6


class LocalHealth:
    """Lifeguard's score of this peer's own health; 0 is best."""

    __slots__ = ("_limit", "score")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.score = 0

    def note(self, delta: int) -> None:
        """Add `delta` (a sign of slowness is positive) within the score's bounds."""
        self.score = min(max(self.score + delta, 0), self._limit - 1)

    def scale(self, seconds: float) -> float:
        """Return `seconds` stretched by the score."""
        return seconds * (self.score + 1)


class Isolation:
    """Tells from recent probes whether this peer, and not its targets, is cut off."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._recent: deque[tuple[str, bool]] = deque(maxlen=_RECENT_PROBES)
        self._since: float | None = None
        self._spent = False

    @property
    def isolated(self) -> bool:
        """Whether accusations are to be held back now."""
        return self._since is not None

    def note(self, target: str, answered: bool, now: float) -> None:
        """Take the outcome of one probe into account."""
        self._recent.append((target, answered))
        failed = [name for name, fine in self._recent if not fine]
        cut_off = (
            len(set(failed)) >= _LEAST_FAILED_TARGETS
            and len(failed) > _FAILED_SHARE * len(self._recent)
        )  # fmt: skip
        if answered and not cut_off:
            self._since = None
            self._spent = False
        elif self._since is not None:
            if now - self._since >= self._limit:
                self._since = None
                self._spent = True
        elif cut_off and not self._spent and self._limit > 0:
            self._since = now

    def note_silence(self, now: float) -> None:
        """Take into account that neither a target nor any of several relays was heard."""
        if self._since is None and not self._spent and self._limit > 0:
            self._since = now

    def forget(self) -> None:
        """Drop all outcomes: they were gathered by a process that was itself stopped."""
        self._recent.clear()
