"""The body of a datagram: its sender, its messages, and updates.

    body      [source, epoch, [message, ...], [update, ...]]

Further items are of a later version and ignored.
Source, epoch and the two arrays are checked here, before the peer acts on any of them.
Each message is checked by itself, and so is each update, later (_updates.py): a bad one, or one of
a later kind, never spoils the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gossamer.gossip.basis import (
    NAME_LIMIT,
    Malformed,
    Unknown,
    array,
    blob,
    decode,
    encode,
    known_items,
    text,
    whole,
)
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import EPOCH_LIMIT

from ._messages import Message, parse_message

_MESSAGES_LIMIT = 8
_UPDATES_LIMIT = 128
_UPDATE_SIZE_LIMIT = 1400


@dataclass(slots=True)
class Packet:
    """A datagram's body, checked."""

    source: str
    epoch: int
    messages: list[Message]
    updates: list[bytes]
    unknown: int = 0
    """Messages of later kinds, which are not among `messages`."""
    malformed: int = 0
    """Messages that are bad, which are not among `messages` either."""


def encode_body(
    source: str, epoch: int, messages: Iterable[Message], updates: list[bytes]
) -> bytes:
    """Return the body of a datagram."""
    return encode([source, epoch, [message.items() for message in messages], updates])


def messages_size(messages: Iterable[Message]) -> int:
    """Return the bytes that messages take within a body."""
    return len(encode([message.items() for message in messages]))


def update_cost(payload: bytes) -> int:
    """Return the bytes that an update takes within a body."""
    size = len(payload)
    return size + (1 if size < 24 else 2 if size < 256 else 3)


# The same bytes go to several members; where these share a process, they read them once.
@lru_cache(maxsize=256)
def decode_body(body: bytes) -> Packet:
    """Return what a body says, or raise `Refused`; what is returned must not be changed."""
    try:
        source, epoch, messages, updates = known_items(array(decode(body)), 4)
        source = text(source, NAME_LIMIT)
        if not source or not source.isprintable():
            raise Malformed("a source is unusable")
        epoch = whole(epoch, EPOCH_LIMIT)
        told = array(messages)
        payloads = [blob(update, _UPDATE_SIZE_LIMIT) for update in array(updates)]
    except Malformed as error:
        raise Refused("malformed") from error
    if len(told) > _MESSAGES_LIMIT or len(payloads) > _UPDATES_LIMIT:
        raise Refused("malformed")
    packet = Packet(source, epoch, [], payloads)
    for message in told:
        try:
            packet.messages.append(parse_message(array(message)))
        except Unknown:
            packet.unknown += 1
        except Malformed:
            packet.malformed += 1
    return packet
