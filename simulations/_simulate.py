"""From a scenario to a report, by the model that fits its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from .basis import Watcher
from .report import Model
from .scenario import Scenario

if TYPE_CHECKING:
    from .report import Report

# One core runs a minute of so many faithful peers in minutes, and within a few GiB.
FAITHFUL_LIMIT = 2000

Choice = Literal["auto", "faithful", "fast"]


def choose_model(scenario: Scenario, choice: Choice = "auto") -> tuple[Model, str]:
    """Return the model for a scenario, and why; the reason becomes part of the report."""
    match choice:
        case "faithful" | "fast":
            return choice, "asked for"
        case "auto" if scenario.peers <= FAITHFUL_LIMIT:
            return "faithful", f"up to {FAITHFUL_LIMIT:,} peers run the protocol's own code"
        case "auto":
            return "fast", f"more than {FAITHFUL_LIMIT:,} peers are modelled with arrays"
        case _:
            assert_never(choice)


def simulate(
    scenario: Scenario, *, model: Choice = "auto", progress: Watcher | None = None
) -> Report:
    """Run a scenario and return its report.

    Raises `ScenarioError` for a scenario that the chosen model cannot run, and `MissingExtra`.
    `progress` is called now and then, from the same thread.
    """
    chosen, reason = choose_model(scenario, model)
    if chosen == "faithful":
        from .faithful import run_faithful

        return run_faithful(scenario, reason, progress)
    from .fast import run_fast
    from .scenario import ScenarioError

    try:
        return run_fast(scenario, reason, progress)
    except ScenarioError as error:
        if model == "auto":
            raise ScenarioError(f"{error} ({reason})") from error
        raise
