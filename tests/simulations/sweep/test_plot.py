"""A sweep's picture: there where a number was varied, and not otherwise."""

from pathlib import Path
from typing import Any

import pytest

from gossamer.simulations.sweep import SweepTable, make_plan, tabulate, write_plots
from gossamer.simulations.sweep._run import attempt


def swept(**vary: list[str]) -> SweepTable:
    """A table whose runs all have the figures of the first one."""
    plan = make_plan("propagate", vary, seeds=2, changes={"duration": "5"})
    result: Any = attempt(plan.runs[0].scenario, plan.runs[0].model)
    return tabulate(plan, {run.fingerprint: result for run in plan.runs})


def test_numbers_are_drawn_from_left_to_right(tmp_path: Path) -> None:
    """Both files are there, titled, with a line for each value of the other parameter."""
    table = swept(peers=["5", "3"], profile=["lan", "wan"])
    assert [path.name for path in write_plots(table, tmp_path)] == ["sweep.png", "sweep.svg"]
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "sweep.svg").read_bytes()
    assert b"<svg" in before
    write_plots(table, tmp_path)
    assert (tmp_path / "sweep.svg").read_bytes() == before, "the same table, other bytes"


@pytest.mark.parametrize(
    "vary",
    [
        {},
        {"peers": ["5"]},
        {"profile": ["lan", "wan"]},
        {"peers": ["3", "4"], "loss": [f"0.{n}" for n in range(1, 8)]},
    ],
)
def test_without_a_line_there_is_no_picture(tmp_path: Path, vary: dict[str, list[str]]) -> None:
    """Nothing varied, one value, texts alone, or more lines than can be told apart."""
    assert write_plots(swept(**vary), tmp_path) == []
    assert list(tmp_path.iterdir()) == []
