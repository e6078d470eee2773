# The line of every key and value in a TOML text.
#
# tomllib returns values without positions, and tomlkit, which keeps every blank, has no positions
# either (its issue 55).  So this module reads the text a second time after tomllib has accepted it,
# and counts lines.  It knows strings, comments, brackets and keys, and leaves all else to tomllib.

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import Final

Path = tuple[str | int, ...]

# Nothing in a scenario stands deeper than `event, 0, cut, 0, 0`.
DEPTH_LIMIT: Final = 16

# None of them gives back what it took, so that a text without an end costs no more than others.
_STRING: Final = (
    r'"""(?:[^\\"]|\\.|"(?!""))*+(?:"{3,5})?'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
)
_KEY: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_string = re.compile(_STRING, re.DOTALL)
_blank = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_bare = re.compile(r"[A-Za-z0-9_-]+")
_plain = re.compile(r"[^,\]}#\n]*")
_deep = re.compile(
    rf"(?P<dotted>(?<![A-Za-z0-9_-])(?:{_KEY}[ \t]*+\.[ \t]*+){{{DEPTH_LIMIT},}}+)"
    rf"|{_STRING}|#[^\n]*+|(?P<open>[\[{{])|(?P<close>[\]}}])",
    re.DOTALL,
)


def find_nesting(text: str) -> int | None:
    """Return the line on which `text` goes deeper than `DEPTH_LIMIT`, if it does.

    It is asked before tomllib, which calls itself for every bracket, and whose time for a dotted
    key grows with the square of its parts: 20 seconds for 64 KiB.
    """
    depth = 0
    for found in _deep.finditer(text):
        depth += 1 if found["open"] else -1 if found["close"] else 0
        if depth > DEPTH_LIMIT or found["dotted"]:
            return text.count("\n", 0, found.start()) + 1
        depth = max(depth, 0)
    return None


def find_lines(text: str) -> dict[Path, int]:
    """Return the line of every key, table and list item of `text`, which must be correct TOML.

    A path names keys by text and items by number; what stands deeper than `DEPTH_LIMIT` is left
    out.
    """
    return _Walk(text).lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        # How many tables each array of tables has so far.
        self._counts: dict[Path, int] = {}
        table: Path = ()
        self._skip()
        while self._at < len(text):
            if text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _skip(self) -> None:
        found = _blank.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _note(self, path: Path) -> None:
        if len(path) <= DEPTH_LIMIT:
            self.lines.setdefault(path, bisect_left(self._ends, self._at) + 1)

    def _header(self) -> Path:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        start = self._at
        keys = self._keys()
        after, self._at = self._at, start
        path: Path = ()
        for place, key in enumerate(keys, 1):
            path = (*path, key)
            self._note(path)
            if many and place == len(keys):
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self._note(path)
        self._at = after + (2 if many else 1)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        keys = self._keys()
        after, self._at = self._at, start
        for place in range(1, min(len(keys), DEPTH_LIMIT) + 1):
            self._note((*table, *keys[:place]))
        self._at = after + 1  # behind "="
        self._skip()
        self._value((*table, *keys))

    # Leaves the walk at what follows the keys and their blanks: "=" or "]".
    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip()
            if found := _string.match(self._text, self._at):
                keys.append(str(tomllib.loads(f"key = {found[0]}")["key"]))
            else:
                found = _bare.match(self._text, self._at)
                assert found is not None
                keys.append(found[0])
            self._at = found.end()
            self._skip()
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._note(path)
        match self._text[self._at]:
            case "[":
                self._at += 1
                self._skip()
                place = 0
                while self._text[self._at] != "]":
                    self._value((*path, place))
                    place += 1
                    self._comma()
                self._at += 1
            case "{":
                self._at += 1
                self._skip()
                while self._text[self._at] != "}":
                    self._pair(path)
                    self._comma()
                self._at += 1
            case _:
                found = _string.match(self._text, self._at) or _plain.match(self._text, self._at)
                assert found is not None
                self._at = found.end()

    def _comma(self) -> None:
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
