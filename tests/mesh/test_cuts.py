"""Cuts of many forms and lengths, with registries behind the cores: what is left of them after."""

import os

import pytest
from cuts import FORMS, survive

# What takes minutes of processor time; `make soak` has it in its campaign as well.
soak = pytest.mark.skipif("GOSSAMER_SOAK" not in os.environ, reason="for a soak")
MINUTES = 60.0
HOURS = 3600.0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(2))
def test_ten_seconds(form: str, seed: int) -> None:
    """64 peers converge within 3 s of healing, with all that both sides did."""
    survive(form, 64, 10.0, 3.0, seed)


@pytest.mark.parametrize(
    "form",
    [
        "half and half",
        *(pytest.param(form, marks=soak) for form in FORMS if form != "half and half"),
    ],
)
def test_ten_minutes(form: str) -> None:
    """64 peers converge within 3 s of healing, with all that both sides did."""
    survive(form, 64, 10 * MINUTES, 3.0, 1)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "half and half"])
def test_ten_minutes_of_a_small_mesh(form: str) -> None:
    """16 peers converge within 3 s of healing, with all that both sides did."""
    survive(form, 16, 10 * MINUTES, 3.0, 1)


@pytest.mark.parametrize(
    ("form", "count"),
    [
        ("half and half", 8),
        ("a minority of one", 8),
        *(pytest.param(form, 64, marks=soak) for form in FORMS),
    ],
)
def test_three_hours(form: str, count: int) -> None:
    """Long after a dead owner's records are forgotten all converge within 15 s of healing."""
    survive(form, count, 3 * HOURS, 15.0, 1)
