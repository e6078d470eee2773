"""One run, on any machine, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gossamer.simulations import simulate
from gossamer.simulations.report import Model, Report
from gossamer.simulations.scenario import Scenario, ScenarioError

from ._plan import Run

Result = dict[str, Any]
"""A report's JSON without what makes it long; see `compact`."""

# One report of the first kind has more bytes than a thousand runs without; the parameters that
# all runs share stand once in the table.
_LEFT_OUT: Final = ("series", "timeline", "theory", "parameters", "zones", "paths", "summary")
_LEFT_OUT_BELOW: Final = (
    ("convergence", "curve"),
    ("detection", "first_times"),
    ("detection", "all_times"),
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has a result."""

    run: Run
    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that has none."""

    run: Run
    why: str
    """One sentence without an end, for people."""


Outcome = Finished | Failed


def compact(report: Report) -> Result:
    """Return what a sweep keeps of a report: all figures, and none of the lists."""
    result = report.as_json()
    for name in _LEFT_OUT:
        del result[name]
    for table, name in _LEFT_OUT_BELOW:
        del result[table][name]
    return result


def attempt(scenario: Scenario, model: Model) -> Result | str:
    """Run a scenario in this process; return its result, or why there is none.

    Failures are told in words, since an exception of any kind may not survive its way between
    processes.
    """
    try:
        return compact(simulate(scenario, model=model))
    except ScenarioError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one run's fault must not end the others
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def outcome(run: Run, said: Result | str) -> Outcome:
    """Return what `attempt` said of a run."""
    return Failed(run, " ".join(said.split())) if isinstance(said, str) else Finished(run, said)
