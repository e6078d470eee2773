from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, overload


@dataclass(frozen=True, slots=True)
class Override:
    """A status that an operator set for an instance; it hides the instance's own status."""

    status: str
    reason: str | None
    by: str
    expires_at: float | None
    """Unix seconds; None if it stays until it is cleared."""
    tail: bytes = field(default=b"", repr=False)
    """Items of a later version, which this version passes on unread."""

    def to_json(self) -> dict[str, object]:
        """Return the JSON value of `override`."""
        return {
            "status": self.status,
            "reason": self.reason,
            "by": self.by,
            "expires_at": None if self.expires_at is None else show_moment(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class Instance:
    """One provider of a service, as this peer sees it at one moment."""

    service: str
    id: str
    address: str
    port: int
    status: str
    """The effective status: that of the override if one is set, else the own status."""
    own_status: str
    tags: tuple[str, ...]
    metadata: Mapping[str, str] = field(hash=False)
    weight: int
    zone: str | None
    ttl: float | None
    """Its lease in seconds; None if it has no lease and lives as long as its owner."""
    owner: str
    verified: bool
    """Whether its owner is in the mesh, and so would report its end."""
    registered_at: float
    """Unix seconds."""
    updated_at: float
    """Unix seconds."""
    override: Override | None
    output: str = ""
    """The output of the service's last report, at most 256 bytes; empty if there is none."""
    source: str = "process"
    """The source of the registration: `process`, `http`, `file`, `container`, `kubernetes`, …"""

    def to_json(self) -> dict[str, object]:
        """Return the shape that the HTTP interface and `--json` show."""
        shown: dict[str, object] = {
            "service": self.service,
            "id": self.id,
            "address": self.address,
            "port": self.port,
            "status": self.status,
            "own_status": self.own_status,
            "tags": list(self.tags),
            "metadata": dict(self.metadata),
            "weight": self.weight,
            "zone": self.zone,
            "ttl": self.ttl,
            "owner": self.owner,
            "verified": self.verified,
            "registered_at": show_moment(self.registered_at),
            "updated_at": show_moment(self.updated_at),
        }
        if self.output:
            shown["output"] = self.output
        if self.override is not None:
            shown["override"] = self.override.to_json()
        return shown


class Lookup(Sequence[Instance]):
    """The immutable answer to a lookup: instances, verified ones first."""

    __slots__ = ("_instances", "degraded", "index", "service")

    service: str
    degraded: bool
    """Whether the answer may be out of date: the peer is cut off, or an owner is missing."""
    # The word of the HTTP interface; it replaces the method of this name that sequences have.
    index: int  # type: ignore[assignment]
    """A number that grows with every change of the service."""

    def __init__(
        self, service: str, instances: tuple[Instance, ...], *, degraded: bool, index: int
    ) -> None:
        self.service = service
        self.degraded = degraded
        self.index = index
        self._instances = instances

    @overload
    def __getitem__(self, position: int) -> Instance: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Instance, ...]: ...
    def __getitem__(self, position: int | slice) -> Instance | tuple[Instance, ...]:
        return self._instances[position]

    def __len__(self) -> int:
        return len(self._instances)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._instances)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lookup):
            return NotImplemented
        return (
            self.service == other.service
            and self.degraded == other.degraded
            and self._instances == other._instances
        )

    def __hash__(self) -> int:
        return hash((self.service, self.degraded, self._instances))

    def __repr__(self) -> str:
        state = ", degraded" if self.degraded else ""
        return f"<Lookup of {self.service}: {len(self)} instances{state}>"

    def to_json(self) -> dict[str, object]:
        """Return the shape that the HTTP interface and `--json` show."""
        return {
            "service": self.service,
            "degraded": self.degraded,
            "instances": [instance.to_json() for instance in self._instances],
        }


class ServiceSummary(NamedTuple):
    """How many instances of a service are known, and how many of them are `UP`."""

    name: str
    instances: int
    up: int


class Preserved(NamedTuple):
    """How many instances of a service are preserved, and until when."""

    service: str
    instances: int
    ends_at: float
    """Unix seconds at which the last of them is dropped."""


def show_moment(seconds: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
