"""Conversations over a stream, sans-IO: frames in, frames out.

The core names the peers with which it wants a conversation (`Gossip.calls`), and accepts those that
others begin (`Gossip.accept`).  The driver opens the stream, carries each frame behind a 4-byte
length, and reports if the stream ends early.
A frame is sealed like a datagram, and bound to the first frame that its sender has received in the
conversation.  So with a key, no recorded frame fits into another conversation.
The first frame, from the side that opens the stream, is bound to nothing.  It is not believed
before a bound frame follows it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gossamer.gossip.basis import Counters, GossipConfig, Malformed, Unknown, array, decode, encode
from gossamer.gossip.messages import Another, Foreign, Frame, Probe, Probed, parse_frame
from gossamer.gossip.sealing import Refused, Seal
from gossamer.gossip.state import Address, Member

from ._identity import Identity
from ._refusals import Refusals

ProbeResult = Literal["alive", "gone", "silence"]
"""What a probe over a stream found: the member; that it is not there; nothing."""

REFUSAL = "refused"
"""The reason that a driver gives when the other host refused the stream: nobody listens there."""

Purpose = Literal["join", "heal", "repair", "fetch", "probe", "inbound"]

FRAME_LIMIT = 1024 * 1024

# With a key a frame ends with 16 bytes that are of no other.
_MARK_SIZE = 16


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a conversation needs of the peer at this end."""

    config: GossipConfig
    me: Identity
    seal: Seal
    counters: Counters
    refusals: Refusals


class Exchange:
    """One conversation, from either side.

    `outbox` holds frames to be written, without their length; drain it after creation and after
    each `receive`.
    When `finished`, write what is left in the outbox and close the stream.
    """

    def __init__(
        self, endpoint: Endpoint, address: Address, purpose: Purpose, deadline: float
    ) -> None:
        self.address = address
        self.purpose: Purpose = purpose
        self.deadline = deadline
        self.outbox: list[bytes] = []
        self.finished = False
        self._endpoint = endpoint
        self._gained = 0.0
        self._to_epoch = 0
        # The ends of the first frames of both sides.
        self._said = b""
        self._heard = b""

    def receive(self, frame: bytes, now: float) -> None:
        """Take in one frame; a bad one ends the conversation and is counted, nothing raises."""
        if self.finished:
            return
        endpoint = self._endpoint
        endpoint.counters.add("frames_received")
        endpoint.counters.add("stream_bytes_received", len(frame))
        try:
            if len(frame) > FRAME_LIMIT:
                raise Refused("oversize")
            self._heard = self._heard or frame[-_MARK_SIZE:]
            to_epoch, body = endpoint.seal.open_frame(frame, self._said)
            if to_epoch not in (0, endpoint.me.epoch):
                self._misdirected(now)
                return
            try:
                said = parse_frame(array(decode(body)))
            except Unknown:
                self._ignore(len(frame))
            else:
                self._hear(said, now)
            self.moved(len(frame))
        except Malformed:
            self._refuse(Refused("malformed"), now)
        except Refused as refused:
            self._refuse(refused, now)

    def _hear(self, frame: Frame, now: float) -> None:
        if isinstance(frame, Foreign):
            self._endpoint.refusals.hear(self.address, now)
            self.fail("key refused", now)
        else:
            self._handle(frame, now)

    def moved(self, size: int) -> None:
        """Extend the deadline by the time for so many bytes; the driver reports each frame written.

        `receive` itself counts the frames that it reads.
        """
        config = self._endpoint.config
        gain = min(size / config.stream_rate, config.stream_extension - self._gained)
        self._gained += gain
        self.deadline += gain

    def fail(self, reason: str, now: float) -> None:
        """End the conversation because the stream was refused, broke, or took too long."""
        if not self.finished:
            self.finished = True
            self._endpoint.counters.add("exchanges_failed")
            self._closed(reason, now)

    def _refuse(self, refused: Refused, now: float) -> None:
        if self._endpoint.refusals.note(refused, self.address, now, stream=True):
            self._put(Foreign())
        self.fail(refused.reason, now)

    def _misdirected(self, now: float) -> None:
        """The frame was meant for another life of this peer."""
        self._endpoint.counters.add("refused_epoch")
        self._put(Another())
        self.fail("meant for another epoch", now)

    def _finish(self, now: float) -> None:
        self.finished = True
        self._closed(None, now)

    def _put(self, said: Frame) -> None:
        frame = self._endpoint.seal.seal_frame(encode(said.items()), self._to_epoch, self._heard)
        self._said = self._said or frame[-_MARK_SIZE:]
        self._endpoint.counters.add("frames_sent")
        self._endpoint.counters.add("stream_bytes_sent", len(frame))
        self.outbox.append(frame)

    def _handle(self, frame: Frame, now: float) -> None:
        raise NotImplementedError

    def _ignore(self, size: int) -> None:
        """Pass over a frame of `size` bytes that only a later version understands."""
        self._endpoint.counters.add("unknown")

    def _closed(self, reason: str | None, now: float) -> None:
        """React to the end; `reason` is None when all went well."""


class ProbeExchange(Exchange):
    """SWIM's last resort: ask over a stream whether a member lives."""

    def __init__(
        self,
        endpoint: Endpoint,
        row: Member,
        sequence: int,
        deadline: float,
        report: Callable[[ProbeResult, float], None],
    ) -> None:
        super().__init__(endpoint, row.address, "probe", deadline)
        self._to_epoch = row.epoch
        self._sequence = sequence
        self._report = report
        self._put(Probe(sequence, row.name))

    def _handle(self, frame: Frame, now: float) -> None:
        match frame:
            case Probed(sequence):
                if sequence != self._sequence:
                    raise Malformed("an answer to another question")
                self._report("alive", now)
            case Another():
                self._report("gone", now)
            case _:
                raise Malformed("not an answer to a probe")
        self._finish(now)

    def _closed(self, reason: str | None, now: float) -> None:
        if reason is not None:
            self._report("gone" if reason == REFUSAL else "silence", now)


def probe_answer(own_name: str, probe: Probe) -> Probed | Another:
    """Return the answer to a probe over a stream."""
    return Probed(probe.sequence) if probe.name == own_name else Another()
