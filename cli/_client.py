# The command line's side of the native HTTP interface.
#
# It uses http.client from the standard library: a user types a command a hundred times a day, or a
# script runs it a hundred times a minute, so it must not import an event loop first.  Each
# connection carries one request and one answer.  The client ignores proxies of the environment,
# because they are not meant for peers.

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlencode

from ._authority import split_authority
from ._failures import BadInput, NegativeAnswer, NoPeer

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

# A peer answers from memory; seconds of silence mean that it is stopped or the network is gone.
# It is not shorter, because `join` may wait for a name server.
TIMEOUT = 10.0
# An event stream is quiet while nothing changes. The peer sends a comment every 15 s.
STREAM_TIMEOUT = 60.0
ANSWER_LIMIT = 256 * 1024 * 1024

Json = dict[str, Any]  # decoded from the network: its shape is checked where it is used


class Client:
    """Asks one peer over HTTP; every failure is one of `_failures`, ready to be shown."""

    def __init__(self, authority: str, *, timeout: float | None = None) -> None:
        self.authority = authority
        self.timeout = TIMEOUT if timeout is None else timeout
        self._host, self._port = split_authority(authority)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Json:
        return self.ask("GET", path + _query(query or {}))

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send one request and return its answer; an answer without a body is an empty document."""
        with self._exchange(method, path, body, self.timeout) as response:
            data = response.read(ANSWER_LIMIT)
            if response.status >= 400:
                self._refused(response.status, data)
            return self._document(data) if data else {}

    def events(self, path: str, query: Mapping[str, object] | None = None) -> Iterator[Json]:
        """Yield the documents of a server-sent event stream; end only by raising an error."""
        with self._exchange(
            "GET", path + _query(query or {}), None, STREAM_TIMEOUT, accept="text/event-stream"
        ) as response:
            if response.status >= 400:
                self._refused(response.status, response.read(ANSWER_LIMIT))
            data: list[bytes] = []
            while line := response.readline(ANSWER_LIMIT):
                line = line.rstrip(b"\r\n")
                if line.startswith(b"data:"):
                    data.append(line[5:].removeprefix(b" "))
                elif not line and data:
                    yield self._document(b"\n".join(data))
                    data.clear()
        raise NoPeer(
            f"The peer at {self.authority} ended the stream; check whether it still runs,"
            " or watch another with --http HOST:PORT."
        )

    @contextmanager
    def _exchange(
        self, method: str, path: str, body: Json | None, timeout: float, accept: str = ""
    ) -> Iterator[HTTPResponse]:
        from http.client import HTTPConnection, HTTPException, RemoteDisconnected

        # A connection opens quickly or not at all, also if the answer takes long.
        connection = HTTPConnection(self._host, self._port, timeout=self.timeout)
        try:
            connection.connect()
            connection.sock.settimeout(timeout)
            _send(connection, method, path, body, accept)
            yield connection.getresponse()
        except TimeoutError:
            self._unreachable(f"no answer within {timeout:g} s")
        except ConnectionRefusedError:
            self._unreachable("connection refused")
        except (BrokenPipeError, RemoteDisconnected):
            # A gossip port does this.  Without the conversion, the first error would look like that
            # of a closed stdout.
            self._unreachable("it closed the connection")
        except OSError as error:
            self._unreachable(error.strerror or type(error).__name__)
        except HTTPException:
            self._stranger()
        finally:
            connection.close()

    def _document(self, data: bytes) -> Json:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            self._stranger()
        if not isinstance(document, dict):
            self._stranger()
        return document

    def _refused(self, status: int, data: bytes) -> NoReturn:
        said = self._document(data).get("error")
        if not isinstance(said, str):
            self._stranger()
        if status == 404:
            raise NegativeAnswer(said)
        if status >= 500:
            raise NoPeer(said)
        raise BadInput(said)

    def _unreachable(self, why: str) -> NoReturn:
        raise NoPeer(
            f"No peer answers at {self.authority} ({why});"
            " start one with 'gossamer run', or give the address of another with --http HOST:PORT."
        )

    def _stranger(self) -> NoReturn:
        raise NoPeer(
            f"The server at {self.authority} is not a Gossamer peer;"
            " give the HTTP address of a peer with --http HOST:PORT."
        )


def path_of(*segments: str) -> str:
    """`/v1/…` with each segment quoted, so that a name with a slash stays one segment."""
    # surrogateescape: an argument that is not UTF-8 reaches the peer as it was typed, to be
    # refused there with its sentence.
    return "/v1/" + "/".join(quote(s, safe="", errors="surrogateescape") for s in segments)


def _send(
    connection: HTTPConnection, method: str, path: str, body: Json | None, accept: str
) -> None:
    headers = {"Accept": accept or "application/json", "Connection": "close"}
    payload = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        payload = json.dumps(body).encode()
    connection.request(method, path, payload, headers)


def _query(values: Mapping[str, object]) -> str:
    given = {name: str(value) for name, value in values.items() if value is not None}
    return "?" + urlencode(given, errors="surrogateescape") if given else ""
