"""Policies that choose one of several instances: weighted random, and round robin."""

import random
from collections.abc import Callable, Sequence
from typing import Literal

from gossamer.peers.model import BadInput, Instance, Lookup, NoInstanceError

Policy = Callable[[Sequence[Instance]], Instance]
"""Chooses one of the candidates, of which there is at least one."""

PolicyName = Literal["weighted", "round_robin"]

# How many services have a remembered turn.
_TURNS_LIMIT = 4096


class WeightedRandom:
    """Chooses instances at random, in proportion to their weights."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()

    def __call__(self, candidates: Sequence[Instance]) -> Instance:
        """Return one of the candidates."""
        weights = [candidate.weight for candidate in candidates]
        if not any(weights):
            return self._rng.choice(candidates)
        return self._rng.choices(candidates, weights)[0]


class RoundRobin:
    """Chooses the instances of a service in turn, and ignores weights."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}

    def __call__(self, candidates: Sequence[Instance]) -> Instance:
        """Return the next candidate."""
        service = candidates[0].service
        turn = self._turns.get(service, 0)
        if turn == 0 and len(self._turns) >= _TURNS_LIMIT:
            self._turns.clear()
        self._turns[service] = turn + 1
        return candidates[turn % len(candidates)]


class Chooser:
    """The policies by name, each with its state."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._named: dict[str, Policy] = {
            "weighted": WeightedRandom(rng),
            "round_robin": RoundRobin(),
        }

    def choose(self, found: Lookup, policy: PolicyName | Policy) -> Instance:
        """Return an instance; prefer verified instances, and those with a weight above 0.

        Raises `NoInstanceError` if there is none, `BadInput` for an unknown policy.
        """
        if isinstance(policy, str):
            if policy not in self._named:
                known = ", ".join(self._named)
                raise BadInput("policy", f"policy must be one of {known}, not {policy!r}")
            policy = self._named[policy]
        if not found:
            raise NoInstanceError(
                f"no instance of {found.service!r} can be chosen: wait for one, or look up all",
                field="service",
            )
        candidates = [each for each in found if each.verified] or list(found)
        return policy([each for each in candidates if each.weight > 0] or candidates)
