"""The structure that design and packaging rest on: links, one-way arrows, the fence."""

import ast
import json
import re
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

# The rooms of a folder, from the bottom to the top: each imports only those listed before it.
ROOMS = {
    "gossip": (
        "basis", "sealing", "state", "messages", "kernel", "dissemination", "membership",
        "replication", "exchange",
    ),
    "peers": (
        "model", "catalog", "web", "registry", "host", "selection", "network", "keys", "runtime",
        "fronts.native",
    ),
}  # fmt: skip
# The rooms of peers/ that run on any clock and network: the simulator may use them, and only them.
FREE_OF_IO = {"model", "registry"}
# The rooms that fronts may use.
UNDER_FRONTS = {"model", "catalog", "web", "selection"}


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


def all_imports(path: Path) -> set[str]:
    """The dotted names a file imports by absolute path, at run time or for types."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found.update(f"{module}.{alias.name}" for alias in names)
    return found


def room_of(path: Path) -> str:
    """The room that a file of gossip/ or peers/ stands in; empty for what stands on top."""
    _folder, *rooms, _ = path.relative_to(ROOT).parts
    return ".".join(rooms)


def rooms_imported(folder: str, path: Path) -> set[str]:
    """The rooms of its own folder that a file imports from, at run time or for types."""
    found = set[str]()
    for name in all_imports(path):
        if not f"{name}.".startswith(f"gossamer.{folder}."):
            continue
        inside = f"{name.removeprefix(f'gossamer.{folder}').removeprefix('.')}."
        rooms = {room for room in ROOMS[folder] if inside.startswith(f"{room}.")}
        found |= rooms or {""}
    return found


def facade(folder: str) -> dict[str, str]:
    """Which room each public name of a folder comes from; empty for what stands on top."""
    tree = ast.parse((ROOT / folder / "__init__.py").read_text())
    return {
        alias.asname or alias.name: "" if node.module.startswith("_") else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


def test_names_that_are_imported_on_use_are_those_that_checkers_see() -> None:
    """The list for type checkers and the one for the interpreter are written twice."""
    for path in (ROOT / "peers" / "__init__.py", ROOT / "src" / "gossamer" / "__init__.py"):
        tree = ast.parse(path.read_text())
        (both,) = (node for node in tree.body if isinstance(node, ast.If))
        seen = {
            alias.name: node.module.rpartition(".")[2]
            for node in both.body
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        lists = [
            ast.literal_eval(node.value)
            for node in both.orelse
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.DictComp)
        ]
        (found,) = lists
        if isinstance(found, dict):
            assert {name: home for home, names in found.items() for name in names} == seen
        else:
            assert set(found) == set(seen)


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


@pytest.mark.parametrize("folder", ROOMS)
def test_every_file_stands_in_a_room_that_is_listed(folder: str) -> None:
    """A new room has a place in the order, or its imports would not be looked at."""
    rooms = {room_of(path) for path in sources(folder)}
    assert rooms - {"", "fronts"} == set(ROOMS[folder])


@pytest.mark.parametrize("folder", ROOMS)
def test_no_room_imports_one_above_it(folder: str) -> None:
    """The list of rooms is the order in which one can read the code."""
    order = ROOMS[folder]
    wrong = [
        f"{path.relative_to(ROOT)} imports from {other or 'the folder itself'}"
        for path in sources(folder)
        if (room := room_of(path)) in order
        for other in sorted(rooms_imported(folder, path))
        if other == "" or order.index(other) > order.index(room)
    ]
    assert not wrong, "\n".join(wrong)


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the files of one circle of imports, or nothing."""
    done = set[str]()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if found := walk(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


def test_no_files_of_gossip_import_each_other_in_circles() -> None:
    """Be it at run time or for types alone: each file can be read after those that it imports."""
    graph: dict[str, set[str]] = {}
    for path in sources("gossip"):
        folder = ".".join(path.relative_to(ROOT).parent.parts)
        module = folder if path.stem == "__init__" else f"{folder}.{path.stem}"
        graph[module] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                home = f"{folder}.{node.module}" if node.level else node.module
                graph[module].add(home.removeprefix("gossamer."))
    assert not _circle(graph)


def test_what_a_core_keeps_inside_is_for_tests_alone() -> None:
    """No driver, and nothing of the registry, looks at the parts of the protocol."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("peers", "cli", "simulations")
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "inside"
    ]
    assert not wrong, "\n".join(wrong)


def test_fronts_stand_on_the_catalog_alone() -> None:
    """A front could be given another registry, and no peer's runtime, core or keys reach it."""
    wrong = [
        f"{path.relative_to(ROOT)} imports from {name}"
        for path in sources("peers")
        if (room := room_of(path)).startswith("fronts.")
        for name in sorted(
            {f"peers.{other}" for other in rooms_imported("peers", path) - {room, *UNDER_FRONTS}}
            | {name for name in all_imports(path) if name.startswith("gossamer.gossip")}
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_private_to_a_folder_is_imported_in_it_alone() -> None:
    """A name that begins with an underscore may change without a word to other folders."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in FOLDERS
        for path in sources(folder)
        for name in sorted(all_imports(path))
        if (private := re.match(r"gossamer\.([a-z.]+)\._[a-z]", name))
        and private[1] != ".".join(path.relative_to(ROOT).parent.parts)
    ]
    assert not wrong, "\n".join(wrong)


def test_simulations_use_only_the_part_of_peers_that_is_free_of_io() -> None:
    """The simulator runs the registry, never the runtime that drives real sockets."""
    home = facade("peers")
    wrong = []
    for path in sources("simulations"):
        for name in sorted(imports(path)):
            match name.split("."):
                case ["gossamer", "peers", first, *_] if home.get(first, first) in FREE_OF_IO:
                    pass
                case ["gossamer", "peers", *_]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_registry_loads_neither_trio_nor_sockets() -> None:
    """What is free of I/O is so for who imports it, and not only in its own lines."""
    code = "import sys, gossamer.peers.model, gossamer.peers.registry, gossamer.gossip;"
    code += "from gossamer.peers import Registry;"
    code += "print(*sorted({'trio', 'socket', 'fcntl', 'h11', 'ssl'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == []


def test_a_peer_without_keys_loads_no_encryption() -> None:
    """It takes 30 ms and 7 MiB, for each of a hundred peers on a host."""
    code = "import sys; from gossamer import Peer, PeerConfig, open_peer;"
    code += "print('cryptography' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_system_without_file_locks_can_embed_a_peer() -> None:
    """Only a data directory needs the module that some systems lack."""
    code = "import sys; sys.modules['fcntl'] = None; import gossamer.peers as peers;"
    code += "[getattr(peers, name) for name in dir(peers)]; print('imported')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "imported"


def test_the_core_and_the_registry_import_no_clock_no_socket_no_thread() -> None:
    """What runs on a virtual clock must not be able to reach the real one."""
    banned = fence()
    assert {"time", "socket", "trio", "os", "asyncio", "threading", "logging"} <= banned
    # The registry writes times into JSON: it may have the type datetime, but not ask it the time.
    held = [(path, banned) for path in sources("gossip")]
    held += [
        (path, banned - {"datetime"}) for path in sources("peers") if room_of(path) in FREE_OF_IO
    ]
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
