"""The structure that design and packaging rest on: links, one-way arrows, the fence."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("gossip", "peers", "cli", "simulations")

# What each folder may import of the package, itself included; cli stands on top and may have all.
ARROWS = {
    "gossip": {"gossip"},
    "peers": {"gossip", "peers", "__version__"},
    "simulations": {"gossip", "peers", "simulations", "__version__"},
}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def fence() -> set[str]:
    """The modules that gossip/ruff.toml bans as a whole."""
    config = tomllib.loads((ROOT / "gossip" / "ruff.toml").read_text())
    names = config["lint"]["flake8-tidy-imports"]["banned-api"]
    return {name for name in names if "." not in name}


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node except those under `if TYPE_CHECKING:`, which import nothing."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def imports(path: Path) -> set[str]:
    """The dotted names a file imports by absolute path; `from a import b` counts as `a.b`."""
    found = set[str]()
    for node in run_time_nodes(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found.update(f"{module}.{alias.name}" for alias in names)
    return found


def facade(folder: str) -> dict[str, str]:
    """Which private module each public name of a folder comes from."""
    tree = ast.parse((ROOT / folder / "__init__.py").read_text())
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


def siblings(path: Path) -> set[str]:
    """The modules of its own folder that a file imports."""
    return {
        node.module
        for node in run_time_nodes(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
    }


def registry() -> set[str]:
    """The part of peers/ that must be free of I/O: the registry and all that it draws in."""
    found = set[str]()
    waiting = ["_registry"]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += siblings(ROOT / "peers" / f"{module}.py")
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_links_are_relative_and_lead_to_the_folders_at_the_root(folder: str) -> None:
    """A clone anywhere finds its own code, so the links must not be absolute."""
    link = ROOT / "src" / "gossamer" / folder
    assert link.is_symlink(), f"{link} is no link; on Windows, clone with core.symlinks=true"
    assert link.readlink() == Path("../..") / folder
    assert link.resolve(strict=True) == ROOT / folder


@pytest.mark.parametrize("folder", ARROWS)
def test_imports_follow_the_arrows(folder: str) -> None:
    """cli → peers → gossip and cli → simulations → gossip; nothing points back."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(folder)
        for name in sorted(imports(path))
        if name.split(".")[0] == "gossamer"
        and name.partition(".")[2].split(".")[0] not in ARROWS[folder]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_are_imported_under_their_one_name(folder: str) -> None:
    """A folder imported as `gossip` would be loaded twice, and `from gossip` is somebody else's."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*sources(folder), *sources("tests")]
        for name in sorted(imports(path))
        if name.split(".")[0] in FOLDERS
    ]
    assert not wrong, "\n".join(wrong)


def test_simulations_use_only_the_part_of_peers_that_is_free_of_io() -> None:
    """The simulator runs the registry, never the runtime that drives real sockets."""
    home = facade("peers")
    free = registry()
    wrong = []
    for path in sources("simulations"):
        for name in sorted(imports(path)):
            match name.split("."):
                case ["gossamer", "peers", first, *_] if home.get(first, first) in free:
                    pass
                case ["gossamer", "peers", *_]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_core_and_the_registry_import_no_clock_no_socket_no_thread() -> None:
    """What runs on a virtual clock must not be able to reach the real one."""
    banned = fence()
    assert {"time", "socket", "trio", "os", "asyncio", "threading", "logging"} <= banned
    # The registry writes times into JSON: it may have the type datetime, but not ask it the time.
    held = [(path, banned) for path in sources("gossip")]
    held += [(ROOT / "peers" / f"{name}.py", banned - {"datetime"}) for name in sorted(registry())]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, names in held
        for name in sorted(imports(path))
        if name.split(".")[0] in names
    ]
    wrong += [
        f"{path.relative_to(ROOT)}:{node.lineno} reads the clock"
        for path, _ in held
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if ast.unparse(node.value).endswith(("datetime", "date"))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_calls_no_builtin_that_reaches_outside() -> None:
    """The linter's fence knows modules only; hash() of text, and Random() unseeded, also differ."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} calls {ast.unparse(node.func)}()"
        for path in sources("gossip")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in {"open", "print", "input", "hash", "__import__"}
            or (ast.unparse(node.func).endswith("Random") and not node.args)
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_the_linter_holds_the_fence() -> None:
    """A banned import in gossip/ is an error; the type Random is not, nor is a clock elsewhere."""
    snippet = "import random\nimport time\nfrom random import Random\nfrom os import path\n"
    snippet += "x = random.shuffle([])\ny = time.time()\nz = path.sep\nr: Random\n"

    def complaints(filename: str) -> list[str]:
        command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache"]
        command += ["--output-format", "json", "--stdin-filename", filename, "-"]
        done = subprocess.run(
            command, input=snippet, capture_output=True, text=True, cwd=ROOT, check=False
        )
        return [found["message"].split("`")[1] for found in json.loads(done.stdout)]

    assert complaints("gossip/_example.py") == ["time", "os", "random.shuffle"]
    assert complaints("peers/_example.py") == []
