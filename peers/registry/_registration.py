from gossamer.peers.model import (
    RECORD_BYTES,
    BadInput,
    Override,
    Registration,
    TooLarge,
    check_address,
    check_by,
    check_expires,
    check_metadata,
    check_names,
    check_override_status,
    check_port,
    check_reason,
    check_source,
    check_status,
    check_tags,
    check_ttl,
    check_weight,
    check_zone,
)

from ._records import Record, Subject, encode_record
from ._tail import write_tail


def read_registration(
    wanted: Registration, *, address: str | None, zone: str | None, wall_ms: int
) -> tuple[Subject, Record]:
    """Return the names and the record, still without stamps, that a user asks for.

    `address` and `zone` are the peer's own, for a registration without any.
    Raises `BadInput` or `TooLarge`.
    """
    address = address if wanted.address is None else wanted.address
    if address is None:
        raise BadInput(
            "address",
            "address is missing, and this peer does not know its own;"
            " give the address that consumers connect to",
        )
    port = check_port(wanted.port)
    address = check_address(address)
    made = f"{wanted.service}-{address}-{port}"
    subject = check_names(wanted.service, made if wanted.id is None else wanted.id)
    record = Record(
        stamp=0,
        status=check_status(wanted.status),
        address=address,
        port=port,
        tags=check_tags(wanted.tags),
        metadata=check_metadata(wanted.metadata),
        weight=check_weight(wanted.weight),
        zone=check_zone(zone if wanted.zone is None else wanted.zone),
        ttl_ms=check_ttl(wanted.ttl),
        registered_ms=wall_ms,
        updated_ms=wall_ms,
        override=None,
        override_stamp=0,
        tail=write_tail(source=check_source(wanted.source)),
    )
    size = len(encode_record(record))
    if size > RECORD_BYTES:
        raise TooLarge(
            f"the instance has {size} bytes, and the limit is {RECORD_BYTES};"
            " shorten its metadata or tags",
            field="metadata",
        )
    return subject, record


def read_override(
    status: object, reason: object, expires: object, by: object, wall_ms: int
) -> Override:
    """Return the override that a user asks for, to end `expires` seconds from now.

    Raises `BadInput`.
    """
    status = check_override_status(status)
    ends_ms = check_expires(expires)
    return Override(
        status=status,
        reason=check_reason(reason),
        by=check_by(by),
        expires_at=None if ends_ms is None else (wall_ms + ends_ms) / 1000,
    )
