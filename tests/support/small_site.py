"""A small site for tests of a connection: what reaches a handler, and what becomes of a wait."""

import trio

from gossamer.peers.web import HttpLimits, Pending, Request, Response, Route, Send, Streamed

LIMITS = HttpLimits(head_bytes=2_000, body_bytes=1_000, connections=3, ahead_bytes=500)


class Application:
    """A few routes of each kind."""

    def __init__(self) -> None:
        self.go = trio.Event()
        self.ended: list[str] = []
        self.routes: list[Route] = [
            *((method, "/echo/{word}", self.echo) for method in ("GET", "PUT", "POST")),
            ("GET", "/wait", lambda _: Pending(self.wait, abandoned=True)),
            ("POST", "/act", lambda _: Pending(self.wait, abandoned=False)),
            ("GET", "/stream", lambda _: Streamed(b"text/plain", self.stream)),
            ("GET", "/fail", self.fail),
            ("GET", "/fail-late", lambda _: Pending(self.fail_late, abandoned=True)),
            ("GET", "/break-off", lambda _: Streamed(b"text/plain", self.break_off)),
            ("GET", "/big", lambda _: Response(200, b"x" * 100_000)),
        ]

    def echo(self, request: Request) -> Response:
        return Response(
            200, repr((request.parameters["word"], request.query)).encode() + request.body
        )

    async def wait(self) -> Response:
        try:
            await self.go.wait()
        except trio.Cancelled:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return Response(200, b"waited")

    async def stream(self, send: Send) -> None:
        try:
            await send(b"one")
            await self.go.wait()
            await send(b"two")
        except trio.Cancelled:
            self.ended.append("cancelled")
            raise

    def fail(self, request: Request) -> Response:
        raise LookupError("a fault of the handler")

    async def fail_late(self) -> Response:
        raise LookupError("a fault of the handler")

    async def break_off(self, send: Send) -> None:
        await send(b"one")
        raise LookupError("a fault of the handler")


def request_of(size: int, *, method: bytes = b"GET") -> bytes:
    """A request whose head has exactly `size` bytes."""
    start = method + b" /echo/a HTTP/1.1\r\nHost: x\r\nX-Fill: "
    return start + b"f" * (size - len(start) - 4) + b"\r\n\r\n"
