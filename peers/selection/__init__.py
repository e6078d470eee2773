"""Policies that choose one of several instances."""

from ._choose import (
    Chooser as Chooser,
    Policy as Policy,
    PolicyName as PolicyName,
    RoundRobin as RoundRobin,
    WeightedRandom as WeightedRandom,
)
