"""The frames of a conversation over a stream.

    [kind, ...]

A frame is read by the items that are known of its kind; those behind them are of a later version.
The receiver reads lists of updates, entries and heads later, each item by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from gossamer.gossip.basis import NAME_LIMIT, Malformed, Unknown, array, blob, text, whole
from gossamer.gossip.state import BUCKETS

from ._messages import KIND_LIMIT, ROOT_SIZE, SEQUENCE_LIMIT
from ._updates import owner_name

FINGERPRINT_SIZE = 8
_UPDATE_SIZE = 1400
_BUSY_LIMIT = 60_000
_PURPOSE_LIMIT = 255


@dataclass(slots=True)
class Probe:
    """[0, sequence, name]: are you this peer, and do you live?"""

    KIND: ClassVar[int] = 0
    sequence: int
    name: str

    def items(self) -> list[object]:
        """Return what travels."""
        return [0, self.sequence, self.name]


@dataclass(slots=True)
class Probed:
    """[1, sequence]: yes."""

    KIND: ClassVar[int] = 1
    sequence: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [1, self.sequence]


@dataclass(slots=True)
class Another:
    """[2]: the peer that is meant is not here."""

    KIND: ClassVar[int] = 2

    def items(self) -> list[object]:
        """Return what travels."""
        return [2]


@dataclass(slots=True)
class Open:
    """[3, update about the speaker]: the initiator's first frame."""

    KIND: ClassVar[int] = 3
    me: bytes

    def items(self) -> list[object]:
        """Return what travels."""
        return [3, self.me]


@dataclass(slots=True)
class Busy:
    """[4, ms]: come back after this time."""

    KIND: ClassVar[int] = 4
    ms: int

    def items(self) -> list[object]:
        """Return what travels."""
        return [4, self.ms]


@dataclass(slots=True)
class Hello:
    """[5, update about the speaker]: the responder's first frame."""

    KIND: ClassVar[int] = 5
    me: bytes

    def items(self) -> list[object]:
        """Return what travels."""
        return [5, self.me]


@dataclass(slots=True)
class Members:
    """[6, [update, ...], [seconds since it was gone, or 0, ...]]: updates about members.

    Without the ages each newcomer would count again from zero how long it keeps the dead, and a
    mesh with many newcomers would never forget them.
    """

    KIND: ClassVar[int] = 6
    updates: list[object]
    ages: list[object]

    def items(self) -> list[object]:
        """Return what travels."""
        return [6, self.updates, self.ages]


@dataclass(slots=True)
class Heads:
    """[7, mask of buckets or null for all, [owner, epoch, version, ...]]: what is held."""

    KIND: ClassVar[int] = 7
    mask: bytes | None
    heads: list[object]

    def items(self) -> list[object]:
        """Return what travels."""
        return [7, self.mask, self.heads]


@dataclass(slots=True)
class Want:
    """[8, [owner, epoch, version, ...]]: parts wanted, and what the speaker holds of them."""

    KIND: ClassVar[int] = 8
    heads: list[object]

    def items(self) -> list[object]:
        """Return what travels."""
        return [8, self.heads]


@dataclass(slots=True)
class Parts:
    """[9, [entry, ...]]: what brings parts up to the speaker's."""

    KIND: ClassVar[int] = 9
    entries: list[object]

    def items(self) -> list[object]:
        """Return what travels."""
        return [9, self.entries]


@dataclass(slots=True)
class Done:
    """[10]: the speaker has sent all that it will."""

    KIND: ClassVar[int] = 10

    def items(self) -> list[object]:
        """Return what travels."""
        return [10]


@dataclass(slots=True)
class EpochRefused:
    """[11]: the epoch of the peer that asks is too far ahead: one of two clocks is wrong."""

    KIND: ClassVar[int] = 11

    def items(self) -> list[object]:
        """Return what travels."""
        return [11]


@dataclass(slots=True)
class Foreign:
    """[12]: what the other side seals with is not accepted here."""

    KIND: ClassVar[int] = 12

    def items(self) -> list[object]:
        """Return what travels."""
        return [12]


@dataclass(slots=True)
class Ask:
    """[13, purpose, root, owners or null, heads or null, fingerprints or null]: the question."""

    KIND: ClassVar[int] = 13
    purpose: int
    root: bytes
    owners: list[str] | None
    heads: list[object] | None
    fingerprints: bytes | None

    def items(self) -> list[object]:
        """Return what travels."""
        return [13, self.purpose, self.root, self.owners, self.heads, self.fingerprints]


Frame = (
    Probe | Probed | Another | Open | Busy | Hello | Members | Heads | Want | Parts | Done
    | EpochRefused | Foreign | Ask
)  # fmt: skip


def _ask(items: list[object]) -> Ask:
    purpose, root, owners, heads, fingerprints = items
    if fingerprints is not None:
        size = len(blob(fingerprints, FINGERPRINT_SIZE * BUCKETS))
        if size != FINGERPRINT_SIZE * BUCKETS:
            raise Malformed("fingerprints of another number of buckets")
    return Ask(
        whole(purpose, _PURPOSE_LIMIT),
        blob(root, ROOT_SIZE),
        None if owners is None else [owner_name(owner) for owner in array(owners)],
        None if heads is None else array(heads),
        None if fingerprints is None else blob(fingerprints, FINGERPRINT_SIZE * BUCKETS),
    )


def _heads(items: list[object]) -> Heads:
    mask, heads = items
    return Heads(None if mask is None else blob(mask, BUCKETS // 8), array(heads))


# All lists stand in items of their own, so that a frame of any version has a handful of them.
_FRAME_ITEMS = 64

# How many items a frame of each kind has behind the kind, and what reads them.
_READERS: dict[int, tuple[int, Callable[[list[object]], Frame]]] = {
    Probe.KIND: (
        2,
        lambda items: Probe(whole(items[0], SEQUENCE_LIMIT), text(items[1], NAME_LIMIT)),
    ),
    Probed.KIND: (1, lambda items: Probed(whole(items[0], SEQUENCE_LIMIT))),
    Another.KIND: (0, lambda items: Another()),
    Open.KIND: (1, lambda items: Open(blob(items[0], _UPDATE_SIZE))),
    Busy.KIND: (1, lambda items: Busy(whole(items[0], _BUSY_LIMIT))),
    Hello.KIND: (1, lambda items: Hello(blob(items[0], _UPDATE_SIZE))),
    Members.KIND: (2, lambda items: Members(array(items[0]), array(items[1]))),
    Heads.KIND: (2, _heads),
    Want.KIND: (1, lambda items: Want(array(items[0]))),
    Parts.KIND: (1, lambda items: Parts(array(items[0]))),
    Done.KIND: (0, lambda items: Done()),
    EpochRefused.KIND: (0, lambda items: EpochRefused()),
    Foreign.KIND: (0, lambda items: Foreign()),
    Ask.KIND: (5, _ask),
}
LAST_KIND = max(_READERS)
"""Frames of kinds above it are of a later version."""


def parse_frame(items: list[object]) -> Frame:
    """Return the frame in a decoded array; raise `Unknown` or, if it is bad, `Malformed`."""
    kind = whole(items[0] if items else None, KIND_LIMIT)
    if len(items) > _FRAME_ITEMS:
        raise Malformed("a frame has too many items")
    reader = _READERS.get(kind)
    if reader is None:
        raise Unknown("a frame is of a later kind")
    length, read = reader
    if len(items) <= length:
        raise Malformed("a frame is too short")
    return read(items[1 : length + 1])
