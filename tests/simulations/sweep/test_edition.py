"""What a kept result belongs to: the code that computed it."""

from pathlib import Path

import pytest

from gossamer.simulations.sweep import edition


@pytest.mark.parametrize(
    "changed",
    [
        "gossip/_core.py",
        "gossip/membership/_prober.py",
        "peers/registry/_view.py",
        "simulations/_fabric.py",
        "simulations/basis/_progress.py",
        "simulations/faithful/_run.py",
    ],
)
def test_a_change_of_the_code_that_simulates_is_another_edition(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one in a room of gossip/ or peers/: results of the earlier code must not be reused."""
    before = edition.__wrapped__()
    read = Path.read_bytes

    def read_changed(path: Path) -> bytes:
        return read(path) + (b"# changed" if str(path).endswith(f"gossamer/{changed}") else b"")

    monkeypatch.setattr(Path, "read_bytes", read_changed)
    assert edition.__wrapped__() != before


def test_a_change_of_plots_is_the_same_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    """They only show what was computed."""
    before = edition.__wrapped__()
    read = Path.read_bytes

    def read_changed(path: Path) -> bytes:
        return read(path) + (b"# changed" if "report" in path.parts else b"")

    monkeypatch.setattr(Path, "read_bytes", read_changed)
    assert edition.__wrapped__() == before
