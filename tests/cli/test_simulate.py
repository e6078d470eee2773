"""`gossamer simulate`: what it prints, writes and refuses, and how it ends."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from command_line import LIMIT, gossamer, in_terminal, spawn
from reports import partition_report

from gossamer.cli import main
from gossamer.cli._simulate_charts import convergence_curve, over_time, sparkline
from gossamer.cli._simulate_progress import remaining
from gossamer.cli._simulate_summary import show_summary

# Seven peers for fifteen virtual seconds: a run that takes a blink.
SMALL = ("--peers", "7", "--set", "duration=35")
NAMES = (
    *("join", "propagate", "crash", "partition", "asymmetric", "flapping-link", "churn"),
    *("restart-storm", "slow-peers", "lossy", "rolling-deploy"),
)


def test_list_shows_the_eleven_that_come_along() -> None:
    """`list` names every scenario with what it is for, as a table and as JSON."""
    found = gossamer("simulate", "list", "--json").json()["scenarios"]
    assert tuple(each["name"] for each in found) == NAMES
    assert all(each["summary"] and each["parameters"]["peers"] for each in found)
    shown = gossamer("simulate", "list")
    assert shown.code == 0
    for name in NAMES:
        assert f"\n{name} " in shown.out


def test_a_run_is_told_in_plain_text() -> None:
    """Through a pipe there are tables without a single escape code, and the digest."""
    ran = gossamer("simulate", "partition", *SMALL)
    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    assert ran.out.startswith("partition: 7 peers, 35 s of virtual time, seed ")
    for said in ("Model: faithful", "cut ", "TIME UNTIL", "Beside theory", "[1] ", "digest "):
        assert said in ran.out
    assert ran.out.endswith("The mesh had converged at the end.\n")
    assert ran.err == ""


def test_json_is_one_document_and_the_same_each_time() -> None:
    """`--json` prints the report alone; the seed decides all but the time that it took."""
    first = gossamer("simulate", "partition", *SMALL, "--seed", "7", "--json").json()
    second = gossamer("simulate", "--seed", "7", *SMALL, "--json", "partition").json()
    assert first["parameters"]["seed"] == first["seed"] == 7
    for document in (first, second):
        del document["work"], document["traffic"]["cpu_ms_per_peer_per_second"]
    assert first == second


def test_options_and_set_change_the_same_values() -> None:
    """`--peers`, `--loss` and `--latency` are short for what `--set` can change."""
    found = gossamer(
        *("simulate", "propagate", "--peers", "5", "--loss", "0.01", "--latency", "2"),
        *("--set", "duration=3", "--json"),
    ).json()
    assert found["peers"] == 5
    assert found["duration"] == 3
    assert found["parameters"]["loss"] == 0.01


def test_a_file_is_a_scenario(tmp_path: Path) -> None:
    """A path to a TOML file stands where a name does."""
    path = tmp_path / "mine.toml"
    path.write_text('summary = "Nothing happens."\npeers = 3\nduration = 2\n')
    ran = gossamer("simulate", str(path))
    assert ran.code == 0, ran.err
    assert "mine: 3 peers, 2 s of virtual time" in ran.out
    assert "Nothing happens." in ran.out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "SCENARIO"),
        (["partitoin"], "partition"),
        (["partition", "--peers", "0"], "peers"),
        (["partition", "--peers", "many"], "peers"),
        (["partition", "--peers", "1"], "zone-b"),
        (["partition", "--loss", "2"], "loss"),
        (["partition", "--loss", "nan"], "loss"),
        (["partition", "--set", "duration"], "NAME=VALUE"),
        (["partition", "--set", "durration=3"], "duration"),
        (["partition", "--set", "seed=1", "--set", "seed=2"], "twice"),
        (["partition", "--set", "seed=1", "--seed", "2"], "--seed"),
        (["partition", "--model", "exact"], "--model"),
        (["partition", "--peers", "2001"], "more than 2,000 peers are modelled with arrays"),
        (["partition", "--peers", "9", "--model", "fast"], "--model faithful"),
        (["sweep", "partition", "--peers", "9", "--set", "peers=8"], "--peers"),
        (["partition", "--nonsense"], "--nonsense"),
        (["partition", "lossy"], "lossy"),
        (["no-such-file.toml"], "no-such-file.toml"),
        (["list", "extra"], "extra"),
    ],
)
def test_bad_input_is_one_sentence_and_ends_with_2(arguments: list[str], named: str) -> None:
    """What cannot be simulated is refused with its reason, and stdout stays empty."""
    ended = gossamer("simulate", *arguments)
    assert ended.code == 2, ended.out
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert named in ended.err


def test_a_mistake_in_a_file_names_its_line(tmp_path: Path) -> None:
    """The sentence begins with file and line, where an editor can jump to."""
    path = tmp_path / "bad.toml"
    path.write_text('summary = "x"\npeers = 3\nduration = "long"\n')
    ended = gossamer("simulate", str(path))
    assert ended.code == 2
    assert f"{path}:3: duration" in ended.err


def test_out_writes_the_report_and_the_plots(tmp_path: Path) -> None:
    """`--out` makes its directory, and tells on stderr, where it spoils no pipe."""
    ran = gossamer("simulate", "crash", *SMALL, "--json", "--out", str(tmp_path / "new"))
    assert ran.code == 0
    document = json.loads(ran.out)
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == document
    assert (tmp_path / "new" / "overview.svg").exists()
    assert "files are in" in ran.err


def test_a_directory_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a simulation whose report has no place."""
    monkeypatch.setattr("gossamer.simulations.simulate", _not_to_be_called)
    (tmp_path / "file").write_text("")
    ended = gossamer("simulate", "crash", "--out", str(tmp_path / "file" / "below"))
    assert ended.code == 2
    assert "--out" in ended.err
    assert ended.err.count("\n") == 1


def test_a_missing_extra_is_named_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without matplotlib, `--out` ends at once with the command that installs it."""
    monkeypatch.setattr("gossamer.simulations.simulate", _not_to_be_called)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    ended = gossamer("simulate", "crash", "--out", str(tmp_path / "out"))
    assert ended.code == 2
    assert "pip install 'gossamer[sim]'" in ended.err
    assert not (tmp_path / "out").exists()


def _not_to_be_called(*_: object, **__: object) -> None:
    raise AssertionError("a simulation was begun")


def test_a_mesh_that_has_not_converged_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is no, both in the summary and for a script."""
    report = partition_report(converged=False)
    monkeypatch.setattr("gossamer.simulations.simulate", lambda *_, **__: report)
    ended = gossamer("simulate", "partition")
    assert ended.code == 1
    assert "The mesh had NOT converged at the end." in ended.out
    assert "--set duration=120" in ended.err
    assert json.loads(gossamer("simulate", "partition", "--json").out)["converged"] is False


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a simulation without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gossamer.simulations.simulate", interrupted)
    ended = gossamer("simulate", "partition")
    assert ended.code == 130
    assert ended.out == ""


def test_plots_stand_on_a_terminal_and_fit_it() -> None:
    """At 80 columns the bands, the lines and the curve are there, and no line is longer."""
    shown = in_terminal("simulate", "partition", *SMALL)
    assert "▀" in shown
    assert "█" in shown
    assert "\x1b[" in shown
    for line in shown.splitlines():
        assert len(_without_codes(line)) <= 80, line
    assert "NOT" not in shown


def _without_codes(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line)


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("coloured", [True, False])
def test_charts_keep_within_the_width(width: int, coloured: bool) -> None:
    """No chart's line is longer than the terminal, whatever the peers and happenings."""
    for peers in (1, 5, 1000):
        report = partition_report(peers)
        lines = over_time(report, width, coloured=coloured) + convergence_curve(report, width)
        # The sentence above the curve is folded where it is printed.
        drawn = [line.plain.rstrip() for line in lines if not line.plain.startswith("All ")]
        assert max(map(len, drawn)) <= width
    assert over_time(partition_report(5), 30, coloured=True) == []


def test_without_colour_bands_are_letters() -> None:
    """Where colours cannot be seen, states are read as letters."""
    lines = [line.plain for line in over_time(partition_report(4), 80, coloured=False)]
    assert any(line.startswith("p0 ") and "ss" in line and "dd" in line for line in lines)


def test_a_sparkline_hides_nothing() -> None:
    """The smallest value beside the largest is still a mark, and nothing is a blank."""
    assert sparkline([0, 1, 50, 1000]) == " ▁▁█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""


def test_the_time_that_remains_is_told_when_it_can_be_known() -> None:
    """An estimate follows from what is done, and there is none from next to nothing."""
    assert remaining(10.0, 0.5) == "10 s left"
    assert remaining(60.0, 0.25) == "3 min 0 s left"
    assert remaining(1.0, 0.001) == ""


def test_what_the_fast_model_leaves_out_is_not_shown_as_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No false alarm is claimed absent where none could be seen."""
    show_summary(replace(partition_report(), model="fast", lookups=None))
    shown = capsys.readouterr().out
    assert "false alarms" not in shown
    assert "on streams" not in shown


def test_a_report_without_lookups_crashes_or_theory_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was not measured is left out instead of shown as nothing."""
    report = partition_report(1, crashes=0, changes=0)
    show_summary(replace(report, lookups=None, theory=[], timeline=[]).as_json())
    shown = capsys.readouterr().out
    assert "lookups" not in shown
    assert "theory" not in shown
    assert "digest" in shown


def _complete(*arguments: str, incomplete: str) -> set[str]:
    shell = ShellComplete(main, {}, "gossamer", "_GOSSAMER_COMPLETE")
    return {item.value for item in shell.get_completions(list(arguments), incomplete)}


def test_scenarios_and_their_parameters_complete() -> None:
    """After `simulate` come scenarios beside `list` and `sweep`, after `--set` their names."""
    assert _complete("simulate", incomplete="") == {*NAMES, "list", "sweep"}
    assert _complete("simulate", incomplete="par") == {"partition"}
    assert {"--peers", "--set"} <= _complete("simulate", "partition", incomplete="--")
    assert "cut_for=" in _complete("simulate", "partition", "--set", incomplete="cut")
    assert _complete("simulate", "partitoin", "--set", incomplete="cut") == set()


def test_help_tells_options_scenarios_and_commands() -> None:
    """One page has all that there is to know, and `gossamer --help` names the command."""
    shown = gossamer("simulate", "--help")
    assert shown.code == 0
    assert "Usage: gossamer simulate SCENARIO [OPTIONS]" in shown.out
    for said in ("--json", "--loss", "partition ", "list ", "sweep "):
        assert said in shown.out
    assert "\n  simulate " in gossamer("--help").out
    assert gossamer("simulate", "partition", "--help").code == 0


def test_a_plain_run_needs_neither_matplotlib_nor_numpy() -> None:
    """Simulating peer by peer works without the extra, from the first import on."""
    script = (
        "import sys\n"
        "sys.modules['matplotlib'] = sys.modules['numpy'] = None\n"
        "from gossamer.cli import main\n"
        "main(['simulate', 'propagate', '--peers', '4', '--set', 'duration=12'])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "digest" in ran.stdout


def test_a_process_writes_nothing_but_the_document() -> None:
    """With pipes on both sides, stderr stays empty and stdout parses."""
    process = spawn("simulate", "propagate", "--peers", "4", "--json", "--set", "duration=12")
    out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["scenario"] == "propagate"
