"""How changes travel: from the owner's action until others have the part at that version."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from math import ceil

from gossamer.simulations.report import Convergence, Curve, Spread

from ._reach import Reach

# Bounds of the curve's steps: from a tenth of a millisecond, each two per cent above the last.
_STEP = 1.02
_BOUNDS = [0.0001 * _STEP**power for power in range(1050)]
_CURVE_POINTS = 240


class _Change:
    __slots__ = ("at", "epoch", "owner", "remaining", "times", "version", "waiting")

    def __init__(self, owner: int, epoch: int, version: int, at: float, waiting: bytearray) -> None:
        self.owner = owner
        self.epoch = epoch
        self.version = version
        self.at = at
        # One byte per peer that has still to see it.
        self.waiting = waiting
        self.remaining = sum(waiting)
        self.times = array("d")


class Propagation:
    """Follows each change until all who can see it have seen it; then only times are kept.

    A change that is lost with its owner, nobody having seen it, is not counted.
    """

    def __init__(self, reach: Reach, present: Sequence[bool]) -> None:
        self._reach = reach
        self._present = present
        self._travelling: dict[int, list[_Change]] = {}
        self._changes = 0
        self._half = array("d")
        self._nearly = array("d")
        self._everybody = array("d")
        self._steps = [0] * (len(_BOUNDS) + 1)
        self._targets = 0

    def made(self, owner: int, epoch: int, version: int, now: float) -> None:
        """An owner changed its part."""
        path = self._reach.path
        waiting = bytearray(
            peer != owner and present and path(owner, peer)
            for peer, present in enumerate(self._present)
        )
        change = _Change(owner, epoch, version, now, waiting)
        self._changes += 1
        self._travelling.setdefault(owner, []).append(change)
        self._close_complete(owner)

    def seen(self, peer: int, owner: int, epoch: int, version: int, now: float) -> None:
        """A peer has an owner's part at this version."""
        travelling = self._travelling.get(owner)
        if travelling is None:
            return
        complete = False
        for change in travelling:
            if change.waiting[peer] and (change.epoch, change.version) <= (epoch, version):
                change.waiting[peer] = 0
                change.remaining -= 1
                change.times.append(now - change.at)
                complete |= not change.remaining
        if complete:
            self._close_complete(owner)

    def stopped(self, peer: int) -> None:
        """A peer is gone: nothing is expected of it, and what only it knew is lost."""
        for owner in list(self._travelling):
            for change in self._travelling[owner]:
                self._excuse(change, peer)
            if owner == peer:
                kept = [change for change in self._travelling[owner] if change.times]
                self._changes -= len(self._travelling[owner]) - len(kept)
                self._travelling[owner] = kept
            self._close_complete(owner)

    def moved(self) -> None:
        """Who can reach whom changed: what cannot arrive is not waited for."""
        path = self._reach.path
        for owner in list(self._travelling):
            for change in self._travelling[owner]:
                for peer, waits in enumerate(change.waiting):
                    if waits and not path(owner, peer):
                        self._excuse(change, peer)
            self._close_complete(owner)

    def result(self, *others: "Propagation") -> Convergence:
        """Return what was found, here and by others, with what is on its way as incomplete."""
        half, nearly, everybody_times = array("d"), array("d"), array("d")
        steps, targets = [0] * (len(_BOUNDS) + 1), 0
        for each in (self, *others):
            half.extend(each._half)
            nearly.extend(each._nearly)
            everybody_times.extend(each._everybody)
            steps = [one + other for one, other in zip(steps, each._steps, strict=True)]
            targets += each._targets
            for travelling in each._travelling.values():
                for change in travelling:
                    targets += change.remaining + len(change.times)
                    self._count(change, half, nearly, steps)
        everybody = Spread.of(everybody_times)
        return Convergence(
            changes=sum(each._changes for each in (self, *others)),
            complete=everybody.count,
            p50=everybody.p50,
            p99=everybody.p99,
            max=everybody.max,
            half=Spread.of(half),
            nearly=Spread.of(nearly),
            everybody=everybody,
            curve=_curve(steps, targets),
        )

    @staticmethod
    def _excuse(change: _Change, peer: int) -> None:
        if change.waiting[peer]:
            change.waiting[peer] = 0
            change.remaining -= 1

    def _close_complete(self, owner: int) -> None:
        travelling = self._travelling[owner]
        rest = [change for change in travelling if change.remaining]
        for change in travelling:
            if not change.remaining:
                self._targets += len(change.times)
                self._count(change, self._half, self._nearly, self._steps)
                # Where nobody else was there to see it, nothing was measured.
                if change.times:
                    self._everybody.append(change.times[-1])
                else:
                    self._changes -= 1
        if rest:
            self._travelling[owner] = rest
        else:
            del self._travelling[owner]

    @staticmethod
    def _count(
        change: _Change, half: "array[float]", nearly: "array[float]", steps: list[int]
    ) -> None:
        targets = change.remaining + len(change.times)
        for share, times in ((0.5, half), (0.99, nearly)):
            needed = ceil(share * targets)
            if 0 < needed <= len(change.times):
                times.append(change.times[needed - 1])
        for time in change.times:
            steps[bisect_left(_BOUNDS, time)] += 1


def _curve(steps: list[int], targets: int) -> Curve:
    filled = [place for place, count in enumerate(steps[:-1]) if count]
    if not targets or not filled:
        return Curve()
    x, y = [0.0], [0.0]
    known = 0
    thinning = max(1, (filled[-1] - filled[0]) // _CURVE_POINTS)
    for place in range(filled[0], filled[-1] + 1):
        known += steps[place]
        if (place - filled[0]) % thinning == 0 or place == filled[-1]:
            x.append(_BOUNDS[place])
            y.append(known / targets)
    return Curve(x, y)
