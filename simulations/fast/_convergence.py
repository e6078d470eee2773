"""The figures of many changes together, the same as a faithful run measures."""

from hashlib import blake2b
from math import ceil

import numpy as np

from gossamer.simulations.report import Convergence, Curve, Spread

from ._journey import Seconds

# Bounds of the curve's steps: from a tenth of a millisecond, each two per cent above the last.
_BOUNDS = 0.0001 * 1.02 ** np.arange(1050)
_CURVE_POINTS = 240


class Changes:
    """Takes in one change after another; keeps their times until half, most and all had them."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=16)
        self._made = 0
        self._half: list[float] = []
        self._nearly: list[float] = []
        self._everybody: list[float] = []
        self._steps = np.zeros(len(_BOUNDS) + 1, dtype=np.int64)
        self._targets = 0

    @property
    def digest(self) -> bytes:
        """A fingerprint of every time at every peer."""
        return self._digest.digest()

    def add(self, times: Seconds, limit: float) -> None:
        """Take in when each other peer had a change, of which `limit` seconds were watched."""
        self._digest.update(times.tobytes())
        if not len(times):
            return  # nobody else was there to see it
        self._made += 1
        self._targets += len(times)
        seen = np.sort(times[times <= limit])
        for share, found in (
            (0.5, self._half),
            (0.99, self._nearly),
            (1.0, self._everybody),
        ):
            needed = ceil(share * len(times))
            if needed <= len(seen):
                found.append(float(seen[needed - 1]))
        places = np.searchsorted(_BOUNDS, seen)
        self._steps += np.bincount(places, minlength=len(self._steps))

    def result(self) -> Convergence:
        """Return what was found."""
        everybody = Spread.of(self._everybody)
        return Convergence(
            changes=self._made,
            complete=everybody.count,
            p50=everybody.p50,
            p99=everybody.p99,
            max=everybody.max,
            half=Spread.of(self._half),
            nearly=Spread.of(self._nearly),
            everybody=everybody,
            curve=self._curve(),
        )

    def _curve(self) -> Curve:
        filled = np.flatnonzero(self._steps[:-1])
        if not len(filled):
            return Curve()
        first, last = int(filled[0]), int(filled[-1])
        known = np.cumsum(self._steps[:-1]) / self._targets
        places = list(range(first, last, max(1, (last - first) // _CURVE_POINTS)))
        places.append(last)
        return Curve(
            [0.0, *_BOUNDS[places].tolist()],
            [0.0, *known[places].tolist()],
        )
