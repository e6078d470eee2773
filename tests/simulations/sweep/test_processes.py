"""Runs in processes: the same results as here, and one that dies takes no other with it."""

import os
import signal
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest
from processes import eventually

from gossamer.simulations.sweep import (
    Failed,
    Finished,
    Plan,
    SweepError,
    _processes,
    make_plan,
    processes,
    run_sweep,
    tabulate,
)
from gossamer.simulations.sweep._processes import in_processes
from gossamer.simulations.sweep._run import attempt

pytestmark = pytest.mark.processes

# More than all imports take together, on whatever machine.
_SECONDS_TO_BEGIN = 4.0


def _seconds_of_processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Six runs of a few peers."""
    changes = {"duration": "5"}
    return make_plan("propagate", {"peers": ["3", "5"]}, seeds=3, changes=changes)


def test_processes_give_the_results_of_this_one(plan: Plan, tmp_path: Path) -> None:
    """One process or three, which hash texts in other ways: the digest is the same."""
    here = {run.fingerprint: attempt(run.scenario, run.model) for run in plan.runs}
    wanted = tabulate(
        plan, {name: found for name, found in here.items() if not isinstance(found, str)}
    )
    for workers in (1, 3):
        table = run_sweep(plan, tmp_path / str(workers), processes(workers))
        assert (table.digest, table.failures) == (wanted.digest, ())
        assert table.rows == wanted.rows
    assert active_children() == []


def test_a_process_that_dies_fails_its_own_run_alone(plan: Plan) -> None:
    """The run is named with the signal that ended it; a new process does the rest."""
    # So long that it is certainly at work when its end comes.
    endless = replace(
        plan.runs[0], scenario=replace(plan.runs[0].scenario, peers=100, duration=1e5)
    )
    running = in_processes([endless, *plan.runs[1:]], 2)
    outcomes = [next(running) for _ in plan.runs[1:]]
    assert all(isinstance(each, Finished) for each in outcomes)
    first, *_ = sorted(active_children(), key=lambda process: process.name)
    assert first.pid is not None
    pid = first.pid
    eventually(lambda: _seconds_of_processor(pid) >= _SECONDS_TO_BEGIN, 120.0, what="it has begun")
    os.kill(pid, signal.SIGKILL)
    outcomes += running
    failed = [each for each in outcomes if isinstance(each, Failed)]
    assert [each.run for each in failed] == [endless]
    assert "SIGKILL" in failed[0].why
    assert len(outcomes) == len(plan.runs)
    assert active_children() == []


def test_a_run_that_raises_is_told_in_words(plan: Plan) -> None:
    """The process goes on with the next one."""
    impossible = replace(
        plan.runs[0], scenario=replace(plan.runs[0].scenario, settings={"packet_limit": 1})
    )
    outcomes = list(in_processes([impossible, plan.runs[1]], 1))
    assert isinstance(outcomes[0], Failed)
    assert "packet_limit" in outcomes[0].why
    assert "\n" not in outcomes[0].why
    assert isinstance(outcomes[1], Finished)


def test_processes_end_when_the_caller_stops_waiting(plan: Plan) -> None:
    """An interrupted sweep does not wait for runs that nobody wants any more."""
    endless = [
        replace(run, scenario=replace(run.scenario, peers=100, duration=1e5)) for run in plan.runs
    ]
    running = in_processes([plan.runs[0], *endless], 2)
    assert isinstance(next(running), Finished)
    assert active_children()
    running.close()
    assert active_children() == []


def test_a_process_is_replaced_after_some_runs(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its largest run needed is given back; no run is lost by that."""
    monkeypatch.setattr(_processes, "RUNS_PER_PROCESS", 2)
    pids = set()
    finished = []
    for each in in_processes(plan.runs[:4], 1):
        finished.append(each.run.fingerprint)
        pids |= {process.pid for process in active_children()}
    assert finished == [run.fingerprint for run in plan.runs[:4]]
    assert len(pids) == 2


def test_processes_that_cannot_start_end_the_sweep(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each of ten thousand runs would start one more, and fail."""
    monkeypatch.setattr(_processes, "_work", _die)
    with pytest.raises(SweepError, match="cannot be started here"):
        list(in_processes(plan.runs, 1))
    assert active_children() == []


def _die(_pipe: object) -> None:
    os._exit(7)
