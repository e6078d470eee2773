"""One scenario from its beginning to its report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from importlib.metadata import version
from resource import RUSAGE_SELF, getrusage
from sys import platform
from time import perf_counter, process_time

from gossamer.gossip import GossipConfig
from gossamer.simulations import Mesh, host_address
from gossamer.simulations.basis import Progress, Watcher
from gossamer.simulations.report import Report, Work
from gossamer.simulations.scenario import Scenario, peer_zones

from ._measures import Measures
from ._network_model import network_rules
from ._samples import Sampler
from ._theory import theory
from ._timeline import Timeline
from ._traffic import Meter
from ._workload import Workload
from ._world import World

# People are told of progress so often, by their own clock.
_TELL = 0.2
# New objects between two looks of the collector, instead of Python's 700.
_YOUNG_OBJECTS = 200_000
# How often, in a run, it is looked whether that time has come.
_LOOKS = 2000


def run_faithful(scenario: Scenario, reason: str, progress: Watcher | None = None) -> Report:
    """Run the protocol's own code on a virtual clock and network; return what was found.

    Raises `ScenarioError` for settings that cannot work together.
    """
    began, cpu = perf_counter(), process_time()
    latency, rules = network_rules(scenario.network, _zones(scenario))
    world = World(scenario, latency)
    for rule in rules:
        world.mesh.fabric.add(rule)
    workload = Workload(world, scenario.workload, scenario.seed)
    measures = _settle(world, workload, scenario, progress)
    zero = world.now
    meter = Meter(world.mesh.fabric)
    sampler = Sampler(world, measures, meter, zero, scenario.duration)
    timeline = Timeline(world, scenario, zero)
    workload.begin(zero + scenario.duration)
    if progress is not None:
        _Teller(world.mesh, zero, scenario.duration, progress)
    with _few_collections():
        world.mesh.clock.run_until(zero + scenario.duration)
    report = _report(scenario, reason, world, workload, measures, meter, sampler, timeline)
    return report(perf_counter() - began, process_time() - cpu)


def _zones(scenario: Scenario) -> dict[str, str]:
    zones = peer_zones(scenario.peers, scenario.zones)
    return {host_address(number)[0]: zone for number, zone in enumerate(zones) if zone}


@contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the collector from going through a whole mesh over and over: a quarter of the time.

    What a mesh consists of when it stands lives to the end; few cycles come about later.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _settle(
    world: World, workload: Workload, scenario: Scenario, progress: Watcher | None
) -> Measures:
    if scenario.start == "settled":
        world.settle(scenario.peers)
        workload.prepare()
        world.await_converged()
        measures = world.measure()
    else:
        world.open()
        for _ in range(scenario.peers):
            world.join(through_first=True)
        measures = world.measure()
        measures.all_join()
        workload.prepare()
    if progress is not None:
        progress(Progress(0.0, f"mesh of {scenario.peers} peers stands"))
    return measures


class _Teller:
    """Tells how far the run is; what it does leaves no trace in the run."""

    def __init__(self, mesh: Mesh, zero: float, duration: float, progress: Watcher) -> None:
        self._mesh = mesh
        self._zero = zero
        self._duration = duration
        self._progress = progress
        self._told_at = perf_counter()
        self._look(None)

    def _look(self, _: None) -> None:
        passed = self._mesh.now - self._zero
        if perf_counter() - self._told_at >= _TELL:
            self._told_at = perf_counter()
            note = f"{passed:.1f} s of {self._duration:g} s"
            self._progress(Progress(passed / self._duration, note))
        self._mesh.clock.call_at(self._mesh.now + self._duration / _LOOKS, self._look, None)


def _report(
    scenario: Scenario,
    reason: str,
    world: World,
    workload: Workload,
    measures: Measures,
    meter: Meter,
    sampler: Sampler,
    timeline: Timeline,
) -> Callable[[float, float], Report]:
    joins = measures.joins.result()
    together = scenario.start == "together"
    convergence = measures.changes.result(*([measures.joins] if together else []))
    detection = measures.crashes.result()
    traffic = meter.result()
    config = GossipConfig.profile(scenario.profile, name="p0", **dict(scenario.settings))
    fingerprint = blake2b(world.mesh.digest.encode(), digest_size=16)
    fingerprint.update(workload.digest)

    def finish(wall: float, cpu: float) -> Report:
        return Report(
            scenario=scenario.name,
            summary=scenario.summary,
            model="faithful",
            model_reason=reason,
            seed=scenario.seed,
            peers=scenario.peers,
            duration=scenario.duration,
            parameters=scenario.parameters,
            zones={zone.name: zone.share for zone in scenario.zones},
            paths=scenario.network.paths,
            convergence=convergence,
            detection=detection,
            false_accusations=measures.accusations.result(),
            healing=measures.heals.result(),
            lookups=measures.answers.result(),
            traffic=traffic,
            theory=theory(scenario, config, convergence, joins, detection, traffic),
            timeline=timeline.happenings(),
            series=sampler.result(),
            converged=measures.heals.equal(),
            digest=fingerprint.hexdigest(),
            work=Work(
                wall_seconds=wall,
                cpu_seconds=cpu,
                events=world.mesh.clock.scheduled - world.mesh.clock.pending,
                events_per_second=(world.mesh.clock.scheduled - world.mesh.clock.pending)
                / max(wall, 1e-9),
                peak_rss_mib=_peak_rss(),
            ),
            version=version("gossamer"),
        )

    return finish


def _peak_rss() -> float:
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 2**20 if platform == "darwin" else peak / 2**10
