"""From a scenario to a report, by the model that fits its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from .report import Model
from .scenario import Scenario

if TYPE_CHECKING:
    from .report import Report

# One core runs a minute of so many faithful peers in minutes, and within a few GiB.
FAITHFUL_LIMIT = 2000

Choice = Literal["auto", "faithful", "fast"]


class MissingExtra(ImportError):
    """A package is not installed that only some uses need; the message names the extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'gossamer[{extra}]'")
        self.extra = extra


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is."""

    share: float
    """Of the work that is expected, from 0 to 1."""
    note: str
    """What it is at, for people: `mesh of 100 peers stands`, `12.0 s of 60 s`."""


Watcher = Callable[[Progress], None]


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
