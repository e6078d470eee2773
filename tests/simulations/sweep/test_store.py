"""What a sweep keeps on disk: taken up again, torn, somebody else's, in use."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gossamer.simulations.sweep import (
    Failed,
    Finished,
    Outcome,
    Plan,
    Run,
    Store,
    SweepError,
    SweepProgress,
    make_plan,
    run_sweep,
)
from gossamer.simulations.sweep._run import attempt, outcome

SMALL = {"peers": "5", "duration": "5"}


def planned(*losses: str, seeds: int = 2, **changes: str) -> Plan:
    return make_plan("propagate", {"loss": losses}, seeds=seeds, changes={**SMALL, **changes})


class Here:
    """A backend that runs everything in this process, and remembers what it ran."""

    def __init__(self, plan: Plan, *, failing: int = 0, stop_after: int | None = None) -> None:
        self.plan, self.failing, self.stop_after = plan, failing, stop_after
        self.ran: list[str] = []

    def __call__(self, runs: Sequence[Run], /) -> Generator[Outcome, None, None]:
        for run in runs:
            if len(self.ran) == self.stop_after:
                raise KeyboardInterrupt
            self.ran.append(self.plan.describe(run))
            if len(self.ran) <= self.failing:
                yield Failed(run, "no luck")
            else:
                yield outcome(run, attempt(run.scenario, run.model))


def lines(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "runs.jsonl").read_text().splitlines()]


def test_an_interrupted_sweep_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    """No run is done twice, and the table is that of a sweep that was not interrupted."""
    plan = planned("0", "0.1")
    first, second = Here(plan, stop_after=3), Here(plan)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan, tmp_path / "a", first)
    assert len(lines(tmp_path / "a")) == 1 + 3
    table = run_sweep(plan, tmp_path / "a", second)
    assert sorted(first.ran + second.ran) == sorted(map(plan.describe, plan.runs))
    assert table.digest == run_sweep(plan, tmp_path / "b", Here(plan)).digest
    assert json.loads((tmp_path / "a/table.json").read_text())["digest"] == table.digest


def test_a_finished_sweep_runs_nothing(tmp_path: Path) -> None:
    """Its table is made of what is there."""
    plan = planned("0")
    table = run_sweep(plan, tmp_path, Here(plan))
    again = Here(plan)
    assert run_sweep(plan, tmp_path, again).digest == table.digest
    assert again.ran == []


def test_more_seeds_and_values_run_only_what_is_new(tmp_path: Path) -> None:
    """The table then has all rows, and a smaller one afterwards only its own."""
    small, large = planned("0"), planned("0", "0.1", seeds=3)
    run_sweep(small, tmp_path, Here(small))
    more = Here(large)
    table = run_sweep(large, tmp_path, more)
    assert more.ran == ["loss=0 seed=3", "loss=0.1 seed=1", "loss=0.1 seed=2", "loss=0.1 seed=3"]
    assert [row.runs for row in table.rows] == [3, 3]
    assert [row.runs for row in run_sweep(small, tmp_path, Here(small)).rows] == [2]


def test_failures_are_kept_on_record_and_tried_again(tmp_path: Path) -> None:
    """The file says why; the next sweep does not take that for a result."""
    plan = planned("0")
    table = run_sweep(plan, tmp_path, Here(plan, failing=1))
    assert [failed.why for failed in table.failures] == ["no luck"]
    assert [line.get("failed") for line in lines(tmp_path)[1:]] == ["no luck", None]
    again = Here(plan)
    assert run_sweep(plan, tmp_path, again).failures == ()
    assert again.ran == ["loss=0 seed=1"]


@pytest.mark.parametrize("keep", [1, 30, -1])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, keep: int) -> None:
    """A process was killed while it wrote: that run is done again, the others are not."""
    plan = planned("0")
    run_sweep(plan, tmp_path, Here(plan))
    path = tmp_path / "runs.jsonl"
    *whole, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole) + last[:keep])
    again = Here(plan)
    run_sweep(plan, tmp_path, again)
    assert again.ran == ["loss=0 seed=2"]
    assert len(lines(tmp_path)) == 3


@pytest.mark.parametrize("length", [0, 5, 40])
def test_a_torn_first_line_is_begun_anew(tmp_path: Path, length: int) -> None:
    """The process was killed before it had written whose file this is."""
    plan = planned("0")
    Store.open(tmp_path, plan).__exit__(None, None, None)
    path = tmp_path / "runs.jsonl"
    head = path.read_bytes()
    path.write_bytes(head[:length])
    Store.open(tmp_path, plan).__exit__(None, None, None)
    assert path.read_bytes() == head


def test_another_sweeps_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """The sentence says whose it is; nothing of it is changed."""
    plan = planned("0")
    run_sweep(plan, tmp_path, Here(plan))
    before = (tmp_path / "runs.jsonl").read_bytes()
    with pytest.raises(SweepError, match=r"another sweep \(propagate, over loss"):
        run_sweep(planned("0", duration="6"), tmp_path, Here(plan))
    assert (tmp_path / "runs.jsonl").read_bytes() == before


def test_results_of_other_code_are_refused(tmp_path: Path) -> None:
    """Another version, or a line changed in the protocol, would give other results."""
    plan = planned("0")
    run_sweep(plan, tmp_path, Here(plan))
    path = tmp_path / "runs.jsonl"
    head, *rest = path.read_text().splitlines()
    other = {**json.loads(head), "gossamer": "0.0.9+abc"}
    path.write_text("\n".join([json.dumps(other), *rest]) + "\n")
    with pytest.raises(SweepError, match=r"written by gossamer 0\.0\.9\+abc"):
        Store.open(tmp_path, plan)


@pytest.mark.parametrize("text", ["hello", "hello\n", "[]\n", '{"sweep": 1}\n', "\n", "\x00\xff\n"])
def test_a_file_that_is_none_of_a_sweep_is_refused(tmp_path: Path, text: str) -> None:
    """Somebody's file of that name is not touched."""
    path = tmp_path / "runs.jsonl"
    path.write_text(text, "latin-1")
    with pytest.raises(SweepError, match="not the file of a sweep"):
        Store.open(tmp_path, planned("0"))
    assert path.read_text("latin-1") == text


@pytest.mark.parametrize("line", ["nonsense", "[]", "3", "null", '{"result": {}}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    """Only the end of a file can be torn; elsewhere somebody must have a look."""
    plan = planned("0")
    run_sweep(plan, tmp_path, Here(plan))
    path = tmp_path / "runs.jsonl"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, line, *rest]) + "\n")
    with pytest.raises(SweepError, match=r"runs\.jsonl:2: "):
        Store.open(tmp_path, plan)


def test_two_sweeps_do_not_write_into_one_file(tmp_path: Path) -> None:
    """The second is refused while the first holds it, and not afterwards."""
    plan = planned("0")
    with Store.open(tmp_path, plan), pytest.raises(SweepError, match="another sweep is writing"):
        Store.open(tmp_path, plan)
    with Store.open(tmp_path, plan) as store:
        assert store.results == {}


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One sentence with the system's reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SweepError, match="cannot be written: Not a directory"):
        Store.open(tmp_path / "file" / "below", planned("0"))


def test_a_result_is_on_disk_before_the_next_run(tmp_path: Path) -> None:
    """Nothing waits in a buffer, so that a killed process loses only what it was at."""
    plan = planned("0")
    result = attempt(plan.runs[0].scenario, plan.runs[0].model)
    assert isinstance(result, dict)
    with Store.open(tmp_path, plan) as store:
        store.add(Finished(plan.runs[0], result), {"loss": 0})
        assert lines(tmp_path)[1]["result"] == json.loads(json.dumps(result))
        assert lines(tmp_path)[1]["values"] == {"loss": 0}


def test_progress_counts_what_was_there_and_what_failed(tmp_path: Path) -> None:
    """The time left is told once something ended, and is 0 at the end."""
    small, large = planned("0", seeds=1), planned("0", seeds=3)
    run_sweep(small, tmp_path, Here(small))
    told: list[SweepProgress] = []
    run_sweep(large, tmp_path, Here(large, failing=1), told.append)
    assert [(each.runs, each.finished, each.failed, each.resumed) for each in told] == [
        (3, 1, 0, 1),
        (3, 1, 1, 1),
        (3, 2, 1, 1),
    ]
    assert told[0].seconds_left is None
    assert told[1].seconds_left is not None
    assert told[1].seconds_left > 0
    assert told[2].seconds_left == 0


def test_long_runs_begin_first(tmp_path: Path) -> None:
    """So that no core has one left when the others have nothing more to do."""
    plan = make_plan("propagate", {"peers": ["3", "6", "4"]}, seeds=1, changes={"duration": "5"})
    here = Here(plan)
    table = run_sweep(plan, tmp_path, here)
    assert here.ran == ["peers=6 seed=1", "peers=4 seed=1", "peers=3 seed=1"]
    assert [row.values["peers"] for row in table.rows] == [3, 6, 4]
