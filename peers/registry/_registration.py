from gossamer.peers.model import (
    RECORD_BYTES,
    BadInput,
    TooLarge,
    check_address,
    check_metadata,
    check_names,
    check_port,
    check_status,
    check_tags,
    check_ttl,
    check_weight,
    check_zone,
)

from ._records import Record, Subject, encode_record


def read_registration(
    service: object,
    *,
    id: object,
    port: object,
    address: object,
    tags: object,
    metadata: object,
    weight: object,
    zone: object,
    ttl: object,
    status: object,
    wall_ms: int,
) -> tuple[Subject, Record]:
    """Return the names and the record, still without stamps, that a user asks for.

    Raises `BadInput` or `TooLarge`.
    """
    if address is None:
        raise BadInput("address", "address is not known here; give the one to connect to")
    port = check_port(port)
    address = check_address(address)
    subject = check_names(service, f"{service}-{address}-{port}" if id is None else id)
    record = Record(
        stamp=0,
        status=check_status(status),
        address=address,
        port=port,
        tags=check_tags(tags),
        metadata=check_metadata(metadata),
        weight=check_weight(weight),
        zone=check_zone(zone),
        ttl_ms=check_ttl(ttl),
        registered_ms=wall_ms,
        updated_ms=wall_ms,
        override=None,
        override_stamp=0,
    )
    size = len(encode_record(record))
    if size > RECORD_BYTES:
        raise TooLarge(
            f"the instance takes {size} bytes and may take {RECORD_BYTES};"
            " shorten its metadata or tags",
            "metadata",
        )
    return subject, record
