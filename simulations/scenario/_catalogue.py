# Scenarios by name: the built-in ones, and files.

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from os import sep
from pathlib import Path
from typing import Final, NamedTuple

from ._errors import ScenarioError
from ._model import Scenario, Value
from ._parameters import own_parameters
from ._read import parse, read_scenario
from ._table import Source, shown, suggestion

_BUILTIN: Final = (
    "join", "propagate", "crash", "partition", "asymmetric", "flapping-link", "churn",
    "restart-storm", "slow-peers", "lossy", "rolling-deploy",
)  # fmt: skip
# A scenario with its thousand events is far smaller; reading more only costs memory.
FILE_LIMIT: Final = 256 * 1024


class Description(NamedTuple):
    """A scenario as a list shows it."""

    name: str
    summary: str
    parameters: Mapping[str, Value]
    """What it is meant to be tried with, and the defaults: its own names after the common ones."""


def builtin_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come along."""
    return _BUILTIN


def load_scenario(name_or_path: str, changes: Mapping[str, str] | None = None) -> Scenario:
    """Return a scenario that comes along, or that a TOML file describes, with values changed.

    What ends in `.toml` or holds a slash is a path.
    `changes` are texts by the names of `parameter_names`, as a command line has them.
    Raises `ScenarioError` for everything that is wrong with one of them.
    """
    document, source, name = _open(name_or_path)
    return read_scenario(document, source, changes or {}, name)


def describe(name_or_path: str) -> Description:
    """Return what a scenario is for, and what it can be tried with."""
    document, source, _ = _open(name_or_path)
    own = own_parameters(document, source)
    scenario = load_scenario(name_or_path)
    common: dict[str, Value] = {"peers": scenario.peers, "duration": scenario.duration}
    if scenario.duration.is_integer():
        common["duration"] = int(scenario.duration)
    return Description(scenario.name, scenario.summary, {**common, **own})


def parameter_names(name_or_path: str) -> tuple[str, ...]:
    """Return every name that a value of this scenario can be changed by, its own ones first."""
    return tuple(load_scenario(name_or_path).parameters)


def _open(name_or_path: str) -> tuple[dict[str, object], Source, str]:
    if name_or_path.endswith(".toml") or "/" in name_or_path or sep in name_or_path:
        document, source = parse(_read_file(name_or_path), name_or_path)
        return document, source, Path(name_or_path).stem[:100]
    if name_or_path not in _BUILTIN:
        raise ScenarioError(
            f"there is no scenario {shown(name_or_path)}: {suggestion(name_or_path, _BUILTIN)} "
            "(a file's name ends in .toml)"
        )
    place = files(__package__).joinpath("builtin", f"{name_or_path}.toml")
    document, _ = parse(place.read_text("utf-8"), name_or_path)
    return document, Source(name_or_path), name_or_path


def _read_file(path: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError(f"{path}: cannot be read: {reason}") from None
    if len(data) > FILE_LIMIT:
        raise ScenarioError(
            f"{path}: is larger than {FILE_LIMIT // 1024} KiB, the limit for a scenario"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError(f"{path}:{line}: the file is not UTF-8: save it as UTF-8") from None
