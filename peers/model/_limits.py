"""The registry's named limits, each with its reason, and its settings."""

from dataclasses import dataclass

from gossamer.gossip import KEY_LIMIT, ZONE_LIMIT

from ._errors import ConfigError

# Names travel in URLs, keys and tables; Consul and Kubernetes stay below 64, Eureka's clients
# make ids of a host, an application and a port, of which a host alone may have 253 characters.
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
# Below a second no heartbeat would be in time; beyond a week it is no lease.
TTL_LEAST = 1.0
TTL_MOST = 7 * 86_400.0
# An override that should stay longer is one without an end.
EXPIRES_MOST = 366 * 86_400.0
# A record of this size still is one of thousands in memory, and a handful of datagrams.
RECORD_BYTES = 8 * 1024
# What an override adds to a record that was within the limit when it was registered:
# reason and author of four bytes a character, and the numbers.
OVERRIDE_BYTES = 2 * 1024
# What later versions say in records behind what this one knows: passed on unread, so bounded.
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
    """Instances that may be registered through this peer."""

    overrides: int = 4_096
    """Overrides of other peers' instances that this peer keeps; beyond, the oldest is dropped."""

    owners_per_instance: int = 32
    """Owners of one instance that compete to be shown, besides this peer: those of the highest
    stamps, whatever order they came in.  The others wait behind them."""

    override_kept_for: float = 48 * 3600.0
    """How long an override waits for an owner that is gone: as long as replication remembers
    that there was such an owner."""

    preserve_window: float = 60.0
    """Peers that vanish within this time count as one loss."""

    preserve_share: float = 0.3
    """The share of the living peers whose loss is held for a fault of the network."""

    preserve_for: float = 900.0
    """How long the instances of such peers stay in answers, counted from each one's verdict."""

    preserve_settle: float = 10.0
    """How long enough of them must be back before the rest is given up."""

    def __post_init__(self) -> None:
        for name in ("instances", "overrides", "owners_per_instance"):
            if getattr(self, name) < 1:
                raise ConfigError(name, f"{name} must be at least 1")
        for name in ("override_kept_for", "preserve_window", "preserve_for", "preserve_settle"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(name, f"{name} must be a number of seconds, 0 or more")
        if not 0 < self.preserve_share <= 1:
            raise ConfigError("preserve_share", "preserve_share must be above 0 and at most 1")
