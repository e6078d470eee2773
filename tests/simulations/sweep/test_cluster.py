"""Runs on a Dask cluster: the real scheduler, with workers in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import distributed
import pytest

from gossamer.simulations.sweep import (
    Finished,
    Plan,
    SchedulerUnreachable,
    SweepError,
    cluster,
    make_plan,
    processes,
    run_sweep,
    tabulate,
)
from gossamer.simulations.sweep._cluster import on_cluster
from gossamer.simulations.sweep._run import attempt

pytestmark = pytest.mark.processes

# A worker as `dask worker` starts it, on a machine where nobody installed gossamer.
WITHOUT = """
import sys
sys.modules["gossamer"] = None
from distributed.cli.dask_worker import main
main([sys.argv[1], "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "30"])
"""
# The same, with another gossamer.
OTHER = """
import sys
from gossamer.simulations import sweep
sweep.edition = lambda: "0.0.9+abc"
from distributed.cli.dask_worker import main
main([sys.argv[1], "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "30"])
"""


@contextmanager
def dask(workers: int) -> Iterator[Any]:
    library: Any = distributed  # which is typed in part only
    # Port 0: it listens for HTTP in any case, and warns when the port is taken.
    with library.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as started:
        yield started


@contextmanager
def worker(code: str, scheduler: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, scheduler],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Six runs of a few peers."""
    changes = {"duration": "5"}
    return make_plan("propagate", {"peers": ["3", "5"]}, seeds=3, changes=changes)


def test_a_cluster_gives_the_results_of_processes_even_if_a_worker_dies(
    plan: Plan, tmp_path: Path
) -> None:
    """Two workers do the runs; when one is killed, the cluster gives its run to another."""
    here: dict[str, Any] = {run.fingerprint: attempt(run.scenario, run.model) for run in plan.runs}
    wanted = tabulate(plan, here)
    with dask(2) as started:
        table = run_sweep(plan, tmp_path, cluster(started.scheduler_address))
        assert (table.digest, table.failures) == (wanted.digest, ())
        assert table.rows == wanted.rows
        running = on_cluster(plan.runs, started.scheduler_address)
        outcomes = [next(running)]
        os.kill(started.workers[0].process.pid, signal.SIGKILL)
        outcomes += running
    assert {each.run.fingerprint for each in outcomes} == {run.fingerprint for run in plan.runs}
    for each in outcomes:
        assert isinstance(each, Finished)
        assert each.result["digest"] == here[each.run.fingerprint]["digest"]


def test_a_scheduler_without_workers_or_with_wrong_ones_is_told(plan: Plan) -> None:
    """A sentence says what to start, or which worker lacks what."""
    with dask(0) as started:
        address = started.scheduler_address
        with pytest.raises(SchedulerUnreachable, match=f"no workers; .*dask worker {address}"):
            list(on_cluster(plan.runs, address, reach_limit=0.5))
        with worker(WITHOUT, address), pytest.raises(SweepError, match="has no gossamer"):
            list(on_cluster(plan.runs, address, reach_limit=30))
    with dask(0) as started:
        address = started.scheduler_address
        with worker(OTHER, address), pytest.raises(SweepError, match=r"has gossamer 0\.0\.9\+abc"):
            list(on_cluster(plan.runs, address, reach_limit=30))


def test_a_scheduler_that_does_not_answer_is_told(plan: Plan) -> None:
    """Within the limit, in one sentence, and nothing of the library's on the terminal."""
    with pytest.raises(SchedulerUnreachable, match=r"no Dask scheduler answers at tcp://127\.0"):
        list(on_cluster(plan.runs, "tcp://127.0.0.1:9", reach_limit=0.3))


def test_a_scheduler_that_goes_away_ends_the_sweep(plan: Plan, tmp_path: Path) -> None:
    """What is finished is kept, and processes finish the rest to the same table."""
    with dask(1) as started:
        running = on_cluster(plan.runs, started.scheduler_address)

        def interrupted(_runs: object, /) -> Any:
            yield next(running)
            started.close()
            yield from running

        with pytest.raises(SchedulerUnreachable, match="is gone"):
            run_sweep(plan, tmp_path, interrupted)
    kept = (tmp_path / "runs.jsonl").read_text().count("\n") - 1
    assert kept >= 1
    table = run_sweep(plan, tmp_path, processes(2))
    assert [row.runs for row in table.rows] == [3, 3]
