"""A scenario after it was read and checked; times are in seconds of virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gossamer.gossip import Profile

Value = int | float | str | bool
Group = tuple[str, ...]
"""A group of peers.  Each item is one of: a zone's name, a peer's name (`p0`, `p1`, …), a range of
peers (`p0..p9`), a share (`25%`) or a number (`3`) of peers drawn by the seed, `all`, or `rest`
(the peers that are in no other group of the same event)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """One way through the network, in milliseconds."""

    kind: Literal["constant", "uniform", "lognormal"] = "uniform"
    low_ms: float = 0.25
    """The constant, the lowest, or the median of the distribution."""
    high_ms: float = 0.75
    """The highest of `uniform`; the 99th percentile of `lognormal`; not used by `constant`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the mesh: so many peers, in relation to the other zones."""

    name: str
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePath:
    """How long packets take between two zones, both ways."""

    zones: tuple[str, str]
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the network does to every packet, all the time."""

    latency: Latency = Latency()
    paths: tuple[ZonePath, ...] = ()
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    """Share of datagrams that take `reordering_ms` longer than their turn."""
    reordering_ms: float = 5.0
    bandwidth_mbit: float | None = None
    """What one host can send, in 10**6 bits per second; None for as much as it likes."""
    queue_kib: float = 256.0
    """What waits to be sent by a host whose bandwidth is used up; what comes after that is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What services do, each per second over the whole mesh unless said otherwise."""

    services: int = 10
    zipf: float = 1.0
    """Popularity of services by rank: the k-th is used in proportion to 1 / k ** zipf."""
    instances: int = 20
    """Registered before the scenario begins, spread over the peers."""
    registrations: float = 0.0
    changes: float = 0.0
    deregistrations: float = 0.0
    lookups: float = 1.0
    """Per peer and second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """No packet passes between the groups, both ways, or from the first to the second alone."""

    groups: tuple[Group, ...]
    one_way: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """Every cut, hold, block and disturbance that an event made ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """Processes die; with `host` the machines as well, which then answer nothing at all."""

    who: Group
    host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Processes end and start again after `down` seconds, gracefully or not, `apart` seconds
    after one another."""

    who: Group
    down: float = 0.0
    apart: float = 0.0
    graceful: bool = False
    keep_epoch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Peers leave gracefully, `apart` seconds after one another."""

    who: Group
    apart: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """New peers join through members that live, `apart` seconds after one another."""

    count: int
    apart: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Processes stop as by SIGSTOP; they go on when the event ends."""

    who: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Hosts that need `each_ms` for every packet that they read, one after another."""

    who: Group
    each_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What leaves or reaches the hosts waits until the event ends, and then comes all at once."""

    who: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One transport does not pass."""

    who: Group
    transport: Literal["udp", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturb:
    """The network of the hosts loses, duplicates, reorders or delays packets."""

    who: Group
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    lag_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """The hosts' wall clocks are set ahead (or behind) by so many seconds."""

    who: Group
    seconds: float


Action = (
    Cut | Heal | Crash | Restart | Leave | Join | Pause | Slow | Hold | Block | Disturb | Skew
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens at `at`, and again `every` seconds, `times` in all."""

    at: float
    action: Action
    lasts: float | None = None
    """`for` in a file: how long until it is undone; None for until the end or a `heal`."""
    times: int = 1
    every: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A rehearsal: a mesh, its network, what services do, and what befalls them."""

    name: str
    summary: str
    peers: int
    duration: float
    """Virtual seconds, counted from when the mesh stands."""
    seed: int = 1
    profile: Profile = "lan"
    start: Literal["settled", "together"] = "settled"
    """`settled`: everybody knows everybody when the scenario begins; `together`: all start at
    its first moment and join through the first."""
    network: Network = Network()
    zones: tuple[Zone, ...] = ()
    settings: Mapping[str, int | float] = field(default_factory=dict)
    """Settings of `GossipConfig` that differ from the profile's."""
    workload: Workload = Workload()
    events: tuple[Event, ...] = ()
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Every value that `--set` may change, by its name, as it is in force."""
