"""A sweep from its plan to its table."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ._cluster import on_cluster
from ._plan import Plan, Run, SweepError
from ._processes import cores, in_processes
from ._run import Failed, Finished, Outcome
from ._store import Store
from ._table import SweepTable, tabulate


class Backend(Protocol):
    """Where runs take place; closing the generator ends what is still under way."""

    def __call__(self, runs: Sequence[Run], /) -> Generator[Outcome, None, None]:
        """Yield what becomes of each run, in the order in which they end."""


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is."""

    runs: int
    finished: int
    """Runs that have a result, those of an earlier sweep included."""
    failed: int
    resumed: int
    """Runs whose result was there already."""
    seconds_left: float | None
    """What the rest will take at the pace so far; None before anything ended."""


Watcher = Callable[[SweepProgress], None]


def processes(workers: int | None = None) -> Backend:
    """Return the backend of this machine: so many processes, or one for each core."""
    return partial(in_processes, workers=workers or cores())


def cluster(scheduler: str) -> Backend:
    """Return the backend of the Dask cluster whose scheduler is at `tcp://HOST:PORT`."""
    return partial(on_cluster, address=scheduler)


def default_directory(plan: Plan) -> Path:
    """Return the directory of a sweep for which none was named, below the current one.

    It holds the name of the scenario and, since other sweeps must not share it, the beginning of
    the plan's identity: the same command again finds the same directory, and goes on there.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(plan.scenario).stem).strip("-")[:40]
    return Path(f"sweep-{name or 'scenario'}-{plan.identity[:8]}")


def run_sweep(
    plan: Plan, directory: Path, backend: Backend | None = None, watcher: Watcher | None = None
) -> SweepTable:
    """Do what is missing of a sweep and return its table.

    Results are kept in `directory` as they come, in `runs.jsonl`, and the table in `table.json`;
    what is there already is not run again, and more values or seeds may be asked for later.
    Runs that fail are told in the table and do not stop the others.
    Raises `SweepError`, and whatever the backend does.
    """
    failures: list[Failed] = []
    with Store.open(directory, plan) as store:
        missing = [run for run in plan.runs if run.fingerprint not in store.results]
        # The longest first, so that no core is left with one when the others have nothing to do.
        missing.sort(key=lambda run: -run.weight)
        pace = _Pace(plan, missing, watcher)
        if missing:
            with closing((backend or processes())(missing)) as outcomes:
                for outcome in outcomes:
                    store.add(outcome, plan.combinations[outcome.run.combination])
                    if isinstance(outcome, Failed):
                        failures.append(outcome)
                    pace.count(outcome)
        table = tabulate(plan, store.results, failures)
        _write_table(table, directory / "table.json")
    return table


class _Pace:
    def __init__(self, plan: Plan, missing: Sequence[Run], watcher: Watcher | None) -> None:
        self._watcher = watcher
        self._runs = len(plan.runs)
        self._resumed = self._runs - len(missing)
        self._finished, self._failed = self._resumed, 0
        self._left = sum(run.weight for run in missing)
        self._done = 0.0
        self._began = time.monotonic()
        self._tell()

    def count(self, outcome: Outcome) -> None:
        if isinstance(outcome, Finished):
            self._finished += 1
        else:
            self._failed += 1
        self._left -= outcome.run.weight
        self._done += outcome.run.weight
        self._tell()

    def _tell(self) -> None:
        if self._watcher is None:
            return
        took = time.monotonic() - self._began
        left = took * max(0.0, self._left) / self._done if self._done else None
        self._watcher(SweepProgress(self._runs, self._finished, self._failed, self._resumed, left))


def _write_table(table: SweepTable, path: Path) -> None:
    torn = path.with_suffix(".json.new")
    try:
        torn.write_text(json.dumps(table.as_json(), indent=2) + "\n", "utf-8")
        torn.replace(path)
    except OSError as error:
        with suppress(OSError):
            torn.unlink()
        raise SweepError(f"{path} cannot be written: {error.strerror or error}") from None
