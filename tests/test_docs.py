"""What the documentation tells readers to type works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from processes import peers_in

from gossamer.cli import main

_ROOT = Path(__file__).resolve().parents[1]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("*.md"))]


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def _commands() -> list[str]:
    return [
        line.split("    #")[0].strip()
        for page in _PAGES
        for block in _blocks(page, "")
        for line in block.splitlines()
        if line.startswith("gossamer ")
    ]


def test_there_are_commands_to_check() -> None:
    """The pages are read as they are written, so that the checks below are not of nothing."""
    assert len(_commands()) >= 5


@pytest.mark.parametrize("line", _commands())
def test_commands_in_the_pages_are_accepted(line: str) -> None:
    """Each command line in the pages has a command and options that exist."""
    name, *words = shlex.split(line)[1:]
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    command.make_context(name, words)


@pytest.mark.parametrize("page", ["docs/using.md"])
def test_python_in_the_pages_compiles(page: str) -> None:
    """The pages' fragments of Python are Python."""
    for block in _blocks(_ROOT / page, "python"):
        indented = "".join(f"    {line}" for line in block.splitlines(keepends=True))
        compile(f"async def example():\n{indented}", page, "exec")


@pytest.mark.processes
def test_the_readme_example_runs(tmp_path: Path) -> None:
    """The README's program joins a mesh, registers, looks up and leaves."""
    (block,) = _blocks(_ROOT / "README.md", "python")
    with peers_in(tmp_path) as peers:
        seed = peers.start("seed")
        program = tmp_path / "example.py"
        program.write_text(
            block.replace("0.0.0.0:7940", "127.0.0.1:0").replace("10.0.0.7:7940", seed.gossip)
        )
        subprocess.run([sys.executable, str(program)], check=True, timeout=60)
        assert seed.members()["orders-1"] == "left"
