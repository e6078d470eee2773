# Finds the handler of a path, in a tree with one level for each segment.
#
# In a pattern, `{name}` matches any one segment that is not empty, and `{name...}` at the end
# matches all remaining segments, also empty ones.  If several patterns match, a fixed segment wins
# over a `{name}`, and a `{name}` over a tail, from left to right.  If a choice leads to no route,
# the search goes back and tries the next one.  It enters each node of the tree at most once, so
# the number of routes bounds it.
#
# Routes name their parameters, not the tree: two routes may have different names for one segment.

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ._messages import Handler, HttpError, Response, shorten

Route = tuple[str, str, Handler]
"""Method, pattern and handler."""


class _Endpoint(NamedTuple):
    pattern: str
    names: tuple[str, ...]
    handler: Handler


class _Node:
    __slots__ = ("endpoints", "fixed", "parameter", "tail")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.tail: _Node | None = None
        self.endpoints: dict[str, _Endpoint] = {}


class Router:
    """Routes by method and pattern; HEAD is answered by GET's handler, OPTIONS by `Allow`."""

    def __init__(self, unknown_path: str = "ask for a path that is served") -> None:
        self._root = _Node()
        self._unknown_path = unknown_path

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Serve a method of a path, for example `/v1/services/{service}`.

        Raises `ValueError` that names both patterns if another one matches the same paths.
        """
        node = self._root
        names = []
        segments = split_pattern(pattern)
        for position, segment in enumerate(segments):
            if segment[:1] != "{":
                node = node.fixed.setdefault(segment, _Node())
            elif segment.endswith("...}"):
                if position + 1 < len(segments):
                    raise ValueError(
                        f"{pattern} goes on after {segment}, which matches all the rest"
                    )
                names.append(segment[1:-4])
                node.tail = node = node.tail or _Node()
            else:
                names.append(segment[1:-1])
                node.parameter = node = node.parameter or _Node()
        taken = node.endpoints.get(method)
        if taken is not None:
            raise ValueError(f"{method} {pattern} is claimed twice, also as {taken.pattern}")
        node.endpoints[method] = _Endpoint(pattern, tuple(names), handler)

    def resolve(self, method: str, segments: Sequence[str]) -> tuple[Handler, Mapping[str, str]]:
        """Return the handler for a request and what its path says; raise 404 or 405 for none.

        The value of a tail is its segments, joined with slashes.
        """
        asked = "GET" if method == "HEAD" else method
        elsewhere: dict[str, None] = {}
        found = _search(self._root, segments, 0, asked, (), elsewhere)
        if found is not None:
            endpoint, values = found
            return endpoint.handler, dict(zip(endpoint.names, values, strict=True))
        if not elsewhere:
            path = shorten("/" + "/".join(segments))
            raise HttpError(404, f"There is nothing at {path}; {self._unknown_path}.")
        allow = _allowed(elsewhere)
        headers = ((b"Allow", allow.encode()),)
        if method == "OPTIONS":
            return lambda _: Response(204, headers=headers), {}
        raise HttpError(
            405, f"This path does not accept {method}; it accepts {allow}.", None, headers
        )


def split_pattern(pattern: str) -> list[str]:
    """Return the segments of a pattern; raise `ValueError` if it does not begin with a slash."""
    if not pattern.startswith("/"):
        raise ValueError(f"{pattern} does not begin with a slash")
    return pattern[1:].split("/")


_Found = tuple[_Endpoint, tuple[str, ...]]


def _search(
    node: _Node,
    segments: Sequence[str],
    position: int,
    method: str,
    values: tuple[str, ...],
    elsewhere: dict[str, None],
) -> _Found | None:
    """Return the best match; collect in `elsewhere` the methods that the path accepts."""
    if position == len(segments):
        return _answer(node, method, values, elsewhere)
    segment = segments[position]
    fixed = node.fixed.get(segment)
    if fixed is not None:
        found = _search(fixed, segments, position + 1, method, values, elsewhere)
        if found is not None:
            return found
    if node.parameter is not None and segment:
        found = _search(
            node.parameter, segments, position + 1, method, (*values, segment), elsewhere
        )
        if found is not None:
            return found
    if node.tail is not None:
        rest = "/".join(segments[position:])
        return _answer(node.tail, method, (*values, rest), elsewhere)
    return None


def _answer(
    node: _Node, method: str, values: tuple[str, ...], elsewhere: dict[str, None]
) -> _Found | None:
    endpoint = node.endpoints.get(method)
    if endpoint is not None:
        return endpoint, values
    elsewhere.update(dict.fromkeys(node.endpoints))
    return None


def _allowed(methods: Mapping[str, None]) -> str:
    return ", ".join(
        [
            *(["GET", "HEAD"] if "GET" in methods else []),
            *sorted(methods.keys() - {"GET"}),
            "OPTIONS",
        ]
    )
