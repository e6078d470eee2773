"""The papers' experiments, in their quick form, against theory; the bounds are wide on purpose."""

import subprocess
import sys
from math import exp, log, log2, log10
from pathlib import Path
from random import Random
from statistics import mean, median

import pytest

from gossamer.simulations.experiments import Options, Result, Table, difference
from gossamer.simulations.experiments._lifeguard_trials import Trial, interval
from gossamer.simulations.experiments._models import (
    law,
    limited_queue,
    monger,
    monger_pull,
    rounds_to_all,
    two_way,
)
from gossamer.simulations.experiments._protocols import LIFEGUARD_2017, SWIM_2002
from gossamer.simulations.experiments._swim_trials import detect, infect
from gossamer.simulations.experiments.epidemics import experiment as epidemics
from gossamer.simulations.experiments.lifeguard2017 import experiment as lifeguard
from gossamer.simulations.experiments.swim2002 import experiment as swim

_QUICK = Options(quick=True)


@pytest.fixture(scope="module")
def swim_found() -> Result:
    return swim(_QUICK)


@pytest.fixture(scope="module")
def lifeguard_found() -> Result:
    return lifeguard(_QUICK)


@pytest.fixture(scope="module")
def epidemics_found() -> Result:
    return epidemics(_QUICK)


# SWIM 2002


@pytest.mark.parametrize("n", [8, 16])
def test_the_first_detection_takes_what_the_analysis_says(swim_found: Result, n: int) -> None:
    """Whole periods until somebody pings the crashed: 1/(1-(1-1/n)^(n-1)), within a quarter."""
    expected = 1 / (1 - (1 - 1 / n) ** (n - 1))
    assert swim_found.figures[f"detection.{n}"] == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("n", [8, 16])
def test_a_crash_is_noticed_within_two_periods_on_average(swim_found: Result, n: int) -> None:
    """(n-1)/n periods until the ping, and one until the verdict."""
    assert swim_found.figures[f"until accused.{n}"] == pytest.approx(1 + (n - 1) / n, rel=0.2)


@pytest.mark.parametrize("n", [8, 28])
def test_the_load_is_a_ping_and_an_ack_whatever_the_size(swim_found: Result, n: int) -> None:
    """2.0 datagrams that each member sends in a period."""
    assert swim_found.figures[f"load.{n}"] == pytest.approx(2.0, abs=0.1)


def test_loss_costs_the_messages_and_the_probes_that_theory_says(swim_found: Result) -> None:
    """At 10 % and one relay: 2.55 messages, and 6.5 % of the probes fail."""
    assert swim_found.figures["load.28.0.1.1"] == pytest.approx(2.55, rel=0.05)
    assert swim_found.figures["failed.28.0.1.1"] == pytest.approx(0.0653, rel=0.4)


@pytest.mark.parametrize("n", [16])
def test_news_spread_like_pings_and_acks_that_carry_them(swim_found: Result, n: int) -> None:
    """Median and last member as in the model without packets."""
    figures = swim_found.figures
    assert figures[f"infection.{n}"] == pytest.approx(figures[f"model.{n}"], rel=0.25)
    assert figures[f"infection last.{n}"] == pytest.approx(figures[f"model last.{n}"], rel=0.25)


# Lifeguard 2017


def test_lifeguard_has_fewer_false_positives_than_swim(lifeguard_found: Result) -> None:
    """The paper keeps 1.5 % of them; a tenth is asked of a run as small as this."""
    figures = lifeguard_found.figures
    assert figures["false.SWIM"] >= 20
    assert figures["false.Lifeguard"] <= figures["false.SWIM"] / 10
    assert figures["false.LHA-Suspicion"] <= figures["false.SWIM"] / 5


def test_false_positives_are_raised_by_the_slow(lifeguard_found: Result) -> None:
    """At members that are well there are next to none (in the paper 0.4 % of them)."""
    figures = lifeguard_found.figures
    assert figures["false at healthy.SWIM"] <= figures["false.SWIM"] / 10


def test_lifeguard_is_no_slower_to_find_the_dead(lifeguard_found: Result) -> None:
    """0.69 + 1 + 5·log10(32) seconds at the median, with all of it and with none."""
    expected = 0.69 + 1 + 5 * log10(32)
    for name in ("SWIM", "LHA-Suspicion", "Lifeguard"):
        assert lifeguard_found.figures[f"first.{name}"] == pytest.approx(expected, rel=0.1)


def test_a_smaller_alpha_is_faster_in_proportion(lifeguard_found: Result) -> None:
    """Alpha 4 has some 83 % of the time of alpha 5."""
    assert lifeguard_found.figures["alpha.4"] == pytest.approx(83, abs=6)


def test_short_blocks_hurt_nobody() -> None:
    """Blocks of a quarter of a probe's time-out are over before anything is late."""
    costs = interval(Trial("SWIM", 4, 128, 256, 1, members=16, lasts=10.0))
    assert (costs.false, costs.false_at_healthy) == (0, 0)


def test_configurations_differ_in_lifeguards_parts_alone() -> None:
    """All of them together are Lifeguard, and none is SWIM."""
    base = LIFEGUARD_2017["SWIM"]
    changes = {
        name: {key: value for key, value in settings.items() if base.get(key) != value}
        for name, settings in LIFEGUARD_2017.items()
    }
    assert changes["SWIM"] == {}
    together = changes["LHA-Probe"] | changes["LHA-Suspicion"] | changes["Buddy"]
    assert changes["Lifeguard"] == together
    assert len(together) == 4
    assert not any(value is True for value in SWIM_2002.values())


# Epidemics


@pytest.mark.parametrize(("k", "residue", "traffic"), [(1, 0.18, 1.7), (2, 0.037, 3.3)])
def test_rumors_leave_out_as_many_as_in_demers_table(
    epidemics_found: Result, k: int, residue: float, traffic: float
) -> None:
    """Table 1 of the paper, within a tenth, and s = e^-m."""
    figures = epidemics_found.figures
    assert figures[f"residue.1.{k}"] == pytest.approx(residue, rel=0.1)
    assert figures[f"traffic.1.{k}"] == pytest.approx(traffic, rel=0.05)
    assert figures[f"residue.1.{k}"] == pytest.approx(exp(-traffic), rel=0.1)


def test_blind_rumors_and_pulled_ones_match_their_tables() -> None:
    """Table 2 with k = 3 and table 3 with k = 1, fewer trials, wider bounds."""
    rng = Random(1)
    blind = [monger(1000, 3, rng, blind=True) for _ in range(30)]
    assert mean(run.residue for run in blind) == pytest.approx(0.060, rel=0.2)
    assert mean(run.last for run in blind) == pytest.approx(32, rel=0.2)
    pulled = [monger_pull(1000, 1, rng) for _ in range(20)]
    assert mean(run.residue for run in pulled) == pytest.approx(0.031, rel=0.3)
    assert mean(run.traffic for run in pulled) == pytest.approx(2.7, rel=0.1)


@pytest.mark.parametrize("n", [16, 128])
def test_rounds_follow_their_logarithms(epidemics_found: Result, n: int) -> None:
    """Push needs log2 n + ln n and a constant of about one; push-pull is the fastest."""
    figures = epidemics_found.figures
    assert 0 <= figures[f"push.{n}"] - (log2(n) + log(n)) <= 2
    assert figures[f"push-pull.{n}"] < figures[f"pull.{n}"] < figures[f"push.{n}"]


@pytest.mark.parametrize("n", [16, 64])
def test_a_queue_with_random_phases_beats_one_in_step(epidemics_found: Result, n: int) -> None:
    """memberlist's tickers; in step it is log4 n + ln n / 3; our rounds lie between."""
    figures = epidemics_found.figures
    assert figures[f"in step.{n}"] == pytest.approx(log(n, 4) + log(n) / 3, rel=0.3)
    assert figures[f"random phases.{n}"] < figures[f"rounds.{n}"] < figures[f"in step.{n}"]


@pytest.mark.parametrize("n", [16, 64])
def test_our_rule_is_faster_than_rounds_for_no_more_copies(epidemics_found: Result, n: int) -> None:
    """Milliseconds, not rounds of 200 ms, within memberlist's limit of sends per member."""
    figures = epidemics_found.figures
    assert figures[f"own ms.{n}"] < 20
    assert figures[f"own copies.{n}"] <= law(4, n)


@pytest.mark.parametrize("in_step", [True, False])
def test_the_smallest_epidemics_end(in_step: bool) -> None:
    """Two members: one contact is enough, and nobody is told twice by himself."""
    rng = Random(1)
    assert rounds_to_all(2, "push", rng) == 1
    assert len(two_way(2, rng, in_step=in_step)) == 2
    heard, sends = limited_queue(2, 3, 1, rng, in_step=in_step)
    assert len(heard) == 2
    assert sends == 1.0
    assert median(heard) > 0


# What is made of it


def test_the_same_seed_gives_the_same_tables(epidemics_found: Result) -> None:
    """Figure by figure, and so word by word."""
    assert epidemics(_QUICK).text("x") == epidemics_found.text("x")


def test_the_same_seed_gives_the_same_trials() -> None:
    """Crashes and blocks, in meshes that share nothing."""
    trial = Trial("SWIM", 2, 2048, 256, 1, members=8, lasts=5.0)
    assert interval(trial) == interval(trial)
    assert detect((3, 8)) == detect((3, 8)) != detect((4, 8))


def test_trials_are_the_same_on_however_many_cores() -> None:
    """In the order of their tasks."""
    tasks = [(seed, 8, 6) for seed in range(3)]
    found = Options().trials(infect, tasks)
    assert Options(jobs=2).trials(infect, tasks) == found
    assert len(found) == 3


def test_another_seed_gives_others() -> None:
    """The seed is what chance comes from."""
    trial = (16, 2000)
    rngs = [Options(seed=seed).rng("a", *trial).random() for seed in (1, 2)]
    assert rngs[0] != rngs[1]
    assert Options(seed=1).rng("a", *trial).random() == rngs[0]


def test_each_experiment_says_what_is_compared(
    swim_found: Result, lifeguard_found: Result, epidemics_found: Result
) -> None:
    """Source, what differs, and a reason under each table that compares with a paper."""
    for found in (swim_found, lifeguard_found, epidemics_found):
        text = found.text("the command")
        assert "Source: " in text
        assert "Made by `the command`" in text
        assert found.same
        assert found.differs
        for table in found.tables:
            assert table.rows
            assert table.why
            assert f"## {table.heading}" in text


def test_a_table_shows_what_counts() -> None:
    """Three digits, small numbers as powers, nothing as a dash, and no row of the wrong length."""
    table = Table("Heading", ["a", "b"])
    table.add(1.23456, 0.0000123)
    table.add(None, 123456)
    assert table.text().splitlines()[2:] == [
        "| a    | b       |",
        "| ---- | ------- |",
        "| 1.23 | 1.2e-05 |",
        "| –    | 123,456 |",
    ]
    with pytest.raises(ValueError, match="1 cells do not fit 2 columns"):
        table.add(1)


@pytest.mark.parametrize(
    ("paper", "ours", "shown"),
    [(2.0, 2.1, "+5 %"), (2.0, 1.0, "-50 %"), (0.0, 0.0, ""), (0.0, 1.0, "more than 0"),
     (0.1, 2.0, "×20")],
)  # fmt: skip
def test_differences_are_relative_to_the_paper(paper: float, ours: float, shown: str) -> None:
    """In percent, or as a factor where percent say nothing."""
    assert difference(paper, ours) == shown


def test_an_experiment_runs_from_the_command_line(tmp_path: Path) -> None:
    """It prints its tables, writes the same to a file, and names the command without paths."""
    module = "gossamer.simulations.experiments.epidemics"
    run = subprocess.run(
        [sys.executable, "-m", module, "--quick", "--seed", "7", "--out", str(tmp_path / "new")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = (tmp_path / "new" / "epidemics.md").read_text("utf-8")
    assert run.stdout == written
    assert f"Made by `python -m {module} --seed 7 --quick`." in written
    assert str(tmp_path) not in written
    assert not run.stderr


@pytest.mark.parametrize("name", ["swim2002", "lifeguard2017", "epidemics"])
def test_the_full_results_are_kept(name: str) -> None:
    """The committed tables were made by the whole experiment, by the command that they name."""
    results = Path(__file__).resolve().parents[3] / "simulations" / "experiments" / "results"
    text = (results / f"{name}.md").read_text("utf-8")
    assert f"Made by `python -m gossamer.simulations.experiments.{name} --seed 1`." in text
    assert "Why: " in text
