"""The plan of a sweep: every combination with every seed, checked before anything runs."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from gossamer.simulations.scenario import ScenarioError
from gossamer.simulations.sweep import SweepError, as_text, default_directory, make_plan

SMALL = {"peers": "5", "duration": "5"}
FILE = 'summary = "a file"\npeers = 5\nduration = 5\n'

# As a command line has them: name, and texts that are different numbers.
varied = st.dictionaries(
    st.sampled_from(["peers", "loss", "gossip_nodes", "workload.lookups"]),
    st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True),
    max_size=3,
).map(
    lambda found: {
        name: [f"0.{value}" if name == "loss" else str(value) for value in values]
        for name, values in found.items()
    }
)


@given(varied, st.integers(1, 4), st.integers(0, 1000))
def test_a_plan_is_the_cross_product_with_the_seeds(
    vary: dict[str, list[str]], seeds: int, first: int
) -> None:
    """Each combination has each seed once, in the order of the command line, and no run twice."""
    plan = make_plan("propagate", vary, seeds=seeds, changes={"seed": str(first), "duration": "5"})
    wanted = [dict(zip(vary, values, strict=True)) for values in product(*vary.values())]
    told = [{name: as_text(value) for name, value in each.items()} for each in plan.combinations]
    assert told == wanted
    assert [(run.combination, run.scenario.seed) for run in plan.runs] == [
        (place, first + seed) for place in range(len(wanted)) for seed in range(seeds)
    ]
    assert len({run.fingerprint for run in plan.runs}) == len(plan.runs)
    for run in plan.runs:
        assert run.scenario.parameters["seed"] == run.scenario.seed
        if "peers" in vary:
            assert run.scenario.peers == plan.combinations[run.combination]["peers"]


def test_nothing_varied_is_one_combination() -> None:
    """Seeds alone make a sweep, whose one row has no values."""
    plan = make_plan("propagate", {}, seeds=3, changes=SMALL)
    assert plan.combinations == ({},)
    assert [run.scenario.seed for run in plan.runs] == [1, 2, 3]
    assert plan.parameters()["peers"] == 5
    assert "seed" not in plan.parameters()


def test_a_run_is_described_by_what_tells_it_from_the_others() -> None:
    """Varied values as they are written in a scenario, then the seed."""
    plan = make_plan("propagate", {"loss": ["0.10"], "peers": ["5"]}, seeds=1)
    assert plan.describe(plan.runs[0]) == "loss=0.1 peers=5 seed=1"


@pytest.mark.parametrize(
    ("vary", "changes", "seeds", "words"),
    [
        ({"loss": []}, {}, 1, "loss has an empty value"),
        ({"loss": ["0", ""]}, {}, 1, "loss has an empty value"),
        ({"loss": ["0", "0"]}, {}, 1, "loss has the value 0 twice"),
        ({"loss": ["0.1", "0.10"]}, {}, 1, "as 0.1 and 0.10"),
        ({"seed": ["1", "2"]}, {}, 1, "--seeds"),
        ({"loss": ["0"]}, {"loss": "0.1"}, 1, "both set and varied"),
        ({}, {}, 0, "at least one seed"),
        ({"peers": ["5"]}, {}, 10_001, "10,001 runs"),
        ({"loss": [f"0.{n:03}" for n in range(1, 999)]}, {}, 11, "10,978 runs"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    vary: dict[str, list[str]], changes: dict[str, str], seeds: int, words: str
) -> None:
    """One sentence names the parameter and what is wrong with it."""
    with pytest.raises(SweepError, match=words):
        make_plan("propagate", vary, seeds=seeds, changes=changes)


@pytest.mark.parametrize(
    ("scenario", "vary", "changes"),
    [
        ("propagat", {}, {}),
        ("propagate", {"pers": ["5"]}, {}),
        ("propagate", {"peers": ["5", "0"]}, {}),
        ("propagate", {"peers": ["5", "many"]}, {}),
        ("propagate", {}, {"seed": str(2**63 - 1)}),  # the second seed is too large
        ("propagate", {"loss": ["0"], "network.loss": ["0.1"]}, {}),
        ("missing.toml", {}, {}),
    ],
)
def test_every_combination_is_read_before_the_first_run(
    scenario: str, vary: dict[str, list[str]], changes: dict[str, str]
) -> None:
    """A value that only the last run would have met is an error of the plan."""
    with pytest.raises(ScenarioError):
        make_plan(scenario, vary, seeds=2, changes=changes)


def test_a_fingerprint_is_of_content_alone(tmp_path: Path) -> None:
    """Where a file stands does not matter, what it says, seed and model do."""
    for name, text in {"one": FILE, "two": FILE, "other": FILE + "[network]\nloss = 0.1\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.toml").write_text(text)

    def prints(name: str, **options: str) -> list[str]:
        plan = make_plan(str(tmp_path / name / "s.toml"), {}, seeds=2, changes=options)
        return [run.fingerprint for run in plan.runs]

    assert prints("one") == prints("two")
    assert not set(prints("one")) & set(prints("other"))
    assert prints("one", seed="2")[0] == prints("one")[1]
    fast = make_plan(str(tmp_path / "one/s.toml"), {}, seeds=2, model="fast")
    assert not {run.fingerprint for run in fast.runs} & set(prints("one"))


def test_sweeps_that_may_share_results_have_one_identity() -> None:
    """More values or seeds are the same sweep; another change, model or name varied is not."""

    def identity(*values: str, name: str = "loss", seeds: int = 1, **changes: str) -> str:
        return make_plan("propagate", {name: values}, seeds=seeds, changes=changes).identity

    same = {identity("0"), identity("0.1", "0"), identity("0", seeds=3), identity("0", seed="9")}
    assert len(same) == 1
    assert identity("0", peers="5") not in same
    assert identity("1", name="latency") not in same


def test_a_directory_is_named_after_its_sweep() -> None:
    """The name is the same for the same sweep, and holds nothing but plain characters."""
    plan = make_plan("propagate", {}, seeds=1)
    assert default_directory(plan) == default_directory(make_plan("propagate", {}, seeds=2))
    assert str(default_directory(plan)) == f"sweep-propagate-{plan.identity[:8]}"
