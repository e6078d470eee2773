"""The messages of a datagram: questions between two peers, and their answers.

    [kind, sequence number, ...]

An answer has the sequence number of its question.
A peer reads the items that it knows of each kind; further items are of a later version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from gossamer.gossip.basis import NAME_LIMIT, Malformed, Unknown, blob, text, whole
from gossamer.gossip.state import EPOCH_LIMIT, HOST_LIMIT, VERSION_LIMIT, Address

ROOT_SIZE = 16
# Of messages, updates, entries and frames, known or not.
KIND_LIMIT = 255
SEQUENCE_LIMIT = (1 << 32) - 1
_BUDGET_LIMIT = 600_000


@dataclass(slots=True)
class Ping:
    """[0, sequence, target]: is the peer named `target` there? Any peer is meant if it is empty."""

    KIND: ClassVar[int] = 0
    sequence: int
    target: str

    def items(self) -> list[object]:
        """Return what travels."""
        return [0, self.sequence, self.target]


@dataclass(slots=True)
class Ack:
    """[1, sequence, root]: the speaker is there, and this is its root."""

    KIND: ClassVar[int] = 1
    sequence: int
    root: bytes

    def items(self) -> list[object]:
        """Return what travels."""
        return [1, self.sequence, self.root]


@dataclass(slots=True)
class PingReq:
    """[2, sequence, target, epoch, host, port, budget]: ping the target for the speaker.

    The relay answers within `budget` milliseconds.
    """

    KIND: ClassVar[int] = 2
    sequence: int
    target: str
    epoch: int
    address: Address
    budget: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [2, self.sequence, self.target, self.epoch, *self.address, self.budget]


@dataclass(slots=True)
class Nack:
    """[3, sequence, root]: the relay got no answer yet; the root is the relay's."""

    KIND: ClassVar[int] = 3
    sequence: int
    root: bytes

    def items(self) -> list[object]:
        """Return what travels."""
        return [3, self.sequence, self.root]


@dataclass(slots=True)
class NotMe:
    """[4, sequence]: the peer that is meant is not here; the speaker is."""

    KIND: ClassVar[int] = 4
    sequence: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [4, self.sequence]


@dataclass(slots=True)
class Leave:
    """[5, sequence]: the speaker has left; to be acknowledged."""

    KIND: ClassVar[int] = 5
    sequence: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [5, self.sequence]


@dataclass(slots=True)
class Relayed:
    """[6, sequence, root]: the relay got an answer; the root is the relay's."""

    KIND: ClassVar[int] = 6
    sequence: int
    root: bytes

    def items(self) -> list[object]:
        """Return what travels."""
        return [6, self.sequence, self.root]


@dataclass(slots=True)
class Hold:
    """[7, sequence, version]: do you hold the speaker's part at this version or a later one?"""

    KIND: ClassVar[int] = 7
    sequence: int
    version: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [7, self.sequence, self.version]


@dataclass(slots=True)
class Held:
    """[8, sequence]: yes, the speaker holds it."""

    KIND: ClassVar[int] = 8
    sequence: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [8, self.sequence]


@dataclass(slots=True)
class Gone:
    """[9, sequence]: the relay was told at the target's address that the target is not there."""

    KIND: ClassVar[int] = 9
    sequence: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [9, self.sequence]


Message = Ping | Ack | PingReq | Nack | NotMe | Leave | Relayed | Hold | Held | Gone


def _ping(sequence: int, rest: list[object]) -> Ping:
    return Ping(sequence, text(rest[0], NAME_LIMIT))


def _root(rest: list[object]) -> bytes:
    root = blob(rest[0], ROOT_SIZE)
    if len(root) != ROOT_SIZE:
        raise Malformed("a root has another length")
    return root


def _ping_req(sequence: int, rest: list[object]) -> PingReq:
    target, epoch, host, port, budget = rest
    if whole(port, 65535) == 0:
        raise Malformed("a port is unusable")
    return PingReq(
        sequence,
        text(target, NAME_LIMIT),
        whole(epoch, EPOCH_LIMIT),
        (text(host, HOST_LIMIT), whole(port, 65535)),
        whole(budget, _BUDGET_LIMIT),
    )


def _hold(sequence: int, rest: list[object]) -> Hold:
    return Hold(sequence, whole(rest[0], VERSION_LIMIT))


# How many items a message of each kind has, and what reads those behind kind and sequence.
_READERS: dict[int, tuple[int, Callable[[int, list[object]], Message]]] = {
    Ping.KIND: (3, _ping),
    Ack.KIND: (3, lambda sequence, rest: Ack(sequence, _root(rest))),
    PingReq.KIND: (7, _ping_req),
    Nack.KIND: (3, lambda sequence, rest: Nack(sequence, _root(rest))),
    NotMe.KIND: (2, lambda sequence, rest: NotMe(sequence)),
    Leave.KIND: (2, lambda sequence, rest: Leave(sequence)),
    Relayed.KIND: (3, lambda sequence, rest: Relayed(sequence, _root(rest))),
    Hold.KIND: (3, _hold),
    Held.KIND: (2, lambda sequence, rest: Held(sequence)),
    Gone.KIND: (2, lambda sequence, rest: Gone(sequence)),
}


def parse_message(items: list[object]) -> Message:
    """Return the message in a decoded array; raise `Unknown` or, if it is bad, `Malformed`."""
    kind = whole(items[0] if items else None, KIND_LIMIT)
    reader = _READERS.get(kind)
    if reader is None:
        raise Unknown("a message is of a later kind")
    length, read = reader
    if len(items) < length:
        raise Malformed("a message is too short")
    return read(whole(items[1], SEQUENCE_LIMIT), items[2:length])
