"""A sweep's figures: Student's t against printed tables, means, and what was not seen."""

import json
from dataclasses import replace
from math import isclose
from typing import Any

import pytest

from gossamer.simulations.sweep import MEASURES, Estimate, Failed, Plan, make_plan, tabulate
from gossamer.simulations.sweep._run import attempt
from gossamer.simulations.sweep._student import t_bound, t_probability


@pytest.mark.parametrize(
    ("degrees", "bound"),
    # Two-sided 95 %, as printed in every table of the distribution.
    [
        (1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (6, 2.447), (7, 2.365),
        (8, 2.306), (9, 2.262), (10, 2.228), (15, 2.131), (20, 2.086), (25, 2.060), (29, 2.045),
        (30, 2.042), (40, 2.021), (60, 2.000), (120, 1.980), (9999, 1.960),
    ],
)  # fmt: skip
def test_bounds_of_t_are_those_of_printed_tables(degrees: int, bound: float) -> None:
    """To all printed digits, for few and for many degrees of freedom."""
    assert round(t_bound(degrees), 3) == bound
    assert isclose(t_probability(t_bound(degrees), degrees), 0.95, rel_tol=1e-12)


@pytest.mark.parametrize(("degrees", "bound"), [(1, 63.657), (4, 4.604), (10, 3.169), (30, 2.750)])
def test_bounds_of_t_at_99_percent(degrees: int, bound: float) -> None:
    """The same tables at another probability."""
    assert round(t_bound(degrees, 0.99), 3) == bound


def test_an_estimate_of_known_values() -> None:
    """Darwin's fifteen pairs of plants (Fisher, The Design of Experiments, 1935, section 17)."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = Estimate.of(differences)
    assert found.n == 15
    assert found.mean == pytest.approx(20.933, abs=0.001)
    # Fisher: standard error 9.746, and t of 14 degrees at 5 % is 2.145.
    assert found.margin == pytest.approx(9.746 * 2.145, abs=0.01)


def test_few_values_have_no_margin() -> None:
    """None of nothing, the value itself of one, and no width where all are equal."""
    assert Estimate.of([]) == Estimate(0, None, None)
    assert Estimate.of([3.0]) == Estimate(1, 3.0, None)
    assert Estimate.of([3.0, 3.0]) == Estimate(2, 3.0, 0.0)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Two combinations with three seeds."""
    changes = {"peers": "5", "duration": "5"}
    return make_plan("propagate", {"loss": ["0", "0.1"]}, seeds=3, changes=changes)


@pytest.fixture(scope="module")
def results(plan: Plan) -> dict[str, Any]:
    """What each run of the plan gives, computed here."""
    return {run.fingerprint: attempt(run.scenario, run.model) for run in plan.runs}


def test_a_row_holds_the_means_over_its_seeds(plan: Plan, results: dict[str, Any]) -> None:
    """Each measure is estimated from the reports of one combination alone."""
    table = tabulate(plan, results)
    own = [results[run.fingerprint] for run in plan.runs[3:]]
    row = table.rows[1]
    assert (row.values, row.runs, row.failed, row.models) == ({"loss": 0.1}, 3, 0, ("faithful",))
    assert row.measures["convergence_p99"] == Estimate.of([r["convergence"]["p99"] for r in own])
    assert row.measures["bytes"] == Estimate.of(
        [r["traffic"]["bytes_per_peer_per_second"] for r in own]
    )
    assert row.measures["changes_unseen"] == Estimate.of(
        [r["convergence"]["changes"] - r["convergence"]["complete"] for r in own]
    )


def test_what_was_not_seen_is_nothing_and_not_zero(plan: Plan, results: dict[str, Any]) -> None:
    """Nobody crashes and no cut heals in this scenario; there may be no lookups at all."""
    blind = {name: {**result, "lookups": None} for name, result in results.items()}
    for row in tabulate(plan, blind).rows:
        for name in ("detection_first", "detection_all", "healing", "wrong_lookups"):
            assert row.measures[name] == Estimate(0, None, None)
        assert row.measures["false_deaths"] == Estimate(3, 0.0, 0.0)


def test_a_measure_counts_the_runs_in_which_it_was_seen(
    plan: Plan, results: dict[str, Any]
) -> None:
    """A mean over fewer runs than the row has says so."""
    first = plan.runs[0].fingerprint
    lacking = {**results, first: {**results[first], "lookups": None}}
    row = tabulate(plan, lacking).rows[0]
    assert (row.runs, row.measures["wrong_lookups"].n) == (3, 2)


def test_the_digest_is_of_results_in_the_order_of_the_plan(
    plan: Plan, results: dict[str, Any]
) -> None:
    """Neither who ended first matters, nor what a run cost; another figure does."""
    table = tabulate(plan, results)
    backwards = dict(reversed(results.items()))
    for result in backwards.values():
        assert result["work"]["wall_seconds"] > 0
    cheaper = {name: {**result, "work": None} for name, result in backwards.items()}
    assert tabulate(plan, cheaper).digest == table.digest
    first = plan.runs[0].fingerprint
    other = {**results, first: {**results[first], "digest": "another"}}
    assert tabulate(plan, other).digest != table.digest


def test_a_document_tells_rows_runs_and_failures(plan: Plan, results: dict[str, Any]) -> None:
    """It is JSON, without anything of a report that is long, and with what all runs share."""
    missing, *_ = results
    kept = {name: result for name, result in results.items() if name != missing}
    failed = Failed(plan.runs[0], "its process ended with exit code 1")
    table = tabulate(plan, kept, [failed])
    document = json.loads(json.dumps(table.as_json(), allow_nan=False))
    assert [row["values"] for row in document["rows"]] == [{"loss": 0}, {"loss": 0.1}]
    assert [(row["runs"], row["failed"]) for row in document["rows"]] == [(2, 1), (3, 0)]
    assert document["rows"][0]["measures"].keys() == {measure.name for measure in MEASURES}
    assert [run["seed"] for run in document["runs"]] == [2, 3, 1, 2, 3]
    assert document["failures"] == [{"values": {"loss": 0}, "seed": 1, "why": failed.why}]
    assert document["parameters"]["peers"] == 5
    assert not {"loss", "seed"} & document["parameters"].keys()
    for run in document["runs"]:
        assert not {"series", "timeline", "theory"} & run.keys()
        assert "curve" not in run["convergence"]


def test_failures_are_told_in_the_order_of_the_plan(plan: Plan) -> None:
    """Whichever process was the first to end."""
    failures = [Failed(replace(run), "why") for run in reversed(plan.runs)]
    table = tabulate(plan, {}, failures)
    assert [each.run for each in table.failures] == list(plan.runs)
    assert [row.failed for row in table.rows] == [3, 3]
