"""What owners write into their parts: the keys, the two kinds of records, and their bytes.

A record of an instance is two registers, each with a stamp and each decided by the higher one:
`stamp` is that of the registration, `override_stamp` that of the last decision on its override.
They are apart so that a status that is set late cannot revive what was deregistered meanwhile,
and a registration that is repeated cannot undo a status that it knew nothing of.

A peer that is not the owner writes its decision as an `Intervention` into its own part:
`remove` hides every registration with a lower stamp, `status` and `clear` outrank every
override with a lower stamp.

Bytes from the mesh are refused unless each item has the type and passes the check that a
user's input has to pass.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gossamer.gossip import Malformed, decode, encode
from gossamer.peers.model import (
    EPOCH_MOST,
    METADATA_PAIRS,
    MOMENT_MOST,
    OVERRIDE_BYTES,
    RECORD_BYTES,
    STAMP_MOST,
    TTL_LEAST,
    TTL_MOST,
    BadInput,
    Override,
    check_address,
    check_by,
    check_names,
    check_override_status,
    check_pair,
    check_port,
    check_reason,
    check_status,
    check_tags,
    check_text,
    check_weight,
    check_zone,
)

# The first item of every record, so that another form can be told apart one day.
FORM = 1

# The key of the record that tells of a peer's keys (_key_news.py); it is no instance's.
KEYS_RECORD = "k"

# Service and id.
Subject = tuple[str, str]


class Refused(ValueError):
    """A record from the mesh is not what it should be; nothing was changed."""


class Kind(StrEnum):
    """What an intervention decides."""

    REMOVE = "remove"
    STATUS = "status"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Record:
    """An instance as its owner publishes it."""

    stamp: int
    status: str
    address: str
    port: int
    tags: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]
    weight: int
    zone: str | None
    ttl_ms: int | None
    registered_ms: int
    updated_ms: int
    override: Override | None
    override_stamp: int

    @property
    def leased(self) -> bool:
        """Whether it lives by heartbeats, and not with its owner's process."""
        return self.ttl_ms is not None


@dataclass(frozen=True, slots=True)
class Intervention:
    """A decision on an instance by a peer that is not its owner."""

    stamp: int
    kind: Kind
    owner: str
    """The owner that is to adopt it."""
    owner_epoch: int
    override: Override | None
    written_ms: int


def instance_key(subject: Subject) -> str:
    """Return the key of an instance in its owner's part."""
    return f"i\n{subject[0]}\n{subject[1]}"


def intervention_key(subject: Subject) -> str:
    """Return the key of an intervention in its writer's part."""
    return f"o\n{subject[0]}\n{subject[1]}"


def parse_key(key: str) -> tuple[str, Subject]:
    """Return `i` or `o`, and the names in a key; raises `Refused`."""
    kind, _, names = key.partition("\n")
    service, separator, name = names.partition("\n")
    if kind not in {"i", "o"} or not separator:
        raise Refused("a key of another kind")
    try:
        return kind, check_names(service, name)
    except BadInput as error:
        raise Refused(str(error)) from None


def encode_record(record: Record) -> bytes:
    """Return the bytes of an instance's record."""
    flat = [text for pair in record.metadata for text in pair]
    return encode(
        [
            FORM,
            record.stamp,
            record.status,
            record.address,
            record.port,
            list(record.tags),
            flat,
            record.weight,
            record.zone,
            record.ttl_ms,
            record.registered_ms,
            record.updated_ms,
            _flatten(record.override),
            record.override_stamp,
        ]
    )


# A record is read again when its owner returns, and where many peers share a process.
@lru_cache(maxsize=1024)
def decode_record(data: bytes) -> Record:
    """Return the record of an instance, or raise `Refused`."""
    items = _items(data, 14)
    try:
        return Record(
            stamp=_whole(items[1], STAMP_MOST),
            status=check_status(items[2]),
            address=check_address(items[3]),
            port=check_port(items[4]),
            tags=check_tags(_list(items[5])),
            metadata=_pairs(_list(items[6])),
            weight=check_weight(items[7]),
            zone=check_zone(items[8]),
            ttl_ms=None if items[9] is None else _ttl(items[9]),
            registered_ms=_whole(items[10], MOMENT_MOST),
            updated_ms=_whole(items[11], MOMENT_MOST),
            override=_override(items[12]),
            override_stamp=_whole(items[13], STAMP_MOST),
        )
    except BadInput as error:
        raise Refused(str(error)) from None


def encode_intervention(intervention: Intervention) -> bytes:
    """Return the bytes of an intervention."""
    return encode(
        [
            FORM,
            intervention.stamp,
            intervention.kind.value,
            intervention.owner,
            intervention.owner_epoch,
            _flatten(intervention.override),
            intervention.written_ms,
        ]
    )


def decode_intervention(data: bytes) -> Intervention:
    """Return an intervention, or raise `Refused`."""
    items = _items(data, 7)
    try:
        intervention = Intervention(
            stamp=_whole(items[1], STAMP_MOST),
            kind=_kind(items[2]),
            owner=check_text("owner", items[3], 255),
            owner_epoch=_whole(items[4], EPOCH_MOST),
            override=_override(items[5]),
            written_ms=_whole(items[6], MOMENT_MOST),
        )
    except BadInput as error:
        raise Refused(str(error)) from None
    if (intervention.kind is Kind.STATUS) != (intervention.override is not None):
        raise Refused("an override that does not go with its kind")
    return intervention


def _items(data: bytes, count: int) -> list[object]:
    if len(data) > RECORD_BYTES + OVERRIDE_BYTES:
        raise Refused("a record is too large")
    try:
        items = decode(data)
    except Malformed as error:
        raise Refused(str(error)) from None
    if type(items) is not list or len(items) != count:
        raise Refused("a record has another number of items")
    if type(items[0]) is not int or items[0] != FORM:
        raise Refused("a record of another form")
    return items


def _list(value: object) -> list[object]:
    if type(value) is not list:
        raise Refused("an array is of another type")
    return value


def _whole(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise Refused("an integer is out of range or of another type")
    return value


def _ttl(value: object) -> int:
    ttl_ms = _whole(value, round(TTL_MOST * 1000))
    if ttl_ms < TTL_LEAST * 1000:
        raise Refused("a lease is too short")
    return ttl_ms


def _pairs(flat: list[object]) -> tuple[tuple[str, str], ...]:
    if len(flat) % 2 or len(flat) > 2 * METADATA_PAIRS:
        raise Refused("metadata are not pairs, or too many")
    pairs = tuple(check_pair(flat[i], flat[i + 1]) for i in range(0, len(flat), 2))
    if len(dict(pairs)) != len(pairs):
        raise Refused("a metadata key is there twice")
    return pairs


def _kind(value: object) -> Kind:
    if type(value) is not str:
        raise Refused("an intervention of another kind")
    try:
        return Kind(value)
    except ValueError:
        raise Refused("an intervention of another kind") from None


def _flatten(override: Override | None) -> list[object] | None:
    if override is None:
        return None
    ends = None if override.expires_at is None else round(override.expires_at * 1000)
    return [override.status, override.reason, override.by, ends]


def _override(value: object) -> Override | None:
    if value is None:
        return None
    if type(value) is not list or len(value) != 4:
        raise Refused("an override has another shape")
    status, reason, by, ends = value
    return Override(
        status=check_override_status(status),
        reason=check_reason(reason),
        by=check_by(by),
        expires_at=None if ends is None else _whole(ends, MOMENT_MOST) / 1000,
    )
