"""What owners write into their parts: the keys, the two kinds of records, and their bytes.

A record of an instance is three registers, each with a stamp and each decided by the higher one:
`stamp` is that of the registration, `report_stamp` that of the service's last word on its own
status, `override_stamp` that of the last decision on its override.
They are apart so that a status that is set late cannot revive what was deregistered meanwhile,
and a registration that is repeated cannot undo a status that it knew nothing of.

A peer that is not the owner writes its decision as an `Intervention` into its own part:
`remove` hides every registration with a lower stamp, `status` and `clear` outrank every
override with a lower stamp, and `report` every report.

What is frozen: the first item, `FORM`, of every record; in a record of form 1 the 14 items of an
instance in their order here, the 7 of an intervention, and the 4 of an override within both.
Every version reads them in the same way. A later version adds items behind them; these
are kept as one byte string, the tail, and copied into all that is made from the record.
What cannot be said so takes another form or another family, which is passed on unread.

Bytes from the mesh are refused unless each known item has the type and passes the check that a
user's input has to pass.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gossamer.gossip import (
    EPOCH_LIMIT,
    STAMP_LIMIT,
    Malformed,
    decode,
    encode,
    join_tail,
    split_tail,
)
from gossamer.peers.model import (
    METADATA_PAIRS,
    MOMENT_MOST,
    OVERRIDE_BYTES,
    RECORD_BYTES,
    TAIL_BYTES,
    TTL_LEAST,
    TTL_MOST,
    BadInput,
    Override,
    check_address,
    check_by,
    check_names,
    check_output,
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

from ._families import INSTANCES, INTERVENTIONS, REPORTS, Refused, Unknown
from ._tail import read_tail

# The first item of every record; a record of another form is a later version's.
FORM = 1

# How many items are frozen, and stand before the tail.
_RECORD_ITEMS = 14
_INTERVENTION_ITEMS = 7
_OVERRIDE_ITEMS = 4
# A record with an override, and the tails of both.
_BYTES_MOST = RECORD_BYTES + OVERRIDE_BYTES + 2 * TAIL_BYTES

# Service and id.
Subject = tuple[str, str]


class Kind(StrEnum):
    """What an intervention decides."""

    REMOVE = "remove"
    STATUS = "status"
    CLEAR = "clear"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Report:
    """A service's word about itself; of two, that with the higher stamp counts."""

    stamp: int
    status: str
    output: str


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
    tail: bytes = b""

    @property
    def source(self) -> str:
        """What registered it."""
        return read_tail(self.tail).source

    @property
    def report_stamp(self) -> int:
        """The stamp of the own status: of the last report, or of the registration."""
        return read_tail(self.tail).report_stamp or self.stamp

    @property
    def output(self) -> str:
        """What the service said of itself with its status."""
        return read_tail(self.tail).output

    @property
    def report(self) -> Report:
        """The service's last word about itself."""
        return Report(self.report_stamp, self.status, self.output)

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
    tail: bytes = b""
    """In a report: the status and the output."""

    @property
    def report(self) -> Report | None:
        """The report that it tells of, if it is one."""
        if self.kind is not Kind.REPORT:
            return None
        return Report(self.stamp, *_read_report(self.tail))


def instance_key(subject: Subject) -> str:
    """Return the key of an instance in its owner's part."""
    return f"{INSTANCES}\n{subject[0]}\n{subject[1]}"


def intervention_key(subject: Subject) -> str:
    """Return the key of an intervention in its writer's part."""
    return f"{INTERVENTIONS}\n{subject[0]}\n{subject[1]}"


def report_key(subject: Subject) -> str:
    """Return the key of a report in the part of a writer that does not own the instance.

    It is another than that of an intervention, so that an operator's decision and a service's
    report can both wait for the owner.
    """
    return f"{REPORTS}\n{subject[0]}\n{subject[1]}"


def parse_key(key: str) -> Subject:
    """Return the names in the key of an instance or an intervention; raises `Refused`."""
    family, _, names = key.partition("\n")
    service, separator, name = names.partition("\n")
    if not separator:
        raise Refused(f"a key of the family {family} without two names")
    try:
        return check_names(service, name)
    except BadInput as error:
        raise Refused(str(error)) from None


def encode_record(record: Record) -> bytes:
    """Return the bytes of an instance's record."""
    flat = [text for pair in record.metadata for text in pair]
    return join_tail(
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
        ],
        record.tail,
    )


# A record is read again when its owner returns, and where many peers share a process.
@lru_cache(maxsize=1024)
def decode_record(data: bytes) -> Record:
    """Return the record of an instance, or raise `Refused` or `Unknown`."""
    items, tail = _items(data, _RECORD_ITEMS)
    try:
        return Record(
            stamp=_whole(items[1], STAMP_LIMIT),
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
            override_stamp=_whole(items[13], STAMP_LIMIT),
            tail=tail,
        )
    except BadInput as error:
        raise Refused(str(error)) from None


def encode_intervention(intervention: Intervention) -> bytes:
    """Return the bytes of an intervention."""
    return join_tail(
        [
            FORM,
            intervention.stamp,
            intervention.kind.value,
            intervention.owner,
            intervention.owner_epoch,
            _flatten(intervention.override),
            intervention.written_ms,
        ],
        intervention.tail,
    )


def decode_intervention(data: bytes) -> Intervention:
    """Return an intervention, or raise `Refused` or `Unknown`."""
    items, tail = _items(data, _INTERVENTION_ITEMS)
    try:
        intervention = Intervention(
            stamp=_whole(items[1], STAMP_LIMIT),
            owner=check_text("owner", items[3], 255),
            owner_epoch=_whole(items[4], EPOCH_LIMIT),
            override=_override(items[5]),
            written_ms=_whole(items[6], MOMENT_MOST),
            tail=tail,
            # Last, since what else is wrong is damage.
            kind=_kind(items[2]),
        )
        if intervention.kind is Kind.REPORT:
            _read_report(tail)
    except BadInput as error:
        raise Refused(str(error)) from None
    if (intervention.kind is Kind.STATUS) != (intervention.override is not None):
        raise Refused("an override that does not go with its kind")
    return intervention


def report_tail(status: str, output: str) -> bytes:
    """Return the tail of an intervention that is a report."""
    return encode([status, output])


@lru_cache(maxsize=1024)
def _read_report(tail: bytes) -> tuple[str, str]:
    items = decode(tail) if tail else None
    if type(items) is not list or len(items) < 2:
        raise Refused("a report without a status or an output")
    return check_override_status(items[0]), check_output(items[1])


# The items that are frozen, and the tail.
def _items(data: bytes, frozen: int) -> tuple[list[object], bytes]:
    if len(data) > _BYTES_MOST:
        raise Refused("a record is too large")
    try:
        items = decode(data)
        if type(items) is not list or not items:
            raise Refused("a record is not an array of items")
        form = items[0]
        if type(form) is int and form > 0 and form != FORM:
            raise Unknown(f"a record of the form {form}")
        if type(form) is not int or form != FORM or len(items) < frozen:
            raise Refused("a record has fewer items, or another form")
        return items[:frozen], split_tail(items, frozen, TAIL_BYTES)
    except Malformed as error:
        raise Refused(str(error)) from None


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
        raise Refused("the kind of an intervention is not a text")
    try:
        return Kind(value)
    except ValueError:
        raise Unknown(f"an intervention of the kind {value}") from None


def _flatten(override: Override | None) -> list[object] | None:
    if override is None:
        return None
    ends = None if override.expires_at is None else round(override.expires_at * 1000)
    items: list[object] = [override.status, override.reason, override.by, ends]
    return items if not override.tail else items + _list(decode(override.tail))


def _override(value: object) -> Override | None:
    if value is None:
        return None
    if type(value) is not list or len(value) < _OVERRIDE_ITEMS:
        raise Refused("an override has another shape")
    status, reason, by, ends = value[:_OVERRIDE_ITEMS]
    try:
        tail = split_tail(value, _OVERRIDE_ITEMS, TAIL_BYTES)
    except Malformed as error:
        raise Refused(str(error)) from None
    return Override(
        status=check_override_status(status),
        reason=check_reason(reason),
        by=check_by(by),
        expires_at=None if ends is None else _whole(ends, MOMENT_MOST) / 1000,
        tail=tail,
    )
