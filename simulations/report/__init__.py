"""What simulations find, and how it is shown."""

from ._report import (
    Convergence as Convergence,
    Curve as Curve,
    Detection as Detection,
    FalseAccusations as FalseAccusations,
    Happening as Happening,
    Healing as Healing,
    Lookups as Lookups,
    Model as Model,
    Report as Report,
    Series as Series,
    Spread as Spread,
    Theory as Theory,
    Traffic as Traffic,
    Work as Work,
)
