# Which time axis shows how a change spread.

from __future__ import annotations

from ._report import Convergence, Report, Theory

# Where the last point is so many times later than the middle, a linear axis shows one steep line.
LOGARITHMIC = 10.0
_UNITS = {"s": 1.0, "ms": 1e-3}


def tree_time(report: Report) -> tuple[float, Theory] | None:
    """What the depth of the tree lets one expect until all know a change, in seconds."""
    for theory in report.theory:
        told = "tree" in theory.source or "tree" in theory.quantity
        if told and "change known to all" in theory.quantity and theory.unit in _UNITS:
            return theory.expected * _UNITS[theory.unit], theory
    return None


def reaches(found: Convergence) -> tuple[float, float, float]:
    """The first moment after 0, the moment when half knew, and the last, of a curve."""
    x, y = found.curve.x, found.curve.y
    first = min((at for at in x if at > 0), default=0.0)
    half = next((at for at, share in zip(x, y, strict=True) if share >= 0.5 and at > 0), x[-1])
    return first, half, x[-1]


def is_logarithmic(half: float, last: float) -> bool:
    """Whether a curve that ends at `last` reads best on a logarithmic axis."""
    return half > 0 and last / half > LOGARITHMIC
