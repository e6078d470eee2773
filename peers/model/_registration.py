from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Required, TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A registration, as a caller asks for it.

    This class checks nothing: the registry checks every field when it accepts the registration,
    and names the field that it refuses. So one value passes through all layers, and every
    interface has the same rules.
    """

    service: str
    port: int
    address: str | None = None
    """The host that consumers connect to; None means the address of the registering peer."""
    id: str | None = None
    """Unique within the service; None means one made of service, address and port."""
    tags: Iterable[str] = field(default=(), hash=False)
    metadata: Mapping[str, str] | None = field(default=None, hash=False)
    weight: int = 1
    zone: str | None = None
    """None means the zone of the registering peer."""
    ttl: float | None = None
    """The lease in seconds; None means no lease: the instance lives as long as its owner."""
    status: str = "UP"
    source: str = "process"
    """The source of the registration: `process` for the embedding program, `http`, and so on."""


class RegistrationFields(TypedDict, total=False):
    """The keyword arguments of calls such as `peer.register("orders", port=8080)`.

    They are the fields of `Registration`, except the service and the source.
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
