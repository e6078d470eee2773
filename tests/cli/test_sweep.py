"""`gossamer simulate sweep`: one table, kept as it grows, and a sentence for what cannot be."""

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_line import LIMIT, Outcome, gossamer, in_terminal, spawn
from processes import eventually

from gossamer.cli._sweep_progress import describe
from gossamer.cli._sweep_table import Figures
from gossamer.simulations.sweep import Estimate, SweepProgress
from gossamer.simulations.sweep._cluster import on_cluster

pytestmark = pytest.mark.processes

SMALL = ("--set", "duration=5", "--peers", "3", "--seeds", "2")


def sweep(*arguments: str) -> Outcome:
    return gossamer("simulate", "sweep", *arguments)


def lines(directory: Path) -> list[dict[str, Any]]:
    path = directory / "runs.jsonl"
    whole = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in whole]


def test_a_sweep_is_one_document(tmp_path: Path) -> None:
    """Rows and runs on stdout, the same in table.json, and pictures of the varied number."""
    arguments = ("propagate", *SMALL, "--vary", "loss=0,0.1", "--json", "--out", str(tmp_path))
    found = sweep(*arguments).json()
    assert [row["values"] for row in found["rows"]] == [{"loss": 0}, {"loss": 0.1}]
    assert [row["runs"] for row in found["rows"]] == [2, 2]
    assert len(found["runs"]) == 4
    assert found.pop("directory") == str(tmp_path)
    assert json.loads((tmp_path / "table.json").read_text()) == found
    names = {"runs.jsonl", "table.json", "sweep.png", "sweep.svg"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_pipe_gets_aligned_words_and_dashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heading and a line for each row, one word a cell; the directory has a name of its own."""
    monkeypatch.chdir(tmp_path)
    ended = sweep("propagate", *SMALL, "--vary", "profile=lan,wan")
    assert ended.code == 0
    heading, *rows = [line.split() for line in ended.out.splitlines()]
    assert heading[:4] == ["profile", "model", "runs", "failed"]
    assert [len(row) for row in rows] == [len(heading)] * 2
    cells = dict(zip(heading, rows[1], strict=True))
    assert (cells["profile"], cells["runs"], cells["failed"]) == ("wan", "2", "0")
    assert "±" in cells["change-p50[ms]"]
    assert cells["equal-roots[s]"] == cells["crash-first[s]"] == "-"
    (directory,) = tmp_path.iterdir()
    assert directory.name.startswith("sweep-propagate-")
    assert ended.err == f"Results are in {directory.name}.\n"


def test_a_terminal_gets_what_tells_something_in_its_width(tmp_path: Path) -> None:
    """No column for crashes, where there are none; progress is drawn and taken away."""
    arguments = ("propagate", *SMALL, "--vary", "profile=lan,wan", "--out", str(tmp_path))
    shown = in_terminal("simulate", "sweep", *arguments)
    assert "of 4 runs" in shown
    table = shown.rsplit("\x1b[K", 1)[1]
    assert "profile" in table
    assert "change" in table
    assert "crash" not in table
    assert "±" in table
    plain = "".join(part.partition("m")[2] for part in f"m{table}".split("\x1b["))
    assert max(map(len, plain.splitlines()[:-1])) <= 80


def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed for good while it runs, it leaves no process; the second does only the rest."""
    wanted = (
        *("propagate", "--vary", "profile=lan,wan", "--set", "duration=60", "--set", "peers=7"),
        *("--seeds", "2"),
    )
    process = spawn("simulate", "sweep", *wanted, "--workers", "1", "--out", str(tmp_path))
    try:
        eventually(lambda: len(lines(tmp_path)) >= 2, LIMIT)
    finally:
        process.kill()
        process.communicate()
    before = lines(tmp_path)[1:]
    assert 1 <= len(before) < 4
    found = sweep(*wanted, "--workers", "1", "--out", str(tmp_path), "--json").json()
    assert [row["runs"] for row in found["rows"]] == [2, 2]
    assert lines(tmp_path)[1 : 1 + len(before)] == before
    done = [line["run"] for line in lines(tmp_path)[1:]]
    assert len(done) == len(set(done)) == 4


def test_an_interrupt_ends_it_promptly(tmp_path: Path) -> None:
    """Ctrl-C reaches all its processes: exit code 130, what is finished is kept, no traceback."""
    process = spawn(
        *("simulate", "sweep", "propagate", "--vary", "peers=100,5", "--set", "duration=20000"),
        *("--seeds", "1", "--out", str(tmp_path)),
        process_group=0,
    )
    try:
        eventually(lambda: lines(tmp_path), LIMIT)
        eventually(lambda: len(workers(process.pid)) == 2, LIMIT)
        subprocess.run(["kill", "-INT", "--", f"-{process.pid}"], check=True)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err == f"0 of 2 runs are kept in {tmp_path}.\n\n"
    assert workers(process.pid) == []


# The processes that do the runs, in the process group of the one that was started.
def workers(group: int) -> list[str]:
    found = subprocess.run(
        ["pgrep", "-g", str(group), "-f", "spawn_main"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["propagat"], "propagate"),
        (["missing.toml"], "missing.toml"),
        (["propagate", "--vary", "pers=1"], "did you mean peers?\n"),
        (["propagate", "--vary", "peers"], "NAME=V1,V2"),
        (["propagate", "--vary", "=1"], "NAME=V1,V2"),
        (["propagate", "--vary", "peers="], "empty value"),
        (["propagate", "--vary", "peers=3,3"], "twice"),
        (["propagate", "--vary", "peers=3,0"], "peers"),
        (["propagate", "--vary", "peers=3", "--vary", "peers=4"], "twice"),
        (["propagate", "--vary", "peers=3", "--set", "peers=4"], "both set and varied"),
        (["propagate", "--vary", "seed=3"], "--seeds"),
        (["propagate", "--set", "peers"], "NAME=VALUE"),
        (["propagate", "--set", "peers=3", "--set", "peers=4"], "set twice"),
        (["propagate", "--seeds", "0"], "seeds"),
        (["propagate", "--seeds", "10001"], "10,000"),
        (["propagate", "--workers", "0"], "workers"),
        (["propagate", "--model", "slow"], "faithful"),
        (["propagate", "--workers", "1", "--scheduler", "tcp://127.0.0.1:8786"], "give only one"),
        (["propagate", "--scheduler", "127.0.0.1:8786"], "tcp://HOST:PORT"),
        (["propagate", "--scheduler", "tcp://127.0.0.1"], "HOST:PORT"),
        (["propagate", "--scheduler", "http://127.0.0.1:8786"], "tcp://HOST:PORT"),
        ([], "SCENARIO"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    """Exit code 2, nothing is run, and no directory is made."""
    monkeypatch.chdir(tmp_path)
    ended = sweep(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert words in ended.err
    assert list(tmp_path.iterdir()) == []


def test_another_sweeps_directory_is_refused(tmp_path: Path) -> None:
    """It would mix what does not belong together."""
    arguments = ("propagate", "--set", "peers=3", "--seeds", "1", "--out", str(tmp_path), "--json")
    assert sweep(*arguments, "--set", "duration=5").code == 0
    ended = sweep(*arguments, "--set", "duration=6")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "another sweep" in ended.err


def test_a_scheduler_that_does_not_answer_is_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence names its address."""
    monkeypatch.setattr(
        "gossamer.simulations.sweep.cluster",
        lambda address: partial(on_cluster, address=address, reach_limit=0.3),
    )
    ended = sweep(
        *("propagate", "--seeds", "1", "--scheduler", "tcp://127.0.0.1:9"),
        *("--out", str(tmp_path)),
    )
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in ended.err


def test_a_run_that_dies_is_told_with_its_parameters(tmp_path: Path) -> None:
    """The table is printed all the same, with dashes, and the exit code is 1."""
    process = spawn(
        *("simulate", "sweep", "propagate", "--vary", "duration=5,20000", "--set", "peers=20"),
        *("--seeds", "1", "--workers", "2", "--out", str(tmp_path)),
        process_group=0,
    )
    try:
        # The short run's process has ended; the other one is at work.
        eventually(lambda: lines(tmp_path)[1:] and len(workers(process.pid)) == 1, LIMIT)
        subprocess.run(["kill", "-KILL", *workers(process.pid)], check=True)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    assert "-" in out.splitlines()[2].split()
    assert "1 of 2 runs failed (duration=20000 seed=1: its process was ended by SIGKILL" in err
    assert ["failed" in line for line in lines(tmp_path)[1:]] == [False, True]


@pytest.mark.parametrize(
    ("estimate", "runs", "shown"),
    [
        (Estimate(0), 3, "-"),
        (Estimate(1, 12.3456), 1, "12.35"),
        (Estimate(1, 12.3456), 3, "12.35/1"),
        (Estimate(3, 12.3456, 0.4321), 3, "12.35±0.43"),
        (Estimate(3, 1234.56, 432.1), 3, "1235±432"),
        (Estimate(2, 0.0, 0.0), 3, "0±0/2"),
        (Estimate(3, 0.00001, 0.000001), 3, "0.000±0.000"),
        (Estimate(3, 123456789.0, 0.001), 3, "123456789±0"),
    ],
)
def test_figures_have_the_digits_that_their_margin_leaves(
    estimate: Estimate, runs: int, shown: str
) -> None:
    """Two digits of the margin, no more than four of the mean, three decimals at most."""
    assert str(Figures.of(estimate, runs)) == shown


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (SweepProgress(8, 0, 0, 0, None), "0 of 8 runs"),
        (SweepProgress(8, 3, 1, 2, 42.4), "3 of 8 runs, 2 from before, 1 failed, about 42 s left"),
        (SweepProgress(8, 3, 0, 0, 192.0), "3 of 8 runs, about 3 min 12 s left"),
        (SweepProgress(8, 3, 0, 0, 8100.0), "3 of 8 runs, about 2 h 15 min left"),
        (SweepProgress(8, 8, 0, 0, 0.0), "8 of 8 runs"),
    ],
)
def test_progress_is_one_line(progress: SweepProgress, line: str) -> None:
    """What is done, what was there, what failed, and how long the rest will take."""
    assert describe(progress) == line
