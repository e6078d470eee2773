"""The table of a sweep: the measures of each combination over its seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from gossamer.simulations.report import Model
from gossamer.simulations.scenario import Value

from ._edition import edition
from ._plan import Plan
from ._run import Failed, Result
from ._student import Estimate


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a run, and how people read it."""

    name: str
    what: str
    which: str
    """The two words of its heading."""
    unit: str
    path: tuple[str, ...]
    """Where a report's JSON has it."""
    factor: float = 1.0
    """What the report's figure is multiplied with, to be in `unit`."""
    short_of: tuple[str, ...] | None = None
    """Where a report has the number that this figure should have reached; the measure is how
    many are lacking."""

    def value(self, result: Result) -> float | None:
        """Return the figure of one run, in the report's unit; None where nothing was seen."""
        found = _at(result, self.path)
        if self.short_of is None or found is None:
            return found
        wanted = _at(result, self.short_of)
        return None if wanted is None else wanted - found


MEASURES: Final = (
    Measure("convergence_p50", "change", "p50", "ms", ("convergence", "p50"), 1e3),
    Measure("convergence_p99", "change", "p99", "ms", ("convergence", "p99"), 1e3),
    Measure("convergence_max", "change", "max", "ms", ("convergence", "max"), 1e3),
    Measure(
        "changes_unseen",
        "change",
        "unseen",
        "",
        ("convergence", "complete"),
        short_of=("convergence", "changes"),
    ),
    # Over the crashes of a run; over its cuts, for healing.
    Measure("detection_first", "crash", "first", "s", ("detection", "first", "mean")),
    Measure("detection_all", "crash", "all", "s", ("detection", "everybody", "mean")),
    Measure(
        "crashes_unseen",
        "crash",
        "unseen",
        "",
        ("detection", "detected"),
        short_of=("detection", "crashes"),
    ),
    Measure("false_deaths", "false", "deaths", "", ("false_accusations", "deaths")),
    Measure("wrong_lookups", "wrong", "lookups", "%", ("lookups", "rate"), 100),
    Measure("healing", "equal", "roots", "s", ("healing", "equal_roots", "mean")),
    Measure("datagrams", "sent", "datagrams", "/s", ("traffic", "datagrams_per_peer_per_second")),
    Measure("bytes", "sent", "bytes", "B/s", ("traffic", "bytes_per_peer_per_second")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One combination of varied values."""

    values: Mapping[str, Value]
    models: tuple[Model, ...]
    runs: int
    """Seeds that have a result."""
    failed: int
    measures: Mapping[str, Estimate]
    """By the names of `MEASURES`, in the units of reports; the unseen are left out of means."""


@dataclass(frozen=True, slots=True)
class SweepTable:
    """All that a sweep found."""

    plan: Plan
    rows: tuple[Row, ...]
    results: Mapping[str, Result]
    failures: tuple[Failed, ...]
    digest: str
    """Fingerprint of the results: the same runs give the same one, wherever they took place."""

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints and `table.json` holds."""
        plan = self.plan
        return {
            "scenario": plan.scenario,
            "gossamer": edition(),
            "varied": list(plan.varied),
            "seeds": plan.seeds,
            "digest": self.digest,
            "parameters": plan.parameters(),
            "rows": [
                {
                    "values": dict(row.values),
                    "models": list(row.models),
                    "runs": row.runs,
                    "failed": row.failed,
                    "measures": {name: asdict(each) for name, each in row.measures.items()},
                }
                for row in self.rows
            ],
            "runs": [
                {
                    "values": dict(plan.combinations[run.combination]),
                    "seed": run.scenario.seed,
                    **self.results[run.fingerprint],
                }
                for run in plan.runs
                if run.fingerprint in self.results
            ],
            "failures": [
                {
                    "values": dict(plan.combinations[failed.run.combination]),
                    "seed": failed.run.scenario.seed,
                    "why": failed.why,
                }
                for failed in self.failures
            ],
        }


def tabulate(
    plan: Plan, results: Mapping[str, Result], failures: Sequence[Failed] = ()
) -> SweepTable:
    """Return the table of what is finished, by the fingerprints of the runs.

    The order in which results came does not matter.
    """
    failed = sorted(failures, key=lambda each: (each.run.combination, each.run.scenario.seed))
    # Looked up by place, so that the time grows with the runs alone.
    by_row: list[list[Result]] = [[] for _ in plan.combinations]
    models: list[set[Model]] = [set() for _ in plan.combinations]
    for run in plan.runs:
        models[run.combination].add(run.model)
        if run.fingerprint in results:
            by_row[run.combination].append(results[run.fingerprint])
    losses = [0] * len(plan.combinations)
    for each in failed:
        losses[each.run.combination] += 1
    rows = tuple(
        Row(values, tuple(sorted(models[place])), len(found), losses[place], _estimates(found))
        for place, (values, found) in enumerate(zip(plan.combinations, by_row, strict=True))
    )
    return SweepTable(plan, rows, results, tuple(failed), _digest(plan, results))


def _estimates(results: Sequence[Result]) -> dict[str, Estimate]:
    return {
        measure.name: Estimate.of(
            [value for value in map(measure.value, results) if value is not None]
        )
        for measure in MEASURES
    }


def _at(result: Result, path: tuple[str, ...]) -> float | None:
    found: Any = result
    for name in path:
        if found is None:  # a report without lookups has no table of them
            return None
        found = found[name]
    return None if found is None else float(found)


def _digest(plan: Plan, results: Mapping[str, Result]) -> str:
    figures = [
        [run.fingerprint, results[run.fingerprint]["digest"]]
        + [measure.value(results[run.fingerprint]) for measure in MEASURES]
        for run in plan.runs
        if run.fingerprint in results
    ]
    return sha256(json.dumps(figures).encode()).hexdigest()[:32]
