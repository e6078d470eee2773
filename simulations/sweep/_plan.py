# The plan of a sweep, decided and checked before the first run begins.
#
# A run is a pure function of its scenario and its model.  Its fingerprint covers both, and the code
# that computes it.  Equal fingerprints mean equal results, on every machine.  So results can be
# kept, and an interrupted sweep can continue.

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from math import prod
from pathlib import Path
from typing import Final

from gossamer.simulations import Choice, choose_model
from gossamer.simulations.report import Model
from gossamer.simulations.scenario import Scenario, Value, builtin_names, load_scenario

from ._edition import edition

# A slip of the finger (`--seeds 10000`, four parameters of ten values) is told before days go by.
RUN_LIMIT: Final = 10_000


class SweepError(ValueError):
    """A sweep cannot be done as it was asked for; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation of a sweep."""

    combination: int
    """Which combination of varied values it belongs to, by its place in `Plan.combinations`."""
    scenario: Scenario
    model: Model
    fingerprint: str

    @property
    def weight(self) -> float:
        """What it will cost, in relation to other runs: simulated seconds over all peers."""
        return self.scenario.peers * self.scenario.duration


@dataclass(frozen=True, slots=True)
class Plan:
    """Every run of a sweep, in the order in which its table tells them."""

    scenario: str
    """The name or path that the user gave."""
    varied: tuple[str, ...]
    combinations: tuple[Mapping[str, Value], ...]
    changes: Mapping[str, str]
    seeds: int
    model: Choice
    runs: tuple[Run, ...]
    identity: str
    """The same for all sweeps whose results belong into one file: scenario, changes, model, code
    and names varied; not the values and seeds, of which there may be more next time."""

    def parameters(self) -> dict[str, Value]:
        """Return the values in force that all runs share."""
        first, *others = (run.scenario.parameters for run in self.runs)
        return {
            name: value
            for name, value in first.items()
            if all(other.get(name) == value for other in others)
        }

    def describe(self, run: Run) -> str:
        """Return a run's varied values and seed, for people."""
        values = self.combinations[run.combination]
        named = [f"{name}={as_text(value)}" for name, value in values.items()]
        return " ".join([*named, f"seed={run.scenario.seed}"])


def make_plan(
    scenario: str,
    vary: Mapping[str, Sequence[str]],
    *,
    seeds: int = 5,
    changes: Mapping[str, str] | None = None,
    model: Choice = "auto",
) -> Plan:
    """Return the plan for every combination of the varied values, each with `seeds` seeds.

    The first seed is the scenario's own (or `changes["seed"]`), the others count up from it.
    Raises `SweepError`, or `ScenarioError` for the first combination that cannot be run.
    """
    changes = dict(changes or {})
    _check(vary, changes, seeds)
    combinations = [
        dict(zip(vary, values, strict=True)) for values in product(*vary.values())
    ]  # without anything varied, product() has the one empty combination
    runs = [
        Run(index, seeded, chosen, _fingerprint(seeded, chosen))
        for index, values in enumerate(combinations)
        for seeded in _seeded(scenario, {**changes, **values}, seeds)
        for chosen in (choose_model(seeded, model)[0],)
    ]
    _refuse_equal(runs, combinations, seeds)
    return Plan(
        scenario,
        tuple(vary),
        tuple({name: as_value(text) for name, text in each.items()} for each in combinations),
        changes,
        seeds,
        model,
        tuple(runs),
        _identity(scenario, changes, model, sorted(vary)),
    )


def as_value(text: str) -> Value:
    """Return the number or truth value that a text says, or the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def as_text(value: Value) -> str:
    """Return a value as it is written in a scenario."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
    return str(value)


def _check(vary: Mapping[str, Sequence[str]], changes: Mapping[str, str], seeds: int) -> None:
    if seeds < 1:
        raise SweepError(f"a sweep needs at least one seed, and {seeds} was asked for")
    for name, values in vary.items():
        if name == "seed":
            raise SweepError(
                "seed cannot be varied beside the seeds of the sweep:"
                " say how many with --seeds, and the first with --set seed=S"
            )
        if name in changes:
            raise SweepError(f"{name} is both set and varied: do only one of the two")
        if not values or not all(values):
            raise SweepError(f"{name} has an empty value: give values with commas between them")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise SweepError(f"{name} has the value {value} twice: give each once")
    count = prod(map(len, vary.values())) * seeds
    if count > RUN_LIMIT:
        raise SweepError(
            f"these are {count:,} runs, and a sweep has at most {RUN_LIMIT:,}:"
            " vary fewer values, or use fewer seeds"
        )


# The last seed is read as well, since it may lie beyond the largest; those between need not be.
def _seeded(scenario: str, changes: Mapping[str, str], seeds: int) -> Iterator[Scenario]:
    first = load_scenario(scenario, changes)
    load_scenario(scenario, {**changes, "seed": str(first.seed + seeds - 1)})
    for seed in range(first.seed, first.seed + seeds):
        yield replace(first, seed=seed, parameters={**first.parameters, "seed": seed})


def _refuse_equal(
    runs: Sequence[Run], combinations: Sequence[Mapping[str, str]], seeds: int
) -> None:
    found: dict[str, Mapping[str, str]] = {}
    for run in runs[::seeds]:
        values = combinations[run.combination]
        other = found.setdefault(run.fingerprint, values)
        if other is not values:
            name = next(name for name in values if values[name] != other[name])
            raise SweepError(
                f"{name} has the same value twice, as {other[name]} and {values[name]}:"
                " give each once"
            )


def _fingerprint(scenario: Scenario, model: Model) -> str:
    # Dataclasses show all their fields and the names of their classes, always in the same order.
    return _digest(repr(scenario), model, edition())


def _identity(scenario: str, changes: Mapping[str, str], model: Choice, names: list[str]) -> str:
    own = scenario in builtin_names()
    source = scenario if own else Path(scenario).read_text("utf-8")
    kept = sorted((name, text) for name, text in changes.items() if name != "seed")
    return _digest(source, json.dumps([kept, names]), model, edition())


def _digest(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]
