# Streams over the fabric: the promises of TCP, and its failures.
#
# Each piece of data is one packet; the receiving end puts the pieces in order and delivers
# each once.  A lost piece is sent again after a wait that doubles, while both ends live.  So
# a stream across a cut is silent, and continues if the cut heals in time.  The ends get no
# notice of it; the owner of an end gives up at its own deadline.
#
# A stream opens with a knock.  If no process listens, the answer is a refusal; across a cut
# there is no answer.  A process that dies resets its streams, as its kernel would.

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Protocol

from ._packet import Address, Carrier, DatagramPort, Kind, Packet

# The first wait before a lost piece is sent again, as Linux has it: 1 s for the knock
# (RFC 6298), 200 ms later; each further wait doubles up to the longest.
KNOCK_WAIT: Final = 1.0
PIECE_WAIT: Final = 0.2
LONGEST_WAIT: Final = 60.0


class StreamHandler(Protocol):
    """The owner of one end of a stream."""

    def opened(self) -> None:
        """The other side accepted."""
        ...

    def received(self, data: bytes) -> None:
        """The next piece, in order, exactly as it was sent."""
        ...

    def ended(self) -> None:
        """The other side will send no more."""
        ...

    def broken(self, reason: str) -> None:
        """Note that the stream has ended: "refused" or "reset"."""
        ...


class Port(DatagramPort, Protocol):
    """The listener at an address."""

    def accept(self, end: StreamEnd) -> bool:
        """Somebody wants a stream: set `end.handler` and answer True; False to let it wait."""
        ...


class StreamCarrier(Carrier, Protocol):
    """What streams need of the fabric that carries them."""

    stream_bytes: int

    @property
    def ports(self) -> Mapping[Address, Port]:
        """The listeners, by address."""
        ...


class _Note(IntEnum):
    KNOCK = 0
    ACCEPTED = 1
    DATA = 2
    END = 3
    REFUSED = 4
    RESET = 5


class _Piece(Packet):
    __slots__ = ("_to", "note", "sequence", "wait")

    def __init__(self, to: StreamEnd, note: _Note, sequence: int, data: bytes) -> None:
        super().__init__(to.remote, to.local, Kind.STREAM, data)
        self._to = to
        self.note = note
        self.sequence = sequence
        self.wait = KNOCK_WAIT if note is _Note.KNOCK else PIECE_WAIT

    def arrive(self, fabric: Carrier) -> bool:
        return self._to._arrived(self)

    def lost(self, fabric: Carrier) -> None:
        if self._wanted and self.wait <= LONGEST_WAIT:
            wait, self.wait = self.wait, self.wait * 2
            fabric.clock.call_at(fabric.clock.now + wait, self._again, fabric)

    def _again(self, fabric: Carrier) -> None:
        if self._wanted:
            fabric.send(self)

    @property
    def _wanted(self) -> bool:
        sender = self._to.other
        if self.note is _Note.KNOCK and sender.gone:
            return False
        return not (self._to.gone or sender.powerless)


class StreamEnd:
    """One end of a stream; made by `dial`, the other end is handed to the port that accepts."""

    __slots__ = (
        "_early",
        "_expected",
        "_fabric",
        "_sequence",
        "finished",
        "gone",
        "handler",
        "knocked",
        "local",
        "other",
        "powerless",
        "remote",
    )

    other: StreamEnd

    def __init__(self, fabric: StreamCarrier, local: Address, remote: Address) -> None:
        self._fabric = fabric
        self.local = local
        self.remote = remote
        self.handler: StreamHandler | None = None
        # `finished`: this side said that it sends no more.  `gone`: it is deaf as well.
        self.finished = False
        # This side was reached, or is the one that knocked.
        self.knocked = False
        self.gone = False
        # The machine is off: what was not delivered is not sent again either.
        self.powerless = False
        # Number 0 is the knock, or the answer to it.
        self._sequence = 1
        self._expected = 0
        self._early: dict[int, _Piece] = {}

    def send(self, data: bytes) -> None:
        """Send one piece; it arrives whole, after all sent before, or never.

        Raises RuntimeError after `finish` or `leave`.
        """
        if self.finished or self.gone:
            raise RuntimeError("this end of the stream was finished already")
        self._post(_Note.DATA, data)

    def finish(self) -> None:
        """Send no more; what the other side sends is still heard.  Twice does no harm."""
        if not self.finished and not self.gone:
            self.finished = True
            self._post(_Note.END)

    def leave(self) -> None:
        """Deliver what was sent, ignore what arrives, and reset the other end if it still sends."""
        self.finish()
        self.gone = True
        self._early.clear()

    def reset(self) -> None:
        """Break the stream at once, as when the process dies; the other side is told."""
        if not self.gone:
            self.gone = True
            self._early.clear()
            if self.other.knocked:
                self._post(_Note.RESET)

    def vanish(self) -> None:
        """Break the stream without a word, as when the machine loses power."""
        self.gone = True
        self.powerless = True
        self._early.clear()

    def _post(self, note: _Note, data: bytes = b"") -> None:
        self._fabric.stream_bytes += len(data)
        self._fabric.send(_Piece(self.other, note, self._sequence, data))
        self._sequence += 1

    # The first piece of either direction: the knock, and the answer to it.
    def _greet(self, note: _Note) -> None:
        self._fabric.send(_Piece(self.other, note, 0, b""))

    def _arrived(self, piece: _Piece) -> bool:
        if self.gone:
            # The kernel of a host whose process has closed answers data with a reset.
            late = piece.note is _Note.ACCEPTED and not self.finished
            if late or piece.note is _Note.DATA:
                self._post(_Note.RESET)
            return True
        if piece.note is _Note.KNOCK:
            return self._knock(piece)
        if piece.note is _Note.RESET:
            # This ends the stream, so the pieces that it overtook are not needed.
            self._broken("reset")
            return True
        if piece.sequence != self._expected:
            self._early[piece.sequence] = piece
            return True
        self._take(piece)
        self._catch_up()
        return True

    def _catch_up(self) -> None:
        # Whatever ends this side also empties the box of early pieces.
        while self._expected in self._early:
            self._take(self._early.pop(self._expected))

    def _knock(self, piece: _Piece) -> bool:
        port = self._fabric.ports.get(self.local)
        if port is None:
            self.gone = True
            self._greet(_Note.REFUSED)
            return False
        self.knocked = True
        self._expected = 1
        if port.accept(self):
            self._greet(_Note.ACCEPTED)
            self._catch_up()
        else:
            # The backlog is full: the knock is not answered and comes again.
            self.knocked = False
            self._expected = 0
            piece.lost(self._fabric)
        return True

    def _take(self, piece: _Piece) -> None:
        self._expected += 1
        handler = self.handler
        if handler is None:
            return
        match piece.note:
            case _Note.DATA:
                handler.received(piece.data)
            case _Note.ACCEPTED:
                handler.opened()
            case _Note.END:
                handler.ended()
            case _Note.REFUSED:
                self._broken("refused")
            case _Note.KNOCK | _Note.RESET:
                raise RuntimeError(f"{piece.note.name} came in line: this is a fault of _stream.py")

    def _broken(self, reason: str) -> None:
        self.gone = True
        self._early.clear()
        if self.handler is not None:
            self.handler.broken(reason)


def dial(
    fabric: StreamCarrier, local: Address, remote: Address, handler: StreamHandler
) -> StreamEnd:
    """Open a stream to the listener at `remote`; `handler` gets its data and its end."""
    near = StreamEnd(fabric, local, remote)
    far = StreamEnd(fabric, remote, local)
    near.other, far.other = far, near
    near.handler = handler
    near.knocked = True
    near._greet(_Note.KNOCK)
    return near
