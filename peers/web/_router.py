# Finds the handler of a path: a tree over its segments, one level each.
#
# A pattern's `{name}` takes any one segment that is not empty.  No level has both fixed segments
# and a `{name}`, so that a service can be called anything, and nothing is ever tried twice.

from collections.abc import Mapping, Sequence
from typing import Protocol

from ._messages import Handler, HttpError, Response, shorten

Route = tuple[str, str, Handler]
"""Method, pattern and handler."""


class Application(Protocol):
    """What a server serves."""

    def resolve(self, method: str, segments: Sequence[str]) -> tuple[Handler, Mapping[str, str]]:
        """Return the handler for a request and what its path says; raise `HttpError` for none."""
        ...


class _Node:
    __slots__ = ("children", "methods", "name", "parameter")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.name = ""
        self.parameter: _Node | None = None
        self.methods: dict[str, Handler] = {}


class Router:
    """Routes by method and pattern; HEAD is answered by GET's handler, OPTIONS by `Allow`."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Serve a method of a path, for example `/v1/services/{service}`."""
        node = self._root
        for segment in pattern[1:].split("/"):
            node = _named(node, segment[1:-1]) if segment[:1] == "{" else _fixed(node, segment)
        assert method not in node.methods, f"{method} {pattern} has a handler already"
        node.methods[method] = handler

    def resolve(self, method: str, segments: Sequence[str]) -> tuple[Handler, Mapping[str, str]]:
        """Return the handler for a request and what its path says; raise 404 or 405 for none."""
        node = self._root
        parameters: dict[str, str] = {}
        for segment in segments:
            child = node.children.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    raise _nothing_at(segments)
                parameters[node.name] = segment
            node = child
        handler = node.methods.get("GET" if method == "HEAD" else method)
        if handler is not None:
            return handler, parameters
        if not node.methods:
            raise _nothing_at(segments)
        allow = _allowed(node)
        headers = ((b"Allow", allow.encode()),)
        if method == "OPTIONS":
            return lambda _: Response(204, headers=headers), parameters
        raise HttpError(
            405, f"This path does not accept {method}; it accepts {allow}.", None, headers
        )


def _nothing_at(segments: Sequence[str]) -> HttpError:
    path = shorten("/" + "/".join(segments))
    return HttpError(404, f"There is nothing at {path}; the interface begins at /v1/.")


def _fixed(node: _Node, segment: str) -> _Node:
    assert node.parameter is None, f"{segment} stands beside {{{node.name}}}"
    return node.children.setdefault(segment, _Node())


def _named(node: _Node, name: str) -> _Node:
    assert not node.children, f"{{{name}}} stands beside fixed segments"
    assert node.name in {"", name}, f"{{{name}}} is called {{{node.name}}} elsewhere"
    node.name = name
    if node.parameter is None:
        node.parameter = _Node()
    return node.parameter


def _allowed(node: _Node) -> str:
    return ", ".join(
        [
            *(["GET", "HEAD"] if "GET" in node.methods else []),
            *sorted(node.methods.keys() - {"GET"}),
            "OPTIONS",
        ]
    )
