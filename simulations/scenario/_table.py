# Reads and checks the values of a scenario, with one sentence for each mistake.

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from ._errors import ScenarioError
from ._lines import Path

# Longer texts are shortened where a sentence shows them.
SHOWN: Final = 40
# More names than that are not listed in a sentence.
LISTED: Final = 16
DEEPEST: Final = 6


def shown(value: object) -> str:
    """Return `value` as a sentence may show it: briefly, and without failing on anything."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}" if abs(value) < 10**18 else "a number of more than 18 digits"
        case float():
            return f"{value}"
        case str():
            return repr(value if len(value) <= SHOWN else value[:SHOWN] + "…")
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or a time"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the nearest known name as a question, or all of them where none is near."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]}?"
    if len(names) > LISTED:
        return "none has a similar name"
    return f"there are {', '.join(names)}" if names else "there are none here"


@dataclass(slots=True)
class Source:
    """Where the values of a scenario come from, for the sentences about mistakes."""

    label: str
    """The file as the user named it, or the name of a built-in."""
    lines: Mapping[Path, int] | None = None
    """Where each value of the file stands; None for a built-in."""
    given: dict[Path, str] = field(default_factory=dict)
    """Values that were changed from outside, and by which name."""
    referred: dict[Path, str] = field(default_factory=dict)
    """Values that stand in `[parameters]`, and under which name."""

    def error(self, sentence: str, path: Path, *others: Path) -> ScenarioError:
        """Return the error for the value at `path`, which does not go with those at `others`.

        If one of them was changed from outside, that change is the mistake.
        """
        for each in (path, *others):
            if each in self.given:
                return ScenarioError(f"parameter {self.given[each]}: {sentence}")
        key = _key(path)
        if self.lines is None:
            return ScenarioError(f"parameter {self.referred.get(path, key)}: {sentence}")
        place = path
        while place and place not in self.lines:
            place = place[:-1]
        line = self.lines.get(place, 1)
        reference = f" (${self.referred[path]})" if path in self.referred else ""
        return ScenarioError(f"{self.label}:{line}: {key}{reference}: {sentence}")


class Table:
    """One table of a scenario; every getter raises `ScenarioError` for a value that is wrong."""

    __slots__ = ("path", "source", "values")

    def __init__(self, source: Source, path: Path, values: Mapping[str, Any]) -> None:
        self.source = source
        self.path = path
        self.values = values

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def at(self, key: str) -> Path:
        """Return the path of a key of this table."""
        return (*self.path, key)

    def error(self, key: str, sentence: str, *others: Path) -> ScenarioError:
        """Return the error for the value of `key`."""
        return self.source.error(sentence, self.at(key), *others)

    def allow(self, keys: Collection[str]) -> None:
        """Refuse every key but these."""
        for key in self.values:
            if key not in keys:
                raise self.error(key, f"there is no such key; {suggestion(key, keys)}")

    def number(
        self, key: str, default: float, *, least: float = 0.0, most: float, open: bool = False
    ) -> float:
        """Return a number from `least` (not itself where the range is `open`) to `most`."""
        if key not in self.values:
            return default
        value = self.values[key]
        if type(value) not in (int, float):
            raise self.error(key, f"must be a number, not {shown(value)}")
        # A comparison with NaN is false, so it is refused here too.
        if not least <= value <= most or (open and value == least):
            lower = (
                f"more than {_grouped(least)} and at most" if open else f"from {_grouped(least)} to"
            )
            raise self.error(key, f"must be {lower} {_grouped(most)}, not {shown(value)}")
        return float(value)

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.values.get(key, default)
        if type(value) is not int:
            raise self.error(key, f"must be a whole number, not {shown(value)}")
        if not least <= value <= most:
            raise self.error(key, f"must be from {least:,} to {most:,}, not {shown(value)}")
        return value

    def text(self, key: str, default: str, *, limit: int) -> str:
        """Return a printable text of at most `limit` characters."""
        value = self.values.get(key, default)
        if type(value) is not str:
            raise self.error(key, f"must be a text in quotes, not {shown(value)}")
        if not value.isprintable() or len(value) > limit:
            raise self.error(
                key, f"must be at most {limit} characters of one line, not {shown(value)}"
            )
        return value

    def choice(self, key: str, default: str, choices: Collection[str]) -> str:
        """Return one of `choices`."""
        value = self.values.get(key, default)
        if type(value) is not str or value not in choices:
            *first, last = (f'"{choice}"' for choice in choices)
            allowed = f"{', '.join(first)} or {last}"
            raise self.error(key, f"must be {allowed}, not {shown(value)}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if type(value) is not bool:
            raise self.error(key, f"must be true or false, not {shown(value)}")
        return value

    def table(self, key: str) -> Table:
        """Return the table under `key`, empty where there is none."""
        value = self.values.get(key, {})
        if type(value) is not dict:
            raise self.error(key, f"must be a table, not {shown(value)}")
        return Table(self.source, self.at(key), value)

    def tables(self, key: str, *, limit: int) -> list[Table]:
        """Return the tables that stand under `[[key]]`, in order."""
        value = self.values.get(key, [])
        header = _key(self.at(key))
        if type(value) is not list:
            raise self.error(key, f"must be written as [[{header}]], not as {shown(value)}")
        if len(value) > limit:
            raise self.error(key, f"at most {limit:,} are possible, not {len(value):,}")
        found = []
        for place, item in enumerate(value):
            path = (*self.at(key), place)
            if type(item) is not dict:
                raise self.source.error(f"must be a table, not {shown(item)}", path)
            found.append(Table(self.source, path, item))
        return found


# Keys may be any text; those of no scenario are shown so that they stay in one line.
def _key(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    if len(names) > DEEPEST:
        names = [*names[:DEEPEST], "…"]
    return ".".join(
        name if name.isprintable() and len(name) <= SHOWN else shown(name) for name in names
    )


def _grouped(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:,}"
