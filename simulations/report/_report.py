"""The results of a simulation; `Report.as_json` is the format of `report.json`.

Times are seconds of virtual time, counted from the beginning of the scenario.
A quantity that never occurred is None, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Literal, Self

from gossamer.simulations.scenario import Value, ZonePath

Model = Literal["faithful", "fast"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity is spread: nearest-rank percentiles, so that each value was observed."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p99: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of `values`, in any order."""
        if not values:
            return cls()
        ranked = sorted(values)
        count = len(ranked)
        return cls(
            count,
            sum(ranked) / count,
            ranked[ceil(0.50 * count) - 1],
            ranked[ceil(0.99 * count) - 1],
            ranked[-1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """Changes of the registry, from the owner's action until others see them.

    Who is reachable is judged as long as a change travels: peers that run at its moment, that no
    cut parts from the owner then or before it is seen, and that still run.
    """

    changes: int
    complete: int
    """Changes that all reachable peers saw before the end."""
    p50: float | None
    p99: float | None
    max: float | None
    """Until all reachable peers saw a change, over all complete changes."""
    half: Spread
    """Until 50 % of the reachable peers saw it."""
    nearly: Spread
    """Until 99 % of them saw it."""
    everybody: Spread
    """Until all of them saw it."""
    curve: Curve
    """Share of the reachable peers that know a change, over the time since it was made."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a line; `y[i]` belongs to `x[i]`."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Peers that crashed, and how long until others declared them dead."""

    crashes: int
    detected: int
    """Crashes that all running, reachable peers knew of before the end."""
    first: Spread
    """Until the first peer declared the crashed one dead."""
    everybody: Spread
    first_times: list[float]
    all_times: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAccusations:
    """Living members that were suspected, or declared dead, though the accuser could reach them.

    Each (observer, subject) pair counts once each time that the observer changes its mind.
    """

    suspicions: int
    deaths: int
    suspicions_of_healthy: int
    """Of members that no event had paused, slowed, held or disturbed."""
    deaths_of_healthy: int
    deaths_at_healthy: int
    """Believed by observers that were healthy themselves (FP- of the Lifeguard paper, when the
    member was healthy too)."""
    suspicions_by_cut: int
    """Begun by somebody whom a cut kept from the member, and heard, or repeated, after the cut."""
    deaths_by_cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """From the end of a cut until all running peers had equal roots again."""

    heals: int
    equal_roots: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What consumers were told, against the truth of the whole mesh at that moment."""

    made: int
    wrong: int
    missing: int
    """Lookups that missed an instance that lived and could be reached by the asker."""
    missing_behind_cut: int
    """Lookups that missed only instances behind a cut; they are not counted as wrong."""
    dead: int
    """Lookups that returned an instance that was dead or deregistered."""
    rate: float | None
    """Share of lookups that were wrong."""
    wrong_for: Spread
    """How long one peer's answer for one instance stayed wrong, over all such spells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one peer sent per second, on the average of the scenario."""

    datagrams_per_peer_per_second: float
    bytes_per_peer_per_second: float
    """Datagrams' payload."""
    stream_bytes_per_peer_per_second: float
    cpu_ms_per_peer_per_second: float | None
    """Processor time of this simulation, its network included, shared out; not reproducible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theory:
    """A quantity that theory gives, beside what was measured."""

    quantity: str
    expected: float
    measured: float | None
    unit: str
    source: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something of the timeline that took place."""

    at: float
    what: str
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Samples over the scenario; all lists but `peers` and `bands` have one item per sample."""

    seconds: list[float] = field(default_factory=list)
    datagrams: list[int] = field(default_factory=list)
    """Sent since the sample before, by all peers."""
    bytes: list[int] = field(default_factory=list)
    stream_bytes: list[int] = field(default_factory=list)
    alive: list[int] = field(default_factory=list)
    """Pairs of a running observer and a member to which it gives this status."""
    suspect: list[int] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    """How many different roots the running peers had."""
    wrong: list[int] = field(default_factory=list)
    """(Peer, instance) pairs whose answer was wrong at the sample."""
    peers: list[str] = field(default_factory=list)
    bands: list[str] = field(default_factory=list)
    """One text per peer with one letter per sample, its status at the running others: `a` alive,
    `s` suspect or `d` dead or `l` left by more than half of them, `S` or `D` by some, `.` when it
    is unknown to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the simulation itself took; not reproducible, and not part of the digest."""

    wall_seconds: float
    cpu_seconds: float
    events: int
    """Entries of the virtual clock that were run; for the fast model, peers times rounds."""
    events_per_second: float
    peak_rss_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one simulation found."""

    scenario: str
    summary: str
    model: Model
    model_reason: str
    seed: int
    peers: int
    duration: float
    parameters: Mapping[str, Value]
    convergence: Convergence
    detection: Detection
    false_accusations: FalseAccusations
    healing: Healing
    lookups: Lookups | None
    traffic: Traffic
    theory: list[Theory]
    timeline: list[Happening]
    series: Series
    converged: bool
    """Whether all running peers had equal roots at the end."""
    digest: str
    """Fingerprint of every delivery and event: the same seed gives the same digest."""
    work: Work
    zones: Mapping[str, float] = field(default_factory=dict)
    """The zones of the network by name, and their shares of the peers in relation to each other."""
    paths: tuple[ZonePath, ...] = ()
    """How long packets take between two zones, where the scenario says so."""
    version: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints and `report.json` holds."""
        return asdict(self)
