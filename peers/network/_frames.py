"""One exchange over one stream: each frame follows its length, 4 bytes in big-endian order."""

from collections.abc import Callable

import trio

from gossamer.gossip import FRAME_LIMIT, Exchange

_LENGTH = 4
_CHUNK = 65536


class Oversize(Exception):
    """The other side announced a frame larger than `FRAME_LIMIT`."""


class FrameStream:
    """Reads and writes whole frames; keeps at most one frame and one chunk in memory."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def send(self, frame: bytes) -> None:
        """Write one frame."""
        await self._stream.send_all(len(frame).to_bytes(_LENGTH, "big") + frame)

    async def receive(self) -> bytes | None:
        """Return the next frame, or None when the other side has closed.

        Raises `Oversize` before it reads any byte of a frame that is too large.
        """
        if not await self._fill(_LENGTH):
            return None
        length = int.from_bytes(self._buffer[:_LENGTH], "big")
        if length > FRAME_LIMIT:
            raise Oversize
        if not await self._fill(_LENGTH + length):
            return None
        frame = bytes(self._buffer[_LENGTH : _LENGTH + length])
        del self._buffer[: _LENGTH + length]
        return frame

    async def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            chunk = await self._stream.receive_some(_CHUNK)
            if not chunk:
                return False
            self._buffer += chunk
        return True


async def converse(exchange: Exchange, stream: trio.abc.Stream, drain: Callable[[], None]) -> None:
    """Run an exchange over a stream until it is finished or has failed.

    `drain` is called after each input to the exchange.
    """
    frames = FrameStream(stream)
    failure = "closed"
    try:
        while True:
            outgoing = list(exchange.outbox)
            exchange.outbox.clear()
            for frame in outgoing:
                with trio.fail_at(exchange.deadline):
                    await frames.send(frame)
                exchange.moved(len(frame))
            if exchange.finished:
                return
            with trio.fail_at(exchange.deadline):
                incoming = await frames.receive()
            if incoming is None:
                break
            exchange.receive(incoming, trio.current_time())
            drain()
    except Oversize:
        failure = "oversize"
    except trio.TooSlowError:
        failure = "timeout"
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        failure = "broken"
    exchange.fail(failure, trio.current_time())
    drain()
