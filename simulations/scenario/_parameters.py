# Values that can be changed from outside, and values that a file keeps in one place.
#
# A scenario has its own names in `[parameters]`, and its other values refer to them as "$name".
# Every scalar of the file also has its path as a name.  Changes come as texts, from a command line.

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, Literal

from gossamer.gossip import GossipConfig

from ._errors import ScenarioError
from ._lines import Path
from ._model import Network, Value, Workload
from ._table import Source, Table, shown, suggestion

OWN_LIMIT: Final = 100
LARGEST: Final = 10**18
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# As Python reads numbers, less its `1_000`, blanks and digits of other scripts.
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,9})?|[+-]?(?:nan|inf)"
)

Kind = Literal["whole", "number", "switch"]

_KINDS: Final[Mapping[object, Kind]] = {
    int: "whole",
    "int": "whole",
    float: "number",
    "float": "number",
    bool: "switch",
    "bool": "switch",
}
SETTINGS: Final[Mapping[str, Kind]] = {
    each.name: _KINDS[each.type] for each in fields(GossipConfig) if each.type in _KINDS
}
NETWORK: Final = tuple(
    each.name for each in fields(Network) if each.name not in ("latency", "paths")
)
LATENCY: Final = ("kind", "low_ms", "high_ms")
WORKLOAD: Final = tuple(each.name for each in fields(Workload))

# What most people change, in this order; `latency` stands for the whole table of that name.
COMMON: Final = ("peers", "duration", "seed", "profile", "start", "loss", "latency")

_PATHS: Final[Mapping[str, Path]] = {
    **{name: (name,) for name in COMMON},
    "loss": ("network", "loss"),
    **{f"network.{name}": ("network", name) for name in NETWORK},
    **{f"network.latency.{name}": ("network", "latency", name) for name in LATENCY},
    **{f"workload.{name}": ("workload", name) for name in WORKLOAD},
    **{f"settings.{name}": ("settings", name) for name in SETTINGS},
    **{name: ("settings", name) for name in SETTINGS},
}
_TEXTS: Final = frozenset({("profile",), ("start",), ("network", "latency", "kind")})


def own_parameters(document: Mapping[str, Any], source: Source) -> dict[str, Value]:
    """Return what `[parameters]` says."""
    table = Table(source, (), document).table("parameters")
    if len(table.values) > OWN_LIMIT:
        raise source.error(f"at most {OWN_LIMIT} are possible", table.path)
    for name, value in table.values.items():
        if not _NAME.fullmatch(name):
            raise table.error(name, "a parameter's name has small letters, digits and _ alone")
        if name in _PATHS:
            raise table.error(name, "every scenario has a parameter of this name: choose another")
        match value:
            case bool():
                pass
            case int() | float() if abs(value) <= LARGEST:
                pass
            case str() if not value.startswith("$"):
                table.text(name, "", limit=200)
            case _:
                raise table.error(
                    name, f"must be a number, a text or true or false, not {shown(value)}"
                )
    return dict(table.values)


def apply(
    document: dict[str, Any], source: Source, changes: Mapping[str, str]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Change `document` and put values where it refers to them.

    Return its own parameters as they are in force, and the change of `latency` if there is one.
    """
    own = own_parameters(document, source)
    for name, text in changes.items():
        if name in own:
            own[name] = _own_value(name, text, own[name])
        elif name not in _PATHS:
            raise ScenarioError(_unknown(name, own))
    used = _refer(document, source, own, changes)
    for name in own:
        if name not in used:
            raise source.error(
                f'nothing refers to it: write "${name}" where it belongs, or remove it',
                ("parameters", name),
            )
    _place(document, source, {name: changes[name] for name in changes if name not in own})
    latency = {"latency": document.pop("latency")} if "latency" in changes else {}
    return own, latency


def _unknown(name: str, own: Mapping[str, Value]) -> str:
    choices = [*own, *_PATHS]
    near = suggestion(name, choices)
    if not near.startswith("did"):
        near = f"there are {', '.join([*own, *COMMON])}, and network.*, workload.*, settings.*"
    return f"parameter {shown(name)} is unknown: {near}"


def _own_value(name: str, text: str, default: Value) -> Value:
    match default:
        case bool():
            if text not in ("true", "false"):
                raise ScenarioError(f"parameter {name}: must be true or false, not {shown(text)}")
            return text == "true"
        case str():
            if not text.isprintable() or len(text) > 200 or text.startswith("$"):
                raise ScenarioError(
                    f"parameter {name}: must be a short text of one line, not {shown(text)}"
                )
            return text
        case _:
            value = _parsed(text)
            if isinstance(value, str):
                raise ScenarioError(f"parameter {name}: must be a number, not {shown(text)}")
            return value


# A value that is not a number stays a text; the reader of the value has the right message for it.
def _parsed(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _place(document: dict[str, Any], source: Source, changes: Mapping[str, str]) -> None:
    for name, text in changes.items():
        path = _PATHS[name]
        if other := source.given.get(path) or source.referred.get(path):
            raise ScenarioError(
                f"parameter {name}: sets the same value as {other} here: set only that"
            )
        source.given[path] = name
        place: dict[str, Any] = document
        for key in path[:-1]:
            assert isinstance(key, str)
            below = place.setdefault(key, {})
            if type(below) is not dict:
                raise source.error(f"must be a table, not {shown(below)}", path[:-1])
            place = below
        place[str(path[-1])] = text if path in _TEXTS else _parsed(text)


def _refer(
    document: dict[str, Any],
    source: Source,
    own: Mapping[str, Value],
    changes: Mapping[str, str],
) -> set[str]:
    used = set()
    for container, key, path in list(_texts(document, ())):
        name = container[key][1:]
        if name not in own:
            raise source.error(
                f"{shown('$' + name)} is not in [parameters]; {suggestion(name, own)}", path
            )
        used.add(name)
        container[key] = own[name]
        (source.given if name in changes else source.referred)[path] = name
    return used


# Every text that begins with "$", as the container and key it stands under.
def _texts(value: Any, path: Path) -> Iterator[tuple[Any, Any, Path]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        inner = (*path, key)
        if inner in (("name",), ("summary",), ("parameters",)):
            continue
        if isinstance(below, dict | list):
            yield from _texts(below, inner)
        elif isinstance(below, str) and below.startswith("$"):
            yield value, key, inner
