# What the server and the routes give each other.
#
# A handler is a plain function from a request to an answer.  Most answers are ready at once, so
# most requests cost no task and no await; the two kinds that take time say so by their type.

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

Headers = tuple[tuple[bytes, bytes], ...]
Send = Callable[[bytes], Awaitable[None]]

JSON = b"application/json"


@dataclass(slots=True)
class Request:
    """One request, complete with its body."""

    method: str
    segments: tuple[str, ...]
    """The path split at its slashes, then percent-decoded; empty segments are kept."""
    query: str
    """The part after the question mark, still encoded."""
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the route's pattern found in the path."""
    body: bytes = b""
    from_here: bool = False
    """Whether the client is on this machine."""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header, whose name is given in lower case."""
        return find_header(self.headers, name)


@dataclass(slots=True)
class Response:
    """An answer that is ready at once."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()
    then: Callable[[], object] | None = None
    """Called after the answer was given to the network, even if the client is gone by then."""


@dataclass(slots=True)
class Pending:
    """An answer that waits for something."""

    wait: Callable[[], Awaitable[Response]]
    abandoned: bool
    """Whether the wait ends as soon as the client goes away.
    A half-closed connection counts as gone: the server cannot tell it from a closed one."""


@dataclass(slots=True)
class Streamed:
    """An answer of unknown length; `write` sends its pieces, until the client goes away."""

    content_type: bytes
    write: Callable[[Send], Awaitable[None]]
    headers: Headers = ()


Answer = Response | Pending | Streamed
Handler = Callable[[Request], Answer]


class HttpError(Exception):
    """A refusal, with its status and one sentence that names the remedy; nothing was changed.

    The API that the client asked decides what the body looks like.
    """

    def __init__(
        self, status: int, sentence: str, field: str | None = None, headers: Headers = ()
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.field = field
        self.headers = headers


def json_response(document: object, status: int = 200, headers: Headers = ()) -> Response:
    """Return a document as JSON."""
    return Response(status, encode_json(document), headers=headers)


def encode_json(document: object) -> bytes:
    """Return compact JSON in UTF-8; characters without UTF-8 (in a refused input) become `?`."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def find_header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of a header, whose name is given in lower case."""
    for found, value in headers:
        if found == name:
            return value
    return None


def shorten(text: str, most: int = 80) -> str:
    """Return as much of a client's text as fits into a sentence."""
    return text if len(text) <= most else text[: most - 3] + "..."
