from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Required, TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a service wants to be registered as, in the form in which it was asked for.

    Nothing is checked here: the registry checks every field when it takes the registration, and
    names the field that it refuses. So one value passes through all layers, and each way in
    has the same rules.
    """

    service: str
    port: int
    address: str | None = None
    """Where consumers connect to; None for the address of the peer that registers."""
    id: str | None = None
    """Unique within the service; None for one made of service, address and port."""
    tags: Iterable[str] = field(default=(), hash=False)
    metadata: Mapping[str, str] | None = field(default=None, hash=False)
    weight: int = 1
    zone: str | None = None
    """None for the zone of the peer that registers."""
    ttl: float | None = None
    """Seconds that it lives without a heartbeat; None if it lives as long as its owner."""
    status: str = "UP"
    source: str = "process"
    """What registered it: `process` for a call by the embedding program, `http`, and so on."""


class RegistrationFields(TypedDict, total=False):
    """The fields that a call such as `peer.register("orders", port=8080)` may name.

    Those of `Registration`, except the service and the source.
    """

    port: Required[int]
    address: str | None
    id: str | None
    tags: Iterable[str]
    metadata: Mapping[str, str] | None
    weight: int
    zone: str | None
    ttl: float | None
    status: str
