"""What users install: built from a copy, put into an empty environment, run from elsewhere."""

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("gossip", "peers", "cli", "simulations")
PATIENCE = 300.0  # seconds for one command: dependencies may come over a slow line


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed; all it said, when it does not."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert "Traceback" not in done.stderr, said
    return done.stdout


@dataclass(frozen=True, slots=True)
class Built:
    sdist: Path
    wheel: Path  # from the checkout, as `pip install .` does
    rebuilt: Path  # from the sdist


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The distributions, built from a copy: building leaves build/ and *.egg-info behind."""
    base = tmp_path_factory.mktemp("built")
    copy = base / "copy"
    litter = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache")
    for folder in ("src", *FOLDERS):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=litter)
    for path in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / path).exists():
            shutil.copy(ROOT / path, copy)
    run(sys.executable, "-m", "build", "--outdir", base / "both", copy, cwd=base)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", base / "wheel", copy, cwd=base)
    (sdist,) = (base / "both").glob("*.tar.gz")
    (rebuilt,) = (base / "both").glob("*.whl")
    (wheel,) = (base / "wheel").glob("*.whl")
    return Built(sdist, wheel, rebuilt)


@pytest.fixture(scope="session")
def bin_folder(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that holds the wheel and what it declares, nothing else."""
    base = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", base / "venv", cwd=base)
    folder = base / "venv" / "bin"
    pip = (folder / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", built.wheel, cwd=base)
    return folder


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_module_and_nothing_else(built: Built) -> None:
    """The links under src/ arrive as real packages, with types' marker and the scenarios."""
    expected = {"gossamer/__init__.py", "gossamer/py.typed"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            expected.add(f"gossamer/{path.relative_to(ROOT)}")
    for path in (ROOT / "simulations/scenario/builtin").glob("*.toml"):
        expected.add(f"gossamer/{path.relative_to(ROOT)}")
    assert contents(built.wheel) == expected


def test_the_wheel_made_from_the_sdist_is_the_same(built: Built) -> None:
    """A build from the published source gives the same wheel as a build from the checkout."""
    assert contents(built.rebuilt) == contents(built.wheel)


def test_the_installed_command_tells_its_version(bin_folder: Path, tmp_path: Path) -> None:
    """`gossamer --version` works from the wheel alone, in any folder."""
    installed = run(bin_folder / "gossamer", "--version", cwd=tmp_path)
    declared = 'import importlib.metadata as m; print(m.version("gossamer"))'
    assert run(bin_folder / "python", "-c", declared, cwd=tmp_path).strip() in installed


@pytest.mark.processes
def test_the_installed_demo_runs_and_ends_by_itself(bin_folder: Path, tmp_path: Path) -> None:
    """`gossamer demo` needs nothing but the wheel."""
    shown = run(bin_folder / "gossamer", "demo", "--for", "5", cwd=tmp_path)
    assert shown.strip()


@pytest.mark.processes
def test_the_installed_simulator_runs_without_extras(bin_folder: Path, tmp_path: Path) -> None:
    """Scenarios come along; what needs an extra names it, with 2, before anything is run."""
    command = (bin_folder / "gossamer", "simulate")
    assert "partition" in run(*command, "list", cwd=tmp_path)
    shown = run(*command, "crash", "--peers", "5", "--set", "duration=20", cwd=tmp_path)
    assert "digest" in shown
    for arguments in (("crash", "--out", "plots"), ("propagate", "--peers", "3000")):
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "gossamer[sim]" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
