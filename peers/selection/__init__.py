"""How one instance of several is chosen."""

from ._choose import (
    Chooser as Chooser,
    Policy as Policy,
    PolicyName as PolicyName,
    RoundRobin as RoundRobin,
    WeightedRandom as WeightedRandom,
)
