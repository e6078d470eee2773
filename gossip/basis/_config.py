"""The settings of the protocol, the profiles (those of memberlist), and the checks of both."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

Profile = Literal["local", "lan", "wan"]

# The values that differ from the defaults below, which are those of `lan`.
_PROFILES: dict[str, dict[str, Any]] = {
    "lan": {},
    "wan": {
        "probe_interval": 5.0,
        "probe_timeout": 3.0,
        "gossip_interval": 0.5,
        "gossip_nodes": 4,
        "suspicion_multiplier": 6,
        "settle": 2.0,
        "stream_timeout": 30.0,
    },
    "local": {
        "probe_timeout": 0.2,
        "indirect_probes": 1,
        "gossip_interval": 0.1,
        "suspicion_multiplier": 3,
        "retransmit_multiplier": 2,
    },
}

# Every IPv6 path carries this many bytes beside its headers (QUIC's number, RFC 9000 section 14).
# A message with two member updates fits into it, however long the names are.
PACKET_LEAST = 1200
NAME_LIMIT = 128
ZONE_LIMIT = 64


class ConfigError(ValueError):
    """A value, or a combination of two values, cannot work; `fields` names them."""

    def __init__(self, field: str, sentence: str, *others: str) -> None:
        super().__init__(sentence)
        self.fields = (field, *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class GossipConfig:
    """One peer's protocol settings; times are in seconds.

    The settings that are true or false are for experiments: they switch off what Lifeguard adds to
    SWIM, and what Gossamer adds to both.
    """

    name: str
    """The peer's identity in the mesh, together with its epoch."""
    cluster: str = "default"
    """The peer ignores datagrams of other clusters."""
    zone: str = ""
    """Where the peer runs; the others learn it, the protocol does not use it."""

    probe_interval: float = 1.0
    """Time between two probes; also the time in which one probe has to succeed."""
    probe_timeout: float = 0.5
    """Time for a direct answer, before the prober asks relays."""
    indirect_probes: int = 3
    """How many relays the prober asks."""
    nack_share: float = 0.8
    """Share of its budget after which a relay says that it got no answer (Lifeguard, 80 %)."""
    nacks: bool = True
    """Whether relays send nacks at all; if not, a failed probe counts once against local health."""
    stream_probes: bool = True
    """Whether a prober also tries a stream if the target does not answer datagrams."""
    evidence: bool = True
    """Whether a member is declared dead at once when its host says that the process is gone."""
    tell_suspects: bool = True
    """Whether pings and acks to a suspect tell it of the suspicion (Lifeguard's buddy system)."""
    witnesses: bool = True
    """Whether some peers that hear of a suspicion probe the suspect next, out of turn."""
    suspicion_multiplier: int = 4
    """Times log10(n) probe intervals: the shortest time between suspicion and death."""
    suspicion_max_multiplier: int = 6
    """Times the shortest time: the longest time.  1 makes the time fixed, without confirmations."""
    awareness_limit: int = 8
    """The largest factor by which local health stretches interval and timeout; 1 turns it off."""
    isolation_limit: float = 30.0
    """An isolated peer accuses again after this time; 0 means that peers never become isolated."""
    stop_guard: bool = True
    """Whether a peer that was stopped drops its probes and gives its suspects more time."""

    gossip_interval: float = 0.2
    """Time between two rounds, which pass on the rumors that still wait."""
    gossip_nodes: int = 3
    """Members that one round reaches."""
    gather: float = 0.005
    """Updates that come within this time of the last one are sent together."""
    eager: bool = True
    """Whether updates are sent at once along their tree; if not, they wait for rounds or probes."""
    rounds: bool = True
    """Whether rounds pass on rumors; if not, only the datagrams of probes carry them."""
    retransmit_multiplier: int = 4
    """Times ceil(log10(n + 1)): how often a peer passes on a membership rumor."""
    registry_multiplier: int = 1
    """The same for registry rumors, not counting the first sends; repair finds what they miss."""
    tree_arity: int = 3
    """Children of a peer in a rumor's tree; one more member is chosen at random."""

    settle: float = 0.5
    """A peer repairs a difference of roots when its own root has not changed for this time."""
    stream_timeout: float = 10.0
    """Time for one exchange over a stream."""
    stream_rate: int = 256 * 1024
    """Bytes a second: a stream on which data moves gets more time than `stream_timeout`, in
    proportion to the data, so that a part of 32 MiB passes over a slow link."""
    stream_extension: float = 180.0
    """The largest extension that a stream gets in this way."""
    inbound_exchanges: int = 3
    """Exchanges served at once; further peers are told when to come back.  One host gets at most
    as many as are still free, so that it cannot take all."""
    exchange_items: int = 100_000
    """Members, heads and entries that one side may send in one exchange."""
    host_items: int = 200_000
    """The same for all exchanges that one host began within ten seconds; after that it is told to
    come back later."""
    sender_datagrams: int = 500
    """Datagrams of one address that are read in a second; a storm of 1,000 peers causes about
    sixty."""
    sender_updates: int = 3000
    """Updates of one address that are read in a second, without those that are known already."""
    senders: int = 4096
    """Addresses that have their own count within a second; all others share one count."""

    leave_timeout: float = 1.0
    """Time in which others can acknowledge a departure."""
    drain: float = 0.1
    """Time in which a peer that has left still answers."""

    dead_for: float = 24 * 3600.0
    """How long peers ping a dead member again."""
    left_for: float = 60.0
    """How long a member that left is listed."""
    part_for: float = 3600.0
    """How long the records of a dead owner are kept."""
    tombstone_for: float = 48 * 3600.0
    """How long a forgotten name's last epoch is remembered."""

    packet_limit: int = 1400
    """Bytes of one datagram, counted after sealing."""
    member_limit: int = 20_000
    """How many members are kept, and also how many owners."""
    store_bytes: int = 512 * 1024 * 1024
    """Bytes of all other owners' records together.  Records that are here stay; the peer tries
    again now and then to store those that found no room."""
    queue_limit: int = 2048
    """Rumors of one class that wait to be passed on."""

    @classmethod
    def profile(cls, profile: Profile = "lan", **changes: Any) -> Self:
        """Return the settings of a named profile with some changed."""
        if profile not in _PROFILES:
            raise ConfigError(
                "profile", f"profile {profile!r} is unknown: choose local, lan or wan"
            )
        return cls(**{**_PROFILES[profile], **changes})

    def __post_init__(self) -> None:
        for label, value, limit in (
            ("name", self.name, NAME_LIMIT),
            ("cluster", self.cluster, NAME_LIMIT),
            ("zone", self.zone, ZONE_LIMIT),
        ):
            check_name(label, value, limit, empty=label == "zone")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in ("float", float, "int", int):
                self._check_number(field.name, value, whole=field.type in ("int", int))
            elif field.type in ("bool", bool) and type(value) is not bool:
                raise ConfigError(field.name, f"{field.name} must be true or false, not {value!r}")
        self._check_together()

    @staticmethod
    def _check_number(label: str, value: object, *, whole: bool) -> None:
        allowed = (int,) if whole else (int, float)
        if type(value) not in allowed:
            kind = "a whole number" if whole else "a number of seconds"
            raise ConfigError(label, f"{label} must be {kind}, not {value!r}")
        assert isinstance(value, int | float)
        if not 0 <= value < 10**9:  # also refuses NaN
            raise ConfigError(label, f"{label} must be from 0 to 1,000,000,000, not {value!r}")

    def _check_together(self) -> None:
        for label in (
            "probe_interval", "probe_timeout", "gossip_interval", "gossip_nodes",
            "suspicion_multiplier", "suspicion_max_multiplier", "awareness_limit",
            "retransmit_multiplier", "registry_multiplier", "tree_arity", "stream_timeout",
            "inbound_exchanges", "leave_timeout", "member_limit", "queue_limit", "stream_rate",
            "exchange_items", "host_items", "sender_datagrams", "sender_updates", "senders",
            "store_bytes",
        ):  # fmt: skip
            if getattr(self, label) <= 0:
                raise ConfigError(label, f"{label} must be greater than 0")
        for smaller, larger in (
            ("probe_timeout", "probe_interval"),
            ("gather", "gossip_interval"),
            ("part_for", "tombstone_for"),
        ):
            if getattr(self, smaller) >= getattr(self, larger):
                raise ConfigError(
                    smaller,
                    f"{smaller} ({getattr(self, smaller)}) must be smaller than "
                    f"{larger} ({getattr(self, larger)})",
                    larger,
                )
        if not 0 < self.nack_share < 1:
            raise ConfigError("nack_share", "nack_share must lie between 0 and 1")
        if not PACKET_LEAST <= self.packet_limit <= 1400:
            raise ConfigError(
                "packet_limit", f"packet_limit must be from {PACKET_LEAST} to 1400 bytes"
            )


def check_name(label: str, value: object, limit: int, *, empty: bool = False) -> None:
    """Raise `ConfigError` unless `value` is a printable name of at most `limit` bytes in UTF-8."""
    if type(value) is not str:
        raise ConfigError(label, f"{label} must be a text, not {value!r}")
    if not value and not empty:
        raise ConfigError(label, f"{label} must not be empty")
    if not value.isprintable():
        raise ConfigError(label, f"{label} must not contain control characters")
    if len(value.encode()) > limit:
        raise ConfigError(label, f"{label} must have at most {limit} bytes")
