"""The model that works with arrays: its rules, its bounds, and how near it is to the protocol."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import inf
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, binary, data, integers

from gossamer.gossip import GossipConfig
from gossamer.gossip.dissemination._tree import children
from gossamer.simulations import MissingExtra, simulate
from gossamer.simulations.fast import run_fast
from gossamer.simulations.fast._compare import (
    Case,
    Row,
    compare_detection,
    compare_spread,
    fast_detection,
)
from gossamer.simulations.fast._convergence import Changes
from gossamer.simulations.fast._detection import detect
from gossamer.simulations.fast._journey import Journey
from gossamer.simulations.fast._sizes import measure_sizes
from gossamer.simulations.fast._tree import tree_children
from gossamer.simulations.fast._wave import Wave, registry_rule, spread
from gossamer.simulations.report import Report
from gossamer.simulations.scenario import (
    Action,
    Crash,
    Cut,
    Event,
    Heal,
    Join,
    Latency,
    Leave,
    Network,
    Pause,
    Scenario,
    ScenarioError,
    Workload,
    Zone,
    ZonePath,
)

CONFIG = GossipConfig(name="p0")


def wave(
    n: int, network: Network | None = None, *, seed: int = 1, rate: float = 0.0, origin: int = 0
) -> Wave:
    """One change among `n` peers."""
    journey = Journey(network or Network(), None, [])
    return spread(np.random.default_rng(seed), registry_rule(CONFIG, n, rate), journey, origin, n=n)


def scenario(
    peers: int = 100,
    *,
    events: tuple[Event, ...] = (),
    network: Network | None = None,
    zones: tuple[Zone, ...] = (),
    settings: Mapping[str, int | float] | None = None,
    registrations: float = 1.0,
) -> Scenario:
    """A rehearsal of a minute."""
    return Scenario(
        name="test",
        summary="",
        peers=peers,
        duration=60.0,
        events=events,
        network=network or Network(),
        zones=zones,
        settings=settings or {},
        workload=Workload(registrations=registrations),
    )


def at(seconds: float, action: Action, lasts: float | None = None) -> tuple[Event, ...]:
    """A timeline of one event."""
    return (Event(at=seconds, action=action, lasts=lasts),)


def findings(report: Report) -> dict[str, object]:
    """All of a report that a seed decides."""
    found = asdict(report)
    del found["work"]
    return found


@given(integers(2, 300), binary(max_size=8), integers(1, 5), data())
def test_the_tree_is_the_protocols(n: int, payload: bytes, arity: int, choice: DataObject) -> None:
    """Each peer's children are those that the protocol's own code computes for it."""
    origin = choice.draw(integers(0, n - 1))
    ring = [f"{place:04}" for place in range(n)]
    modelled = tree_children(n, origin, crc32(payload), arity)
    for place in range(n):
        expected = children(ring, ring[place], ring[origin], payload, arity)
        assert [ring[child] for child in modelled[place] if child >= 0] == expected


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [2, 5, 6, 7, 1000])
def test_every_peer_is_informed(n: int, loss: float) -> None:
    """Whatever is lost, rounds and repair reach everybody, and nobody before the first datagram."""
    found = wave(n, Network(loss=loss), origin=n // 2).times
    assert np.isfinite(found).all()
    assert found[n // 2] == 0
    assert (np.delete(found, n // 2) >= 0.000_25).all()


def test_a_peer_alone_tells_nobody() -> None:
    """Where there is nobody else, no time is measured and no change is counted."""
    assert wave(1).times.tolist() == [0.0]
    report = run_fast(scenario(1), "test")
    assert report.convergence.changes == 0
    assert report.convergence.p50 is None
    assert report.traffic.datagrams_per_peer_per_second == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_the_smallest_meshes_have_reports(n: int) -> None:
    """A mesh of any size has a report, a crash in it included."""
    report = run_fast(scenario(n, events=at(10.0, Crash(who=("1",)))), "test")
    assert report.detection.crashes == 1
    assert report.detection.detected == (1 if n > 1 else 0)
    assert report.convergence.complete == report.convergence.changes


def test_without_loss_the_tree_alone_reaches_all() -> None:
    """With one constant latency, the last peer is as many hops away as the tree is deep."""
    hop = Network(latency=Latency(kind="constant", low_ms=1.0))
    times = wave(1 + 3 + 9 + 27, hop).times
    assert times.max() <= 0.003 + 1e-9
    assert times.max() > 0.002


def test_the_dead_pass_nothing_on() -> None:
    """Behind a dead peer of the tree, updates come later, but to all who live."""
    n, rng = 2000, np.random.default_rng(3)
    living = rng.random(n) < 0.7
    living[0] = True
    found = spread(
        rng, registry_rule(CONFIG, n, 0.0), Journey(Network(), None, []), 0, reached=living, n=n
    )
    assert np.isfinite(found.times[living]).all()
    assert not np.isfinite(found.times[~living]).any()
    assert found.times[living].max() > wave(n).times.max()


def test_loss_makes_news_late() -> None:
    """The more is lost, the later are the last and the middle peer."""
    lossless, lossy, worse = (wave(5000, Network(loss=loss)).times for loss in (0.0, 0.1, 0.4))
    assert lossless.max() < 0.01 < lossy.max() < worse.max()
    assert np.median(lossless) < np.median(lossy) < np.median(worse)


def test_copies_help_where_datagrams_are_lost() -> None:
    """A network that duplicates every datagram loses fewer."""
    once = wave(5000, Network(loss=0.3)).times
    twice = wave(5000, Network(loss=0.3, duplication=1.0)).times
    assert np.percentile(twice, 99) < np.percentile(once, 99)


def test_what_overtakes_is_late() -> None:
    """Datagrams that lose their turn take longer."""
    latency = Latency(kind="constant", low_ms=1.0)
    plain = wave(500, Network(latency=latency)).times
    mixed = wave(500, Network(latency=latency, reordering=0.5, reordering_ms=20.0)).times
    assert mixed.mean() > plain.mean() + 0.005


def test_news_after_news_wait() -> None:
    """Where many changes come, each waits at every peer for those that come within `gather`."""
    rare, frequent = wave(1000).times, wave(1000, rate=1000.0).times
    assert frequent.mean() > rare.mean() + CONFIG.gather / 2


def test_a_recent_flush_holds_a_change_back_once() -> None:
    """A change that follows another by less than `gather` waits for the rest of that time."""
    flushed = np.full(1000, -0.001)
    rule = registry_rule(CONFIG, 1000, 1.0)
    found = spread(
        np.random.default_rng(1), rule, Journey(Network(), None, []), 0, flushed=flushed, n=1000
    )
    assert CONFIG.gather - 0.001 < np.delete(found.times, 0).min() < CONFIG.gather


@pytest.mark.parametrize("kind", ["constant", "uniform", "lognormal"])
def test_latencies_are_the_scenarios(kind: str) -> None:
    """Each distribution has the middle that the scenario gives it."""
    match kind:
        case "constant":
            latency, middle = Latency(kind="constant", low_ms=3.0), 0.003
        case "uniform":
            latency, middle = Latency(kind="uniform", low_ms=2.0, high_ms=6.0), 0.004
        case _:
            latency, middle = Latency(kind="lognormal", low_ms=5.0, high_ms=50.0), 0.005
    journey = Journey(Network(latency=latency), None, [])
    peers = np.arange(40_000)
    drawn = journey.draw(np.random.default_rng(1), peers, peers[::-1].copy())
    assert np.median(drawn) == pytest.approx(middle, rel=0.03)
    if kind == "lognormal":
        assert np.percentile(drawn, 99) == pytest.approx(0.05, rel=0.1)


def test_zones_are_as_far_apart_as_the_scenario_says() -> None:
    """A change takes longer to a zone that is far away."""
    far = ZonePath(zones=("a", "b"), latency=Latency(kind="constant", low_ms=80.0))
    zones = (Zone(name="a"), Zone(name="b"))
    near = run_fast(scenario(500, zones=zones), "test").convergence
    apart = run_fast(scenario(500, zones=zones, network=Network(paths=(far,))), "test").convergence
    assert near.p50 is not None
    assert apart.p50 is not None
    assert near.p50 < 0.02
    assert apart.p50 > 0.08


def test_a_seed_fixes_the_report() -> None:
    """The same seed gives the same figures and digest; another seed gives others."""
    described = scenario(300, events=at(10.0, Crash(who=("3",))), network=Network(loss=0.1))
    one, same = (run_fast(described, "test") for _ in range(2))
    other = run_fast(replace(described, seed=2), "test")
    assert findings(one) == findings(same)
    assert one.digest != other.digest


def test_the_curve_only_rises() -> None:
    """The share of those who know a change grows with time, up to all but for the last change."""
    curve = run_fast(scenario(1000, network=Network(loss=0.2)), "test").convergence.curve
    assert curve.x == sorted(curve.x)
    assert curve.y == sorted(curve.y)
    assert curve.y[0] == 0.0
    assert curve.y[-1] == pytest.approx(1.0, abs=0.01)


def test_what_comes_after_the_end_is_not_complete() -> None:
    """A change that somebody has only after the scenario's end counts as incomplete."""
    changes = Changes()
    changes.add(np.array([0.1, 0.2, 5.0]), 1.0)
    changes.add(np.array([0.1, inf, 0.3]), 1.0)
    found = changes.result()
    assert (found.changes, found.complete, found.everybody.count) == (2, 0, 0)
    assert found.half.p50 == 0.2
    assert found.curve.y[-1] == pytest.approx(4 / 6)


def test_no_changes_give_no_figures() -> None:
    """Where nobody changes anything, times are unknown, and the load is that of probes."""
    report = run_fast(scenario(registrations=0.0), "test")
    assert report.convergence.p50 is None
    assert report.convergence.curve.x == []
    assert report.lookups is None
    assert report.traffic.datagrams_per_peer_per_second == pytest.approx(2.0)


def test_sizes_are_the_encoders() -> None:
    """Longer names make longer datagrams, and an answer holds a root that a ping does not."""
    small, large = measure_sizes(CONFIG, "", 10), measure_sizes(CONFIG, "", 1_000_000)
    assert small.bare < small.ping < small.ack
    assert large.ping - small.ping >= 2 * (len("p999999") - len("p9"))
    assert large.rumor > small.rumor > 50


def test_confirmation_makes_a_verdict_early() -> None:
    """Without witnesses and further accusers a suspicion lasts up to six times as long."""
    rng = np.random.default_rng(1)
    journey = Journey(Network(), None, [])
    alone = np.array([False, True, False, False, False])
    found = detect(rng, CONFIG, journey, 0, alone)
    assert found.first - found.suspected == pytest.approx(24.0)
    many = detect(rng, CONFIG, journey, 0, np.arange(100) > 0)
    assert 8.0 <= many.first - many.suspected < 12.0
    assert many.suspected < many.first < many.everybody < many.first + 0.1


def test_nobody_is_left_to_notice() -> None:
    """When all crash at once, nobody suspects anybody."""
    report = run_fast(scenario(10, events=at(10.0, Crash(who=("all",)))), "test")
    assert report.detection.detected == 0
    assert report.detection.first.mean is None


def test_first_suspicions_follow_the_law_of_swim() -> None:
    """In a large mesh the first probe that fails began e / (e - 1) periods after the crash, less
    the half of one by which continuous time is ahead of lock-step, and took one period.
    """
    found = fast_detection(Case(name="", peers=30_000, seeds=(1,)), repeats=40)
    assert sum(times[0] for times in found) / len(found) == pytest.approx(1.0 + 1.0, abs=0.5)


def test_a_cut_leaves_each_side_to_itself() -> None:
    """Behind a cut that lasts, a change reaches the owner's side, and the mesh is not converged."""
    zones = (Zone(name="a"), Zone(name="b", share=3.0))
    report = run_fast(
        scenario(200, zones=zones, events=at(20.0, Cut(groups=(("a",), ("b",))))), "test"
    )
    assert report.convergence.complete == report.convergence.changes > 0
    assert not report.converged
    assert [happening.what for happening in report.timeline] == ["cut 50 from 150 peers"]


@pytest.mark.parametrize(
    ("events", "named"),
    [
        (at(1.0, Join(count=5)), "'join' at 1 s"),
        (at(2.0, Leave(who=("1",))), "'leave'"),
        (at(2.0, Pause(who=("1",))), "'pause'"),
        (at(2.0, Heal()), "'heal'"),
        (at(2.0, Crash(who=("1",)), 5.0), "'crash'"),
        (at(2.0, Cut(groups=(("p0",), ("rest",)), one_way=True)), "'cut'.*one-way"),
        (at(2.0, Cut(groups=(("p0",), ("rest",))), 5.0), "'cut'.*heals"),
        (at(2.0, Cut(groups=(("p0",), ("p1",)))), "'cut'.*no side"),
        (at(1.0, Cut(groups=(("p0",), ("rest",)))) * 2, "'cut'.*two"),
    ],
)
def test_events_that_are_not_covered_are_refused(events: tuple[Event, ...], named: str) -> None:
    """What the model leaves out is named, with the model that covers it."""
    with pytest.raises(ScenarioError, match=f"{named}.*--model faithful"):
        run_fast(scenario(events=events), "test")


@pytest.mark.parametrize(
    ("described", "named"),
    [
        (replace(scenario(), start="together"), "starts"),
        (scenario(network=Network(bandwidth_mbit=10.0)), "bandwidth"),
        (scenario(settings={"eager": False}), "eager"),
        (scenario(settings={"probe_interval": 0.1}), "probe_timeout"),
        (scenario(settings={"no_such": 1}), "no_such"),
        (scenario(3000, events=at(1.0, Crash(who=("2500",)))), "2500 crashes"),
    ],
)
def test_scenarios_that_are_not_covered_are_refused(described: Scenario, named: str) -> None:
    """So are networks, settings and numbers that the model leaves out, or that cannot be."""
    with pytest.raises(ScenarioError, match=named):
        run_fast(described, "test")


def test_large_meshes_are_modelled() -> None:
    """A mesh that is too large to be run peer by peer is worked out, and the report says so."""
    notes: list[str] = []
    report = simulate(scenario(100_000), progress=lambda progress: notes.append(progress.note))
    assert report.model == "fast"
    assert "member_limit" in report.model_reason
    assert f"{report.convergence.changes} of" in report.model_reason
    assert report.convergence.complete == report.convergence.changes > 0
    assert notes[-1].startswith(f"{len(notes)} of {len(notes)}")


def test_numpy_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NumPy the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtra, match=r"gossamer\[sim\]"):
        run_fast(scenario(), "test")


def apart(rows: list[Row], within: float) -> list[Row]:
    """Return the figures in which the models are further apart."""
    return [row for row in rows if abs(row.difference) > within]


def test_curves_are_those_of_the_protocol() -> None:
    """A change spreads as in a mesh that runs the protocol's own code, within a tenth."""
    rows = compare_spread(Case(name="", peers=128, changes=6, seeds=(1, 2)))
    assert len(rows) == 5
    assert apart(rows, 0.10) == []


def test_lossy_curves_are_those_of_the_protocol() -> None:
    """So it does where datagrams are lost, as far as the many are concerned."""
    network = Network(loss=0.1)
    rows = compare_spread(Case(name="", peers=96, network=network, changes=10, seeds=(1, 2, 3, 4)))
    assert apart(rows[:2], 0.10) == []
    # Few peers wait for a round, so that few changes say little about how many do.
    assert apart(rows, 0.6) == []


def test_crashes_are_found_as_by_the_protocol() -> None:
    """A crash is suspected and declared as in such a mesh; the verdicts differ by little."""
    rows = compare_detection(Case(name="", peers=48, seeds=tuple(range(1, 9))), repeats=20)
    assert apart([row for row in rows if row.figure.startswith("dead")], 0.10) == []
