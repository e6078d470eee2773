"""Updates: byte strings in datagrams, which peers pass on unchanged.

    [0, ...]                                        update of a member (_members.py)
    [1, owner, epoch, since, [key, value, ...]]     operations that follow `since`
    [2, owner, epoch, version]                      a head: the change is to be fetched

    [kind, origin, epoch, number, ...]              of a kind from 5 on: of a later version

Each update is checked by itself: a bad one never spoils the others.
A peer reads the items that it knows of each kind, and passes on all bytes of an update.
Kinds 3 and 4 are entries of an exchange (_entries.py), not updates.
"""

from dataclasses import dataclass
from functools import lru_cache

from gossamer.gossip.basis import (
    NAME_LIMIT,
    Malformed,
    array,
    blob,
    decode,
    encode,
    known_items,
    text,
    whole,
)
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    KEY_LIMIT,
    MEMBER,
    VALUE_LIMIT,
    VERSION_LIMIT,
    MemberUpdate,
    Operation,
    parse_member_update,
)

from ._messages import KIND_LIMIT

DELTA = 1
HEAD = 2
# The first kind that this version does not know.
LATER = 5
NUMBER_LIMIT = (1 << 64) - 1


@dataclass(slots=True)
class Delta:
    """Operations of one owner that follow version `since`."""

    owner: str
    epoch: int
    since: int
    operations: list[Operation]


@dataclass(slots=True)
class Head:
    """That an owner's part stands at this version; the change itself was too large."""

    owner: str
    epoch: int
    version: int


@dataclass(slots=True)
class LaterUpdate:
    """An update that this version does not understand; its origin counts those of each kind."""

    kind: int
    origin: str
    epoch: int
    number: int


Update = MemberUpdate | Delta | Head | LaterUpdate


def encode_delta(owner: str, epoch: int, since: int, operations: list[Operation]) -> bytes:
    """Return the update that carries `operations`, the first of which is version `since + 1`."""
    flat = [item for operation in operations for item in operation]
    return encode([DELTA, owner, epoch, since, flat])


def encode_head(owner: str, epoch: int, version: int) -> bytes:
    """Return the update that announces a version."""
    return encode([HEAD, owner, epoch, version])


# Each update arrives several times; after a partition, so many others come between that the core
# no longer remembers it.
@lru_cache(maxsize=4096)
def decode_update(payload: bytes) -> Update:
    """Return what an update says, or raise `Malformed`; what is returned must not be changed."""
    items = array(decode(payload))
    kind = whole(items[0] if items else None, KIND_LIMIT)
    if kind == MEMBER:
        return parse_member_update(items)
    if kind == DELTA:
        return parse_delta(items)
    if kind == HEAD:
        _, owner, epoch, version = known_items(items, 4)
        return Head(owner_name(owner), whole(epoch, EPOCH_LIMIT), whole(version, VERSION_LIMIT))
    if kind < LATER:
        raise Malformed("an entry of an exchange is not an update")
    _, origin, epoch, number = known_items(items, 4)
    return LaterUpdate(
        kind, owner_name(origin), whole(epoch, EPOCH_LIMIT), whole(number, NUMBER_LIMIT)
    )


def parse_delta(items: list[object]) -> Delta:
    """Return the delta in a decoded update or entry, or raise `Malformed`."""
    _, owner, epoch, since, flat = known_items(items, 5)
    operations = parse_operations(array(flat))
    if not operations:
        raise Malformed("a delta is empty")
    # What it leads to has to be a version that a head can carry.
    since = whole(since, VERSION_LIMIT - len(operations))
    return Delta(owner_name(owner), whole(epoch, EPOCH_LIMIT), since, operations)


def owner_name(value: object) -> str:
    """Return `value` if it can be an owner's name, else raise `Malformed`."""
    name = text(value, NAME_LIMIT)
    if not name or not name.isprintable():
        raise Malformed("an owner is unusable")
    return name


def parse_operations(flat: list[object]) -> list[Operation]:
    """Return the operations in a flat array of keys and values, or raise `Malformed`."""
    if len(flat) % 2:
        raise Malformed("a key has no value")
    pairs = iter(flat)
    return [
        (text(key, KEY_LIMIT), None if value is None else blob(value, VALUE_LIMIT))
        for key, value in zip(pairs, pairs, strict=True)
    ]
