"""One scenario, computed with arrays, from its beginning to its report."""

from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from math import isfinite
from resource import RUSAGE_SELF, getrusage
from sys import platform
from time import perf_counter, process_time

import numpy as np

from gossamer.gossip import GossipConfig
from gossamer.simulations.basis import Progress, Watcher
from gossamer.simulations.report import (
    Detection,
    FalseAccusations,
    Healing,
    Report,
    Series,
    Spread,
    Work,
)
from gossamer.simulations.scenario import Scenario

from ._convergence import Changes
from ._detection import Found, detect
from ._journey import Journey, Seconds
from ._remarks import remark, theory
from ._situation import Situation, read_config, read_situation
from ._sizes import measure_sizes
from ._traffic import traffic
from ._wave import Rule, registry_rule, spread

# Changes of a scenario are alike, so a few of many are worked out: with more peers, each says more.
_CHANGES_WORK = 3_000_000
_CHANGES = (3, 200)
# The same for peers that crash.
_CRASHES_WORK = 20_000_000
_CRASHES = (3, 200)

# From so many changes a second on a peer's last flush was for any of several of them.
_CROWDED = 100.0


@dataclass(slots=True)
class _Totals:
    """How often peers sent a change, and how many changes that were."""

    at_once: float = 0.0
    in_rounds: float = 0.0
    waves: int = 0
    last: Seconds | None = None
    """When each peer had the change before."""

    def means(self) -> tuple[float, float]:
        count = max(1, self.waves)
        return self.at_once / count, self.in_rounds / count


def run(scenario: Scenario, reason: str, progress: Watcher | None) -> Report:
    """Work out a scenario; see `run_fast`."""
    began, cpu = perf_counter(), process_time()
    config = read_config(scenario)
    situation = read_situation(scenario, config)
    journey = Journey(scenario.network, situation.zones, situation.names)
    rng = np.random.default_rng(scenario.seed)
    fingerprint = blake2b(digest_size=16)
    found, crashes = _crashes(rng, scenario, config, situation, journey, progress)
    fingerprint.update(repr(found).encode())
    workload = scenario.workload
    rate = workload.registrations + workload.changes + workload.deregistrations
    made = int(rng.poisson(rate * scenario.duration))
    drawn = min(made, _share(_CHANGES_WORK, scenario.peers, _CHANGES))
    rule = registry_rule(config, scenario.peers, rate)
    changes, totals = Changes(), _Totals()
    for number, at in enumerate(np.sort(rng.random(drawn) * scenario.duration).tolist()):
        _change(rng, rule, situation, journey, at, scenario.duration, changes, totals)
        if progress is not None:
            progress(Progress((number + 1) / drawn, f"{number + 1} of {drawn} changes"))
    fingerprint.update(changes.digest)
    convergence = changes.result()
    detection = _detection(found, scenario.duration)
    at_once, in_rounds = totals.means()
    sent = traffic(
        rule,
        config,
        scenario.network.loss,
        measure_sizes(config, situation.names[0] if situation.names else "", scenario.peers),
        scenario.peers,
        at_once,
        in_rounds,
    )
    wall = perf_counter() - began
    events = scenario.peers * (totals.waves + 2 * len(found))
    return Report(
        scenario=scenario.name,
        summary=scenario.summary,
        model="fast",
        model_reason=remark(reason, scenario, config, made, drawn, crashes, len(found)),
        seed=scenario.seed,
        peers=scenario.peers,
        duration=scenario.duration,
        parameters=scenario.parameters,
        zones={zone.name: zone.share for zone in scenario.zones},
        paths=scenario.network.paths,
        convergence=convergence,
        detection=detection,
        false_accusations=FalseAccusations(
            suspicions=0,
            deaths=0,
            suspicions_of_healthy=0,
            deaths_of_healthy=0,
            deaths_at_healthy=0,
            suspicions_by_cut=0,
            deaths_by_cut=0,
        ),
        healing=Healing(heals=0, equal_roots=Spread()),
        lookups=None,
        traffic=sent,
        theory=theory(scenario, config, convergence, detection, sent),
        timeline=situation.happenings,
        series=Series(),
        converged=not isfinite(situation.cut_at)
        and convergence.complete == convergence.changes
        and detection.detected == detection.crashes,
        digest=fingerprint.hexdigest(),
        work=Work(
            wall_seconds=wall,
            cpu_seconds=process_time() - cpu,
            events=events,
            events_per_second=events / max(wall, 1e-9),
            peak_rss_mib=_peak_rss(),
        ),
        version=version("gossamer"),
    )


def _share(work: int, peers: int, bounds: tuple[int, int]) -> int:
    return min(max(work // peers, bounds[0]), bounds[1])


def _crashes(
    rng: np.random.Generator,
    scenario: Scenario,
    config: GossipConfig,
    situation: Situation,
    journey: Journey,
    progress: Watcher | None,
) -> tuple[list[tuple[float, Found]], int]:
    """Work out crashes; return when some were, how each was found, and how many there were."""
    found: list[tuple[float, Found]] = []
    total = 0
    for at in sorted({when for when in situation.crashed_at.tolist() if isfinite(when)}):
        victims = np.flatnonzero(situation.crashed_at == at)
        total += len(victims)
        drawn = min(len(victims), _share(_CRASHES_WORK, 2 * scenario.peers, _CRASHES))
        last = at
        for victim in rng.choice(victims, drawn, replace=False).tolist():
            ring = situation.ring(at, victim)
            living = situation.reached(at, victim)[ring]
            place = int(np.searchsorted(ring, victim))
            seen = detect(rng, config, journey.among(ring), place, living, crowd=len(victims))
            found.append((at, seen))
            if isfinite(seen.everybody):
                last = max(last, at + seen.everybody)
            if progress is not None:
                progress(Progress(0.0, f"{len(found)} crashes worked out"))
        situation.dropped_at[victims] = last
    return found, total


def _change(
    rng: np.random.Generator,
    rule: Rule,
    situation: Situation,
    journey: Journey,
    at: float,
    end: float,
    changes: Changes,
    totals: _Totals,
) -> None:
    running = np.flatnonzero(situation.running(at))
    if not len(running):
        return
    owner = int(rng.choice(running))
    ring = situation.ring(at, owner)
    reached = situation.reached(at, owner)[ring]
    origin = int(np.searchsorted(ring, owner))
    flushed = None
    if totals.last is not None and len(totals.last) == len(ring) and 0 < rule.rate < _CROWDED:
        # The change before came so long ago, and made everybody send.
        flushed = totals.last - rng.exponential(1 / rule.rate)
    wave = spread(
        rng,
        rule,
        journey.among(ring),
        origin,
        reached=None if reached.all() else reached,
        flushed=flushed,
        n=len(ring),
    )
    totals.last = wave.times
    reached[origin] = False
    changes.add(wave.times[reached], end - at)
    totals.at_once += wave.at_once
    totals.in_rounds += wave.in_rounds
    totals.waves += 1


def _detection(found: list[tuple[float, Found]], end: float) -> Detection:
    first = [seen.first for at, seen in found if at + seen.first <= end]
    everybody = [seen.everybody for at, seen in found if at + seen.everybody <= end]
    return Detection(
        crashes=len(found),
        detected=len(everybody),
        first=Spread.of(first),
        everybody=Spread.of(everybody),
        first_times=first,
        all_times=everybody,
    )


def _peak_rss() -> float:
    """Return the most memory that this process had so far, in MiB."""
    used = getrusage(RUSAGE_SELF).ru_maxrss
    return used / (1 << 20) if platform == "darwin" else used / 1024
