"""The entry to the fast model, which imports NumPy only when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gossamer.simulations.basis import MissingExtra

if TYPE_CHECKING:
    from gossamer.simulations.basis import Watcher
    from gossamer.simulations.report import Report
    from gossamer.simulations.scenario import Scenario


def run_fast(scenario: Scenario, reason: str, progress: Watcher | None = None) -> Report:
    """Work out a scenario with arrays, and return its report.

    Raises `ScenarioError` for what this model does not cover, and `MissingExtra` without NumPy.
    """
    require_numpy()
    from ._run import run

    return run(scenario, reason, progress)


def require_numpy() -> None:
    """Raise `MissingExtra` where NumPy is not installed."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise MissingExtra("the fast model", "sim") from None
