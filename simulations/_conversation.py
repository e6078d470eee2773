from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from gossamer.gossip import FRAME_LIMIT, Exchange, Gossip

from ._stream import StreamEnd

T = TypeVar("T")


class Process(Protocol):
    """What a conversation needs of the process that has it."""

    @property
    def gossip(self) -> Gossip:
        """The core."""
        ...

    @property
    def now(self) -> float:
        """The time."""
        ...

    def handle(self, action: Callable[[T], None], argument: T) -> None:
        """Carry out an input at once, or when the process continues."""
        ...

    def at(self, time: float, action: Callable[[None], None]) -> None:
        """Have `action` called at `time`."""
        ...

    def closed(self, conversation: Conversation) -> None:
        """A conversation is over."""
        ...


class Conversation:
    """Carries the frames of one exchange over one simulated stream.

    Everything the stream tells goes through the process, which may be stopped: then it waits.
    """

    def __init__(
        self, peer: Process, end: StreamEnd | None, exchange: Exchange | None = None
    ) -> None:
        self.end = end
        self._peer = peer
        self._exchange = exchange
        self._opened = end is not None
        self._over = False

    # What the stream tells

    def opened(self) -> None:
        self._peer.handle(self._flow, None)

    def received(self, data: bytes) -> None:
        self._peer.handle(self._hear, data)

    def ended(self) -> None:
        self._peer.handle(self._fail, "closed early")

    def broken(self, reason: str) -> None:
        self._peer.handle(self._fail, reason)

    # What the process does

    def begin(self, _: None) -> None:
        """Ask the core for its side of a stream that somebody opened."""
        assert self.end is not None
        self._exchange = self._peer.gossip.accept(self.end.remote, self._peer.now)
        self.watch()
        self._send()

    def watch(self) -> None:
        """Give up when the exchange's deadline has passed."""
        if self._exchange is not None and not self._over:
            self._peer.at(max(self._exchange.deadline, self._peer.now), self._look)

    def drop(self, *, silently: bool) -> None:
        """The process is gone."""
        self._over = True
        if self.end is not None:
            if silently:
                self.end.vanish()
            else:
                self.end.reset()

    def _look(self, _: None) -> None:
        if not self._over:
            self._peer.handle(self._expire, None)

    def _expire(self, _: None) -> None:
        if self._over or self._exchange is None:
            return
        if self._exchange.deadline > self._peer.now:
            self.watch()
        else:
            self._fail("timeout")

    def _flow(self, _: None) -> None:
        self._opened = True
        self._send()

    def _hear(self, frame: bytes) -> None:
        if self._over or self._exchange is None:
            return
        if len(frame) > FRAME_LIMIT:
            self._fail("oversize")
            return
        self._exchange.receive(frame, self._peer.now)
        self._send()

    def _send(self) -> None:
        exchange, end = self._exchange, self.end
        if self._over or exchange is None or end is None or not self._opened:
            return
        for frame in exchange.outbox:
            if not end.gone:
                end.send(frame)
                exchange.moved(len(frame))
        exchange.outbox.clear()
        if exchange.finished:
            self._over = True
            end.leave()
            self._peer.closed(self)

    def _fail(self, reason: str) -> None:
        exchange, end = self._exchange, self.end
        if self._over or exchange is None or end is None:
            return
        self._over = True
        exchange.fail(reason, self._peer.now)
        end.reset()
        self._peer.closed(self)
