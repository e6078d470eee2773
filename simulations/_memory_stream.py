from collections.abc import Iterator
from contextlib import contextmanager
from operator import index

import trio

from ._stream import StreamEnd

# What may be on its way or unread in one direction before the sender waits, in bytes.
WINDOW = 65_536
# Larger writes travel in pieces of this size.
PIECE = 16_384
_READ = 65_536


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a stream over a simulated network, with the manners of `trio.SocketStream`.

    Across a cut it hangs: time-outs are the caller's.
    """

    end: StreamEnd

    def __init__(self) -> None:
        self._accepted = trio.Event()
        self._unread = bytearray()
        self._unacknowledged = 0
        self._ended = False
        self._closed = False
        self._failure: str | None = None
        self._sending = False
        self._reading = False
        self._changed = trio.lowlevel.ParkingLot()

    async def wait_accepted(self) -> None:
        """Return when the other side has accepted; raises ConnectionError when it does not."""
        await self._accepted.wait()
        if self._failure == "refused":
            raise ConnectionRefusedError(111, "Connection refused")
        if self._failure is not None:
            raise ConnectionResetError(104, "Connection reset by peer")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`; waits while the other side does not read."""
        with self._alone("_sending"):
            await trio.lowlevel.checkpoint()
            self._check_sendable()
            view = memoryview(data)
            for start in range(0, len(view), PIECE):
                await self._window()
                piece = bytes(view[start : start + PIECE])
                self._unacknowledged += len(piece)
                self.end.send(piece)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for at least one byte."""
        with self._alone("_sending"):
            await trio.lowlevel.checkpoint()
            self._check_open()
            if not self.end.finished and self._failure is None:
                await self._window()

    async def send_eof(self) -> None:
        """Send no more; reading goes on."""
        with self._alone("_sending"):
            await trio.lowlevel.checkpoint()
            self._check_open()
            self.end.finish()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come, at most `max_bytes`; nothing at all means the end."""
        if max_bytes is not None and index(max_bytes) < 1:
            raise ValueError("max_bytes must be at least 1")
        with self._alone("_reading"):
            await trio.lowlevel.checkpoint()
            while True:
                self._check_open()
                if self._failure is not None:
                    raise trio.BrokenResourceError(f"the stream is {self._failure}")
                if self._unread or self._ended:
                    return self._read(max_bytes or _READ)
                await self._changed.park()

    async def aclose(self) -> None:
        """Close; what was sent still arrives, unless something that came was never read."""
        if not self._closed:
            self._closed = True
            if self._unread:
                self.end.reset()
            else:
                self.end.leave()
            self._changed.unpark_all()
        await trio.lowlevel.checkpoint()

    # what the simulated stream tells

    def opened(self) -> None:
        self._accepted.set()

    def received(self, data: bytes) -> None:
        self._unread += data
        self._changed.unpark_all()

    def ended(self) -> None:
        self._ended = True
        self._changed.unpark_all()

    def broken(self, reason: str) -> None:
        self._failure = reason
        self._accepted.set()
        self._changed.unpark_all()

    def _read(self, limit: int) -> bytes:
        data = bytes(self._unread[:limit])
        del self._unread[:limit]
        sender = self.end.other.handler
        if isinstance(sender, MemoryStream):
            sender._acknowledged(len(data))
        return data

    def _acknowledged(self, size: int) -> None:
        self._unacknowledged -= size
        self._changed.unpark_all()

    async def _window(self) -> None:
        while self._unacknowledged >= WINDOW:
            await self._changed.park()
            self._check_sendable()

    def _check_sendable(self) -> None:
        self._check_open()
        if self._failure is not None:
            raise trio.BrokenResourceError(f"the stream is {self._failure}")
        if self.end.finished:
            raise trio.ClosedResourceError("send_eof was called already")

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this end of the stream was closed")

    @contextmanager
    def _alone(self, activity: str) -> Iterator[None]:
        if getattr(self, activity):
            raise trio.BusyResourceError("another task is using this end of the stream")
        setattr(self, activity, True)
        try:
            yield
        finally:
            setattr(self, activity, False)
