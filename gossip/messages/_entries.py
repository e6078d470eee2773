"""How parts travel in an exchange: as separate byte strings, each checked by itself.

    [1, owner, epoch, since, [key, value, ...]]            a delta, as in a datagram
    [3, owner, epoch, version, more, [key, value, ...]]    a snapshot, or a piece of one
    [4, owner, epoch]                                      the part was dropped: its owner is gone

A snapshot takes effect when its last piece (`more` is 0) has come, never in part.
A peer reads the items that it knows of each kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gossamer.gossip.basis import Malformed, Unknown, array, decode, encode, whole
from gossamer.gossip.state import EPOCH_LIMIT, VERSION_LIMIT, Operation, Part, operation_size

from ._messages import KIND_LIMIT
from ._updates import DELTA, Delta, encode_delta, owner_name, parse_delta, parse_operations

SNAPSHOT = 3
DROPPED = 4

# A piece of a snapshot; well below a frame, so that many small parts share one.
PIECE_BYTES = 48 * 1024


@dataclass(slots=True)
class Piece:
    """A piece of a snapshot."""

    owner: str
    epoch: int
    version: int
    more: bool
    records: dict[str, bytes]


@dataclass(slots=True)
class Dropped:
    """That a part of this epoch was dropped."""

    owner: str
    epoch: int


Entry = Delta | Piece | Dropped


def encode_part(part: Part, epoch: int, version: int) -> list[bytes]:
    """Return the entries that bring a replica at (epoch, version) up to `part`."""
    operations = part.since(version) if epoch == part.epoch else part.since(0)
    if operations:
        since = part.version - len(operations)
        return [encode_delta(part.owner, part.epoch, since, list(operations))]
    if operations is not None:
        return []
    pieces = list(_pieces(part))
    last = len(pieces) - 1
    return [
        encode([SNAPSHOT, part.owner, part.epoch, part.version, int(number < last), flat])
        for number, flat in enumerate(pieces)
    ]


def _pieces(part: Part) -> Iterator[list[object]]:
    flat: list[object] = []
    size = 0
    for key, value in part.records.items():
        if flat and size + operation_size(key, value) > PIECE_BYTES:
            yield flat
            flat, size = [], 0
        flat += (key, value)
        size += operation_size(key, value)
    yield flat


def encode_dropped(owner: str, epoch: int) -> bytes:
    """Return the entry that tells that a part was dropped."""
    return encode([DROPPED, owner, epoch])


def decode_entry(data: bytes) -> Entry:
    """Return what an entry says; raise `Unknown` or, if it is bad, `Malformed`."""
    items = array(decode(data))
    kind = whole(items[0] if items else None, KIND_LIMIT)
    match items:
        case _ if kind == DELTA:
            return parse_delta(items)
        case [_, owner, epoch, version, more, flat, *_] if kind == SNAPSHOT:
            operations: list[Operation] = parse_operations(array(flat))
            records = {key: value for key, value in operations if value is not None}
            if len(records) != len(operations):
                raise Malformed("a snapshot holds a key twice or without a value")
            return Piece(
                owner_name(owner),
                whole(epoch, EPOCH_LIMIT),
                whole(version, VERSION_LIMIT),
                bool(whole(more, 1)),
                records,
            )
        case [_, owner, epoch, *_] if kind == DROPPED:
            return Dropped(owner_name(owner), whole(epoch, EPOCH_LIMIT))
        case _ if kind <= DROPPED:
            raise Malformed("an entry is too short, or no entry")
        case _:
            raise Unknown("an entry is of a later kind")
