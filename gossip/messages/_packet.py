"""What a datagram says: who speaks, its messages, and the updates that ride along.

    body      [source, epoch, [message, ...], [update, ...]]
    message   [kind, sequence number, ...], see the constants below
    update    a byte string that is passed on as it came:
              [0, ...]                                        news of a member (_members.py)
              [1, owner, epoch, since, [key, value, ...]]     operations that follow `since`
              [2, owner, epoch, version]                      a head: the change is to be fetched

Everything is checked here before any of it is acted upon.
Updates are looked at one by one later: one that is bad never spoils the others.
"""

from dataclasses import dataclass
from functools import lru_cache

from gossamer.gossip.basis import NAME_LIMIT, Malformed, array, blob, decode, encode, text, whole
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    HOST_LIMIT,
    KEY_LIMIT,
    NEWS,
    VALUE_LIMIT,
    VERSION_LIMIT,
    News,
    Operation,
    parse_news,
)

PING = 0
"""[0, sequence, name of the peer that is meant; empty for whoever is there]"""
ACK = 1
"""[1, sequence, root of the sender]"""
PING_REQ = 2
"""[2, sequence, name, epoch, host, port, budget in ms]"""
NACK = 3
"""[3, sequence, root of the relay]: it got no answer yet"""
NOT_ME = 4
"""[4, sequence]: the peer that is meant is not here; the speaker is"""
LEAVE = 5
"""[5, sequence]: the speaker has left; to be acknowledged"""
RELAYED = 6
"""[6, sequence, root of the relay]: it got an answer"""
HOLD = 7
"""[7, sequence, version]: do you hold the speaker's part at this version or a later one?"""
HELD = 8
"""[8, sequence]: yes"""
GONE = 9
"""[9, sequence]: the relay was told at the target's address that the target is not there"""

ROOT_SIZE = 16
_SEQUENCE_LIMIT = (1 << 32) - 1
_BUDGET_LIMIT = 600_000
_MESSAGES_LIMIT = 8
_UPDATES_LIMIT = 128
_UPDATE_SIZE_LIMIT = 1400

DELTA = 1
HEAD = 2

Message = list[object]


@dataclass(slots=True)
class Packet:
    """A datagram's body, checked."""

    source: str
    epoch: int
    messages: list[Message]
    updates: list[bytes]


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


Update = News | Delta | Head


def encode_body(source: str, epoch: int, messages: list[Message], updates: list[bytes]) -> bytes:
    """Return the body of a datagram."""
    return encode([source, epoch, messages, updates])


def update_cost(payload: bytes) -> int:
    """Return the bytes that an update takes within a body."""
    size = len(payload)
    return size + (1 if size < 24 else 2 if size < 256 else 3)


# News go to several members in the same words; where these share a process, they read them once.
@lru_cache(maxsize=256)
def decode_body(body: bytes) -> Packet:
    """Return what a body says, or raise `Refused`; what is returned must not be changed."""
    try:
        source, epoch, messages, updates = array(decode(body), 4)
        source = text(source, NAME_LIMIT)
        if not source or not source.isprintable():
            raise Malformed("a source is unusable")
        epoch = whole(epoch, EPOCH_LIMIT)
        checked = [_check_message(array(message)) for message in array(messages)]
        payloads = [blob(update, _UPDATE_SIZE_LIMIT) for update in array(updates)]
    except Malformed as error:
        raise Refused("malformed") from error
    if len(checked) > _MESSAGES_LIMIT or len(payloads) > _UPDATES_LIMIT:
        raise Refused("malformed")
    return Packet(source, epoch, checked, payloads)


def _check_message(message: list[object]) -> Message:
    match message:
        case [int(kind), sequence]:
            if kind not in (NOT_ME, LEAVE, HELD, GONE):
                raise Malformed("a message is unknown")
        case [int(kind), sequence, target] if kind == PING:
            text(target, NAME_LIMIT)
        case [int(kind), sequence, version] if kind == HOLD:
            whole(version, VERSION_LIMIT)
        case [int(kind), sequence, root] if kind in (ACK, NACK, RELAYED):
            if len(blob(root, ROOT_SIZE)) != ROOT_SIZE:
                raise Malformed("a root has another length")
        case [int(kind), sequence, name, epoch, host, port, budget] if kind == PING_REQ:
            text(name, NAME_LIMIT)
            whole(epoch, EPOCH_LIMIT)
            text(host, HOST_LIMIT)
            if whole(port, 65535) == 0:
                raise Malformed("a port is unusable")
            whole(budget, _BUDGET_LIMIT)
        case _:
            raise Malformed("a message is unknown")
    if type(message[0]) is not int:
        raise Malformed("a message's kind is of another type")
    whole(sequence, _SEQUENCE_LIMIT)
    return message


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
    kind = items[0] if items else None
    if type(kind) is not int:
        raise Malformed("an update's kind is of another type")
    if kind == NEWS:
        return parse_news(items)
    if kind == DELTA:
        _, owner, epoch, since, flat = array(items, 5)
        operations = parse_operations(array(flat))
        if not operations:
            raise Malformed("a delta is empty")
        # What it leads to has to be a version that a head can carry.
        since = whole(since, VERSION_LIMIT - len(operations))
        return Delta(owner_name(owner), whole(epoch, EPOCH_LIMIT), since, operations)
    if kind == HEAD:
        _, owner, epoch, version = array(items, 4)
        return Head(owner_name(owner), whole(epoch, EPOCH_LIMIT), whole(version, VERSION_LIMIT))
    raise Malformed("an update's kind is unknown")


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
