"""The registry's named limits, each with its reason, and its settings."""

from dataclasses import dataclass

from gossamer.gossip import KEY_LIMIT, ZONE_LIMIT

from ._errors import ConfigError

# Names travel in URLs, keys and tables. Consul and Kubernetes stay below 64 characters. Eureka's
# clients make ids of a host, an application and a port, and a host may have 253 characters.
SERVICE_LENGTH = 128
ID_LENGTH = 256
# A key holds both names in UTF-8 and must fit what the replication takes.
KEY_BYTES = KEY_LIMIT
# A host name by RFC 1035, section 2.3.4, written as text.
ADDRESS_LENGTH = 253
# Consul's metadata has 64 pairs of keys of 128 and values of 512 characters; Spring's clients
# put whole URLs into values.
TAG_COUNT = 32
TAG_LENGTH = 128
METADATA_PAIRS = 64
METADATA_KEY_LENGTH = 128
METADATA_VALUE_LENGTH = 1024
ZONE_LENGTH = ZONE_LIMIT
REASON_LENGTH = 256
BY_LENGTH = 128
# As in DNS SRV (RFC 2782), whose answers carry the weight in 16 bits.
WEIGHT_MOST = 65_535
# Below a second no heartbeat would be in time; above a week it is not a lease.
TTL_LEAST = 1.0
TTL_MOST = 7 * 86_400.0
# An override that should stay longer needs no end.
EXPIRES_MOST = 366 * 86_400.0
# Memory has room for thousands of records of this size, and each needs a handful of datagrams.
RECORD_BYTES = 8 * 1024
# An override may add this much to a record at the limit: a reason and an author with four bytes
# per character, and the numbers.
OVERRIDE_BYTES = 2 * 1024
# The tail of a record, which later versions write and this version passes on unread.
TAIL_BYTES = 2 * 1024
# A word such as `kubernetes`.
SOURCE_LENGTH = 64
# A line or two of a health check, which travels with each change of it.
OUTPUT_BYTES = 256
# Unix milliseconds until the year 2527 leave room to count on above any stamp that is accepted.
MOMENT_MOST = (1 << 44) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryConfig:
    """Settings of the registry; times in seconds."""

    instances: int = 10_000
    """How many instances can be registered at this peer."""

    overrides: int = 4_096
    """How many interventions for other peers' instances are kept; then the oldest is dropped."""

    owners_per_instance: int = 32
    """How many owners of one instance compete to be shown, besides this peer: those with the
    highest stamps, in whatever order they came.  The others wait."""

    override_kept_for: float = 48 * 3600.0
    """How long an intervention waits for an owner that is gone: as long as replication remembers
    the owner."""

    preserve_window: float = 60.0
    """Peers that vanish within this time are counted together as one loss."""

    preserve_share: float = 0.3
    """The share of the living peers whose loss counts as a fault of the network."""

    preserve_for: float = 900.0
    """How long the instances of such a peer are preserved, from its death on."""

    preserve_settle: float = 10.0
    """How long enough of these peers must be back before the others are given up."""

    def __post_init__(self) -> None:
        for name in ("instances", "overrides", "owners_per_instance"):
            if getattr(self, name) < 1:
                raise ConfigError(name, f"{name} must be at least 1")
        for name in ("override_kept_for", "preserve_window", "preserve_for", "preserve_settle"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(name, f"{name} must be a number of seconds, 0 or more")
        if not 0 < self.preserve_share <= 1:
            raise ConfigError("preserve_share", "preserve_share must be above 0 and at most 1")
