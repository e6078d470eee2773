# One client's connection: it reads requests and writes answers, one after the other.
#
# h11 has the grammar and the state machine of HTTP/1.1; this file adds what h11 leaves to its
# user: bytes, time and size.
#
# Time.  One cancel scope spans the connection, and its deadline moves with the conversation.
# `_phase` says what the connection waits for, and so what happens when the deadline passes: a
# request that arrives too slowly (slowloris) gets 408, and an idle or unread connection is closed
# without an answer.  Moving a deadline costs 6 µs of the 100 that a request takes, so it stays
# where it is good enough: a client may be idle for a second longer, or take as long to read as it
# may be idle.
#
# Size.  h11 bounds an incomplete head; this file bounds a head that arrives complete in one piece.
# It counts bodies while they arrive, and does not rely on their Content-Length.
#
# Closing.  Closing a socket with unread input resets it, and a reset can overtake the answer.
# So after a refusal the server closes its half first, and for a moment reads the rest of the input
# and throws it away.

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from math import inf
from typing import Literal

import h11
import trio

from ._guard import check_origin
from ._limits import HttpLimits
from ._messages import (
    Answer,
    Handler,
    Headers,
    HttpError,
    Pending,
    Request,
    Response,
    Streamed,
    find_header,
)
from ._mounts import Site
from ._refusals import Refusals
from ._target import parse_target

_log = logging.getLogger("gossamer.http")

# A lookup's request has a few hundred bytes.
_RECEIVE_BYTES = 8 * 1024
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}

_Phase = Literal["idle", "head", "body", "answer", "write"]


class Connection:
    """The server's side of one connection; `serve` returns when it is over and closed."""

    def __init__(
        self,
        stream: trio.abc.HalfCloseableStream,
        site: Site,
        limits: HttpLimits,
        counters: Counter[str],
        *,
        loopback: bool,
        from_here: bool,
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._counters = counters
        self._loopback = loopback
        self._from_here = from_here
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        self._scope = trio.CancelScope()
        self._phase: _Phase = "head"
        self._buffered = 0  # bytes given to h11 since the head began; at least what it holds
        self._refusals = Refusals(site, limits)
        self._without_body = False

    async def serve(self) -> None:
        """Answer requests until either side ends the connection."""
        try:
            with self._scope:
                await self._converse()
            if self._scope.cancelled_caught:
                await self._give_up()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client is gone
        finally:
            await trio.aclose_forcefully(self._stream)

    async def refuse(self, error: HttpError) -> None:
        """Send a refusal without reading a request, and close."""
        try:
            with trio.move_on_after(self._limits.linger_time):
                await self._refuse(error)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(self._stream)

    async def _converse(self) -> None:
        self._expect("head", self._limits.head_time)
        try:
            while (head := await self._receive_head()) is not None:
                self._counters["requests"] += 1
                self._without_body = head.method == b"HEAD"
                if not await self._exchange(head):
                    return
                self._h11.start_next_cycle()
                ahead = self._h11.trailing_data[0]
                self._buffered = len(ahead)
                self._refusals.begin(ahead)
                self._expect("idle", self._limits.idle_time, slack=1.0)
        except h11.RemoteProtocolError as error:
            await self._refuse(self._refusals.malformed(error))
        except HttpError as error:
            await self._refuse(error)

    async def _exchange(self, head: h11.Request) -> bool:
        """Answer one request; return whether another may follow."""
        self._check_framing(head)
        answer: Answer | None = None
        try:
            handler, request = self._resolve(head)
        except HttpError as error:
            if self._h11.they_are_waiting_for_100_continue:
                raise  # the client sends its body only when asked, and is not asked
            await self._receive_body()
            answer = self._refusals.answer(error)
        else:
            request.body = await self._receive_body()
            answer = self._handle(handler, request)
        if isinstance(answer, Pending):
            self._expect("answer", inf)
            answer = await self._wait(answer)
        if isinstance(answer, Streamed):
            return await self._send_stream(answer)
        if answer is None:
            return False
        await self._respond(answer)
        return self._may_go_on()

    def _may_go_on(self) -> bool:
        return self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

    # Receiving

    async def _receive_head(self) -> h11.Request | None:
        while True:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._check_head_size()
                return event
            if event is not h11.NEED_DATA:
                return None
            if self._buffered and self._phase == "idle":
                self._expect("head", self._limits.head_time)
            data = await self._stream.receive_some(_RECEIVE_BYTES)
            if data and not self._buffered:
                # Empty lines before a request are to be ignored (RFC 9112, section 2.2).
                data = data.lstrip(b"\r\n")
                if not data:
                    continue
            self._refusals.note(data)
            self._feed(data)

    def _check_head_size(self) -> None:
        most = self._limits.head_bytes
        if self._buffered > most and self._buffered - len(self._h11.trailing_data[0]) > most:
            raise self._refusals.large_head()

    def _check_framing(self, head: h11.Request) -> None:
        """Raise for a request whose end is ambiguous, or whose body is too large to read."""
        if head.http_version[:1] != b"1":
            raise HttpError(505, "This peer speaks only HTTP/1.1 and HTTP/1.0; use one of them.")
        length = find_header(head.headers, b"content-length")
        if length is None:
            return
        if find_header(head.headers, b"transfer-encoding") is not None:
            # RFC 9112, section 6.1: an attempt at request smuggling, or a broken client.
            raise HttpError(
                400, "Both Content-Length and Transfer-Encoding are given; send only one."
            )
        if int(length) > self._limits.body_bytes:
            raise self._refusals.large_body()

    def _resolve(self, head: h11.Request) -> tuple[Handler, Request]:
        method = head.method.decode("ascii")
        headers = head.headers
        for_all = method == "OPTIONS" and head.target == b"*"
        segments, query = ((), "") if for_all else parse_target(head.target)
        place = self._refusals.ask(segments)
        check_origin(method, headers, loopback=self._loopback, remedy=place.remedies.foreign_host)
        if for_all:
            return _answer_for_all, Request(method, (), "", headers)
        handler, parameters = place.resolve(method, segments)
        request = Request(method, segments, query, headers, parameters, from_here=self._from_here)
        return handler, request

    async def _receive_body(self) -> bytes:
        event = self._h11.next_event()
        if isinstance(event, h11.EndOfMessage):
            return b""
        self._expect("body", self._limits.body_time)
        body = bytearray()
        while not isinstance(event, h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._limits.body_bytes:
                    raise self._refusals.large_body()
            else:
                await self._receive_more()
            event = self._h11.next_event()
        return bytes(body)

    async def _receive_more(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            await self._stream.send_all(self._h11.send(go_on))
        self._feed(await self._stream.receive_some(_RECEIVE_BYTES))

    def _feed(self, data: bytes | bytearray) -> None:
        self._buffered += len(data)
        self._h11.receive_data(bytes(data))

    # Answering

    def _handle(self, handler: Handler, request: Request) -> Answer:
        try:
            return handler(request)
        except HttpError as error:
            return self._refusals.answer(error)
        except Exception:  # noqa: BLE001 - a fault in one route must not end the peer
            return self._failed(request.method)

    def _failed(self, what: str) -> Response:
        _log.exception("a %s request failed", what)
        return self._refusals.answer(
            HttpError(500, "The peer failed to answer this request; see its log for the reason.")
        )

    async def _wait(self, pending: Pending) -> Response | None:
        """Wait for the answer and return it; return None if the client went away."""
        if not pending.abandoned:
            return await self._wait_guarded(pending)
        response: Response | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_client, nursery.cancel_scope)
            response = await self._wait_guarded(pending)
            nursery.cancel_scope.cancel()
        return response

    async def _wait_guarded(self, pending: Pending) -> Response:
        try:
            return await pending.wait()
        except HttpError as error:
            return self._refusals.answer(error)
        except Exception:  # noqa: BLE001 - as above
            return self._failed("waiting")

    async def _watch_client(self, waiting: trio.CancelScope) -> None:
        """Cancel `waiting` when the client goes away."""
        ahead = 0
        try:
            while ahead <= self._limits.ahead_bytes:
                data = await self._stream.receive_some(_RECEIVE_BYTES)
                if not data:
                    break
                ahead += len(data)
                self._feed(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        waiting.cancel()

    async def _respond(self, response: Response, *, close: bool = False) -> None:
        self._counters[f"answers_{response.status // 100}xx"] += 1
        headers = response.headers
        if response.status != HTTPStatus.NO_CONTENT:
            headers = (
                (b"Content-Type", response.content_type),
                (b"Content-Length", b"%d" % len(response.body)),
                *headers,
            )
        if close:
            headers = ((b"Connection", b"close"), *headers)
        data = self._h11.send(_head(response.status, headers, int(time.time())))
        if response.body and not self._without_body:
            data += self._h11.send(h11.Data(data=response.body))
        data += self._h11.send(h11.EndOfMessage())
        try:
            await self._write(data)
        finally:
            if response.then is not None:
                response.then()

    async def _send_stream(self, answer: Streamed) -> bool:
        self._counters["streams"] += 1
        headers = ((b"Content-Type", answer.content_type), *answer.headers)
        await self._write(self._h11.send(_head(200, headers, int(time.time()))))
        self._expect("answer", inf)
        if not self._without_body:
            completed = False
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_client, nursery.cancel_scope)
                completed = await self._write_guarded(answer.write)
                nursery.cancel_scope.cancel()
            if not completed:
                return False
        await self._write(self._h11.send(h11.EndOfMessage()))
        return self._may_go_on()

    async def _write_guarded(
        self, write: Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]
    ) -> bool:
        """Return whether the stream is complete; a broken one must not end like a complete one."""
        try:
            await write(self._send_piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        except Exception:  # noqa: BLE001 - as above; the status is sent, only closing tells
            self._failed("streaming")
            return False
        return True

    async def _send_piece(self, piece: bytes) -> None:
        await self._write(self._h11.send(h11.Data(data=piece)))
        self._expect("answer", inf)

    async def _write(self, data: bytes) -> None:
        self._expect("write", self._limits.write_time, slack=self._limits.idle_time)
        if data:
            await self._stream.send_all(data)

    # Ending

    def _expect(self, phase: _Phase, seconds: float, slack: float = 0.0) -> None:
        self._phase = phase
        now = trio.current_time()
        # A deadline that is already within the slack stays.
        if not seconds <= self._scope.deadline - now <= seconds + slack:
            self._scope.deadline = now + seconds + min(slack, 1.0)

    async def _give_up(self) -> None:
        self._counters["timeouts"] += 1
        if self._phase == "body" or (self._phase == "head" and self._buffered):
            await self.refuse(
                HttpError(
                    408, f"The request's {self._phase} took too long; send it without pauses."
                )
            )

    async def _refuse(self, error: HttpError) -> None:
        if self._h11.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        await self._respond(self._refusals.answer(error), close=True)
        with trio.move_on_after(self._limits.linger_time):
            await self._stream.send_eof()
            thrown_away = 0
            while thrown_away < self._limits.linger_bytes:
                data = await self._stream.receive_some(_RECEIVE_BYTES)
                if not data:
                    return
                thrown_away += len(data)


def _answer_for_all(request: Request) -> Response:
    return Response(204, headers=((b"Allow", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),))


# h11 needs longer to check headers than to write them, and most answers of one second are alike.
@lru_cache(maxsize=256)
def _head(status: int, headers: Headers, second: int) -> h11.Response:
    date = formatdate(second, usegmt=True).encode()
    return h11.Response(
        status_code=status,
        headers=[(b"Date", date), *headers],
        reason=_REASONS.get(status, b""),
    )
