"""An HTTP client for tests: h11's own client side over any stream, real bytes both ways."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import h11
import trio
import trio.testing

from gossamer.peers import Peer
from gossamer.peers.catalog import Catalog
from gossamer.peers.fronts.native import NativeLimits, NativeMount
from gossamer.peers.web import (
    HttpError,
    HttpFront,
    HttpLimits,
    HttpServer,
    Place,
    Remedies,
    Response,
    Route,
    Site,
    json_response,
)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        document = self.json
        assert document.keys() == {"error", "field"}, document
        assert self.headers["content-type"] == "application/json"
        return str(document["error"])


class Wire:
    """One connection, from the client's side."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 22)

    async def get(self, target: str, **headers: str) -> Reply:
        return await self.ask("GET", target, **headers)

    async def ask(self, method: str, target: str, body: object = None, **headers: str) -> Reply:
        await self.send(method, target, body, **headers)
        return await self.reply()

    async def send(self, method: str, target: str, body: object = None, **headers: str) -> None:
        """Send one request; header names may be written with underscores."""
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [("Host", "localhost"), *given.items()]
        if body is not None and "Transfer-Encoding" not in given:
            lines.append(("Content-Length", str(len(content))))
        data = self._h11.send(h11.Request(method=method, target=target, headers=lines))
        if content:
            data += self._h11.send(h11.Data(data=content))
        data += self._h11.send(h11.EndOfMessage())
        await self.stream.send_all(data)

    async def reply(self) -> Reply:
        """Receive one whole answer."""
        head = await self.head()
        body = bytearray()
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            assert isinstance(event, h11.Data), event
            body += event.data
        return Reply(head.status_code, _plain(head), bytes(body))

    async def head(self) -> h11.Response:
        """Receive the head of an answer, after any `100 Continue`."""
        event = await self._event()
        while isinstance(event, h11.InformationalResponse):
            event = await self._event()
        assert isinstance(event, h11.Response), event
        return event

    async def piece(self) -> bytes:
        """Receive some of a streamed body."""
        event = await self._event()
        assert isinstance(event, h11.Data), event
        return bytes(event.data)

    async def _event(self) -> object:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(bytes(await self.stream.receive_some(1 << 20)))
        return event

    # Below HTTP: for what no client of good manners would send.

    async def raw(self, data: bytes) -> Reply:
        """Send bytes as they are and return the first answer to them."""
        await self.stream.send_all(data)
        return await self.raw_reply()

    async def raw_reply(self, method: str = "GET") -> Reply:
        """Return the answer to a request that was sent as bytes."""
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        self._h11.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self._h11.send(h11.EndOfMessage())
        return await self.reply()

    async def is_closed(self) -> bool:
        """Wait until the server closes; whatever it still sends is a failure."""
        rest = self._h11.trailing_data[0] + await self.stream.receive_some(1 << 16)
        assert rest == b"", rest
        return True


def _plain(head: h11.Response) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in head.headers}


class SomeApi:
    """A mount of any routes; its errors have a form of its own, or that of the native interface."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        name: str = "some",
        prefixes: Sequence[str] = ("/",),
        remedies: Remedies = Remedies(),
        refuse: Callable[[HttpError], Response] | None = None,
    ) -> None:
        self.name = name
        self.prefixes = prefixes
        self.remedies = remedies
        self._routes = routes
        self._refuse = refuse

    def routes(self, catalog: Catalog) -> Sequence[Route]:
        return self._routes

    def refuse(self, error: HttpError) -> Response:
        if self._refuse is not None:
            return self._refuse(error)
        return json_response({"error": str(error), "field": error.field}, error.status)

    def place(self) -> Place:
        return Place(self, self._routes)


class Lab:
    """A server whose connections are streams in memory."""

    def __init__(self, nursery: trio.Nursery, server: HttpServer) -> None:
        self._nursery = nursery
        self.server = server

    def connect(self, *, lockstep: bool = False, loopback: bool = True) -> Wire:
        """Open a connection; in lockstep, nothing is sent before it is read."""
        pair = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
        ours, theirs = pair()
        self._nursery.start_soon(partial(self.server.serve, theirs, loopback=loopback))
        return Wire(ours)

    def statistics(self) -> Mapping[str, int]:
        return self.server.statistics()


@asynccontextmanager
async def open_lab(*places: Place, limits: HttpLimits = HttpLimits()) -> AsyncIterator[Lab]:
    """Serve some mounts until the block ends."""
    async with serve_lab(HttpServer(Site(places), limits)) as lab:
        yield lab


@asynccontextmanager
async def serve_lab(server: HttpServer) -> AsyncIterator[Lab]:
    """Have a server take connections in memory until the block ends."""
    async with trio.open_nursery() as nursery:
        yield Lab(nursery, server)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_peer_lab(peer: Peer, limits: NativeLimits = NativeLimits()) -> AsyncIterator[Lab]:
    """Serve a peer's native interface until the block ends."""
    front = HttpFront([NativeMount(peer, limits)])
    async with serve_lab(front.server(peer)) as lab:
        yield lab
