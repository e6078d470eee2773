# Student's t for confidence intervals, without SciPy.
#
# Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: for a whole number
# of degrees of freedom the probability that |t| stays below a bound is a finite sum in the angle
# whose tangent is bound / sqrt(degrees).  It grows with the angle, so halving finds the bound.

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import atan, cos, pi, sin, sqrt, tan
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and how far the true one may be from it."""

    n: int
    """How many values there were."""
    mean: float | None = None
    margin: float | None = None
    """Half the width of the 95 % confidence interval; None for fewer than two values."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Return the estimate from independent values, such as those of different seeds."""
        n = len(values)
        if n == 0:
            return cls(0)
        if n == 1:
            return cls(1, values[0])
        return cls(n, fmean(values), t_bound(n - 1) * stdev(values) / sqrt(n))


def t_probability(bound: float, degrees: int) -> float:
    """Return how probable it is that |t| is below `bound`."""
    return _within(atan(bound / sqrt(degrees)), degrees)


@cache
def t_bound(degrees: int, probability: float = 0.95) -> float:
    """Return the bound that |t| stays below with `probability`."""
    low, high = 0.0, pi / 2
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return sqrt(degrees) * tan(low)


def _within(angle: float, degrees: int) -> float:
    odd = degrees % 2
    square = cos(angle) ** 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for step in range(1 + odd, degrees, 2):
        total += term
        term *= square * step / (step + 1)
    if odd:
        return 2 / pi * (angle + sin(angle) * total)
    return sin(angle) * total
