"""`gossamer demo`: whole peers, real measurements, and an end of its own."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import LIMIT, gossamer, in_terminal, spawn

from gossamer.cli import _demo, _demo_mesh

pytestmark = pytest.mark.processes


def test_the_demo_tells_what_it_measured(tmp_path: Path) -> None:
    """The shortest demonstration converges, answers every lookup, and saves a picture."""
    picture = tmp_path / "demo.svg"
    ended = gossamer("demo", "--for", "3", "--json", "--save-svg", str(picture))
    summary = ended.json()
    assert summary["converged"]
    assert summary["missed"] == []
    assert summary["peers"] == 8
    assert summary["lookups"]["asked"] == summary["lookups"]["answered"] > 0
    assert summary["packets"]["lost"] > 0
    steps = {"join", "crash", "restart", "cut", "heal_registrations", "heal_roots", "leave"}
    assert summary["milliseconds"].keys() >= steps
    assert 3 <= summary["seconds"] < LIMIT
    assert "<svg" in picture.read_text("utf-8")


def test_a_pipe_gets_plain_lines() -> None:
    """Without a terminal each event is one line with its time, and nothing is drawn."""
    ended = gossamer("demo", "--for", "3")
    assert (ended.code, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    assert re.search(r"^ +\d+\.\d\d s  dover crashes", ended.out, re.MULTILINE)
    asked = re.search(r"^([\d,]+) of ([\d,]+) lookups were answered", ended.out, re.MULTILINE)
    assert asked is not None
    assert asked[1] == asked[2]
    assert "In the end all peers agreed." in ended.out


def test_a_terminal_gets_a_live_view() -> None:
    """Peers, lookups and events in 24 lines of 80 columns; the last frame stays."""
    shown = in_terminal("demo", "--for", "3")
    frames = shown.split("\x1b[?1049l")
    assert len(frames) == 2, "the alternate screen is not left once"
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frames[1])
    for text in ("aarhus", "dover (life 2)", "left", "7 peers", "unanswered", "after"):
        assert text in last
    lines = last[: last.index("lookups were answered")].splitlines()
    assert max(map(len, lines)) <= 80
    assert "cut" in frames[0]


@pytest.mark.parametrize("seconds", ["2.9", "0", "-1", "1e9"])
def test_a_time_that_cannot_be_is_refused(seconds: str) -> None:
    """Too short to show anything, or longer than anybody watches."""
    ended = gossamer("demo", "--for", seconds)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "3" in ended.err


def test_a_mesh_that_does_not_agree_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not happen in time is named, in the document too."""

    async def never(
        _mesh: object, true: Callable[[], bool], within: float, since: float | None = None
    ) -> None:
        return None

    monkeypatch.setattr(_demo_mesh.DemoMesh, "until", never)
    monkeypatch.setattr(_demo, "LEAST", 0.5)
    ended = gossamer("demo", "--for", "0.5", "--json")
    assert ended.code == 1
    assert '"converged": false' in ended.out
    assert "crash" in ended.err
    assert ended.err.count("\n") == 1


def test_an_interrupted_demo_ends_with_130() -> None:
    """Ctrl-C ends the peers and the demonstration without a traceback."""
    process = spawn("demo")
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert "8 peers run" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT) == 130
            assert process.stderr.read().strip() == ""
        finally:
            process.kill()
