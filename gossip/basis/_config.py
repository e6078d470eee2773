"""The protocol's numbers: profiles as memberlist has them, and what cannot work together."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

Profile = Literal["local", "lan", "wan"]

# What differs from the defaults below, which are those of `lan`.
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

# What every IPv6 path carries, less its headers (QUIC's number, RFC 9000 section 14); a message
# with two pieces of news fits into it, however long the names are.
PACKET_LEAST = 1200
NAME_LIMIT = 128
ZONE_LIMIT = 64


class ConfigError(ValueError):
    """A value, or two values together, cannot work; `fields` names them."""

    def __init__(self, sentence: str, *fields: str) -> None:
        super().__init__(sentence)
        self.fields = fields


@dataclass(frozen=True, slots=True, kw_only=True)
class GossipConfig:
    """One peer's protocol settings; times in seconds.

    The settings that are true or false are for experiments: they leave out what Lifeguard adds to
    SWIM, and what is added here to both.
    """

    name: str
    """The peer's identity in the mesh, together with its epoch."""
    cluster: str = "default"
    """Peers of another cluster are not heard."""
    zone: str = ""
    """Where the peer runs; told to others, not used by the protocol."""

    probe_interval: float = 1.0
    """Time between two probes; also the time in which one probe has to succeed."""
    probe_timeout: float = 0.5
    """Time for a direct answer, before others are asked to try."""
    indirect_probes: int = 3
    """How many others are asked."""
    nack_share: float = 0.8
    """Share of its budget after which a relay says that it got no answer (Lifeguard, 80 %)."""
    nacks: bool = True
    """Whether a relay says so at all; without, a failed probe counts once against local health."""
    stream_probes: bool = True
    """Whether a target that does not answer datagrams is tried over a stream as well."""
    evidence: bool = True
    """Whether a member is held for dead at once when its host says that it is gone."""
    tell_suspects: bool = True
    """Whether a ping to a suspect, and an ack to one, tell it so (Lifeguard's buddy system)."""
    witnesses: bool = True
    """Whether some who hear of a suspicion probe the suspect next, out of its turn."""
    suspicion_multiplier: int = 4
    """Times log10(n) probe intervals: the shortest time between suspicion and death."""
    suspicion_max_multiplier: int = 6
    """Times the shortest: the longest; with 1 the time is fixed, and nobody counts accusers."""
    awareness_limit: int = 8
    """Local health stretches interval and timeout at most by this factor; with 1 never."""
    isolation_limit: float = 30.0
    """A peer that holds itself for isolated accuses again after this time; with 0 none does."""
    stop_guard: bool = True
    """Whether a peer that was itself stopped drops its probes and grants suspects the time."""

    gossip_interval: float = 0.2
    """Time between two rounds that carry on what news is left."""
    gossip_nodes: int = 3
    """Members that one round reaches."""
    gather: float = 0.005
    """News that come within this time of the last are sent together."""
    eager: bool = True
    """Whether news are sent at once along their tree; without, they wait for what follows."""
    rounds: bool = True
    """Whether rounds carry news on; without, they ride on the packets of probes alone."""
    retransmit_multiplier: int = 4
    """Times ceil(log10(n + 1)): how often a peer passes on a membership rumor."""
    registry_multiplier: int = 1
    """The same for registry rumors, apart from those sent at once; they have repair behind them."""
    tree_arity: int = 3
    """Children of a peer in a rumor's tree; one more member is chosen at random."""

    settle: float = 0.5
    """Roots that differ are repaired when this peer's own has not changed for this time."""
    stream_timeout: float = 10.0
    """Time for one exchange over a stream."""
    stream_rate: int = 256 * 1024
    """Bytes a second: what moves on a stream gives it more time than `stream_timeout`, in
    proportion, so that a part of 32 MiB passes over a slow link."""
    stream_extension: float = 180.0
    """The most time that a stream gains so."""
    inbound_exchanges: int = 3
    """Exchanges served at once; more are told when to come back.  One host gets as many as are
    still free, so that it cannot take all."""
    exchange_items: int = 100_000
    """Members, heads and entries that one side may bring in one exchange."""
    host_items: int = 200_000
    """The same for all exchanges that one host began within ten seconds; then it is told to come
    back later."""
    sender_datagrams: int = 500
    """Datagrams of one address that are heard in a second; in a storm of 1,000 peers it is some
    sixty."""
    sender_updates: int = 3000
    """Updates of one address that are looked at in a second, not counting known ones."""
    senders: int = 4096
    """Addresses whose datagrams are counted apart within a second; those beyond share one count."""

    leave_timeout: float = 1.0
    """Time to have a departure acknowledged."""
    drain: float = 0.1
    """Time in which a peer that has left still answers."""

    dead_for: float = 24 * 3600.0
    """How long a dead member is tried again."""
    left_for: float = 60.0
    """How long a member that left is listed."""
    part_for: float = 3600.0
    """How long the records of a dead owner are kept."""
    tombstone_for: float = 48 * 3600.0
    """How long a forgotten name's last epoch is remembered."""

    packet_limit: int = 1400
    """Bytes of one datagram, counted after sealing."""
    member_limit: int = 20_000
    """Members and, apart from them, owners that are kept."""
    store_bytes: int = 512 * 1024 * 1024
    """Bytes of other owners' records together.  Whoever comes first stays; what finds no room is
    tried again now and then."""
    queue_limit: int = 2048
    """Rumors of one class that wait to be passed on."""

    @classmethod
    def profile(cls, profile: Profile = "lan", **changes: Any) -> Self:
        """Return the settings of a named profile with some changed."""
        if profile not in _PROFILES:
            raise ConfigError(
                f"profile {profile!r} is unknown: choose local, lan or wan", "profile"
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
                raise ConfigError(f"{field.name} must be true or false, not {value!r}", field.name)
        self._check_together()

    @staticmethod
    def _check_number(label: str, value: object, *, whole: bool) -> None:
        allowed = (int,) if whole else (int, float)
        if type(value) not in allowed:
            kind = "a whole number" if whole else "a number of seconds"
            raise ConfigError(f"{label} must be {kind}, not {value!r}", label)
        assert isinstance(value, int | float)
        if not 0 <= value < 10**9:  # also refuses NaN
            raise ConfigError(f"{label} must be from 0 to 1,000,000,000, not {value!r}", label)

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
                raise ConfigError(f"{label} must be greater than 0", label)
        for smaller, larger in (
            ("probe_timeout", "probe_interval"),
            ("gather", "gossip_interval"),
            ("part_for", "tombstone_for"),
        ):
            if getattr(self, smaller) >= getattr(self, larger):
                raise ConfigError(
                    f"{smaller} ({getattr(self, smaller)}) must be smaller than "
                    f"{larger} ({getattr(self, larger)})",
                    smaller,
                    larger,
                )
        if not 0 < self.nack_share < 1:
            raise ConfigError("nack_share must lie between 0 and 1", "nack_share")
        if not PACKET_LEAST <= self.packet_limit <= 1400:
            raise ConfigError(
                f"packet_limit must be from {PACKET_LEAST} to 1400 bytes", "packet_limit"
            )


def check_name(label: str, value: object, limit: int, *, empty: bool = False) -> None:
    """Raise `ConfigError` unless `value` is a printable name of at most `limit` bytes in UTF-8."""
    if type(value) is not str:
        raise ConfigError(f"{label} must be a text, not {value!r}", label)
    if not value and not empty:
        raise ConfigError(f"{label} must not be empty", label)
    if not value.isprintable():
        raise ConfigError(f"{label} must not contain control characters", label)
    if len(value.encode()) > limit:
        raise ConfigError(f"{label} must have at most {limit} bytes", label)
