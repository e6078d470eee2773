"""Whole faithful runs of small meshes."""

import os
import subprocess
import sys
from typing import Any

import pytest

from gossamer.gossip.membership import OwnLife
from gossamer.gossip.replication import Replicas
from gossamer.gossip.state import Operation, Part
from gossamer.simulations import Progress
from gossamer.simulations.faithful import run_faithful
from gossamer.simulations.report import Report
from gossamer.simulations.scenario import (
    Action,
    Crash,
    Cut,
    Disturb,
    Event,
    Heal,
    Hold,
    Join,
    Latency,
    Leave,
    Network,
    Pause,
    Restart,
    Scenario,
    ScenarioError,
    Skew,
    Slow,
    Workload,
    Zone,
    ZonePath,
)

CALM = Workload(services=3, instances=6, lookups=0.0)
HALVES = Cut(groups=(("p0..p3",), ("rest",)))


def plan(*events: Event, **changes: Any) -> Scenario:
    values: dict[str, Any] = {
        "name": "test",
        "summary": "A test.",
        "peers": 8,
        "duration": 10.0,
        "workload": CALM,
        **changes,
    }
    return Scenario(events=events, **values)


def run(*events: Event, **changes: Any) -> Report:
    return run_faithful(plan(*events, **changes), "asked for")


def at(seconds: float, action: Action, **changes: Any) -> Event:
    return Event(at=seconds, action=action, **changes)


def test_the_same_seed_gives_the_same_digest() -> None:
    """Two runs of one scenario are one run; another seed is another."""
    busy = Workload(services=3, instances=6, registrations=1, changes=1, deregistrations=0.5)
    events = (at(2, HALVES, lasts=3), at(6, Crash(who=("2",))))
    first = run(*events, workload=busy, seed=7)
    assert run(*events, workload=busy, seed=7).digest == first.digest
    assert run(*events, workload=busy, seed=8).digest != first.digest


def test_the_digest_does_not_depend_on_hash_seeds() -> None:
    """No set of texts decides anything: two PYTHONHASHSEEDs give one digest."""
    script = (
        "from gossamer.simulations.scenario import load_scenario\n"
        "from gossamer.simulations.faithful import run_faithful\n"
        "for name in ('partition', 'churn'):\n"
        "    scenario = load_scenario(name, {'peers': '8', 'duration': '35'})\n"
        "    print(run_faithful(scenario, '').digest)\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().split()) == 2


def test_progress_is_told_and_changes_nothing() -> None:
    """A watcher hears that the mesh stands, and the digest is the same as without a watcher."""
    told: list[Progress] = []
    watched = run_faithful(plan(), "asked for", told.append)
    assert told[0] == Progress(0.0, "mesh of 8 peers stands")
    assert [each.share for each in told] == sorted(each.share for each in told)
    assert watched.digest == run().digest


def test_what_was_not_seen_is_none_and_not_zero() -> None:
    """In a mesh to which nothing happens no time was measured."""
    report = run()
    assert (report.convergence.changes, report.convergence.complete) == (0, 0)
    assert report.convergence.p50 is None
    assert report.convergence.max is None
    assert report.convergence.curve.x == []
    assert report.detection.crashes == 0
    assert report.detection.first.p50 is None
    assert report.healing.equal_roots.max is None
    assert report.lookups is not None
    assert report.lookups.made == 0
    assert report.lookups.rate is None
    assert report.lookups.wrong_for.max is None
    assert report.converged
    assert report.timeline == []


def test_series_have_one_item_per_sample() -> None:
    """The series are of one length, and begin with a mesh that stands."""
    report = run(duration=5.0)
    series = report.series
    assert series.seconds[0] == 0
    assert series.seconds[-1] == pytest.approx(5.0)
    lengths = {
        len(values)
        for values in (
            series.seconds, series.datagrams, series.bytes, series.stream_bytes, series.alive,
            series.suspect, series.dead, series.left, series.roots, series.wrong,
        )
    }  # fmt: skip
    assert lengths == {len(series.seconds)} == {51}
    assert series.peers == [f"p{number}" for number in range(8)]
    assert series.bands == ["a" * 51] * 8
    assert series.alive[0] == 8 * 7
    assert set(series.roots) == {1}


def test_every_registration_is_followed_until_all_see_it() -> None:
    """Without faults each change is complete within some network hops."""
    report = run(workload=Workload(services=3, instances=6, registrations=5, lookups=5))
    found = report.convergence
    assert found.changes == found.complete > 30
    assert found.p50 is not None
    assert 0.000_25 <= found.p50 < 0.05
    assert found.curve.y[-1] == pytest.approx(1.0)
    assert report.lookups is not None
    assert report.lookups.made > 300
    assert report.lookups.missing_behind_cut == 0
    assert report.false_accusations.suspicions == 0


def test_a_cut_is_not_held_against_the_protocol() -> None:
    """Behind a cut nobody can be reached: no accusation is false, no missing instance wrong."""
    report = run(
        at(1, HALVES),
        duration=30.0,
        workload=Workload(services=3, instances=8, registrations=1, lookups=3),
    )
    assert report.lookups is not None
    assert report.lookups.missing_behind_cut > 0
    assert report.false_accusations.suspicions == 0
    assert report.false_accusations.deaths == 0
    assert report.series.dead[-1] == 2 * 4 * 4
    assert report.convergence.complete == report.convergence.changes > 0
    assert report.healing.heals == 0
    assert not report.converged
    assert [each.what for each in report.timeline] == ["cut p0..p3 (4 peers) from rest (4 peers)"]


def test_a_cut_that_ends_heals() -> None:
    """After the cut roots become equal, and how long that takes is measured."""
    report = run(at(1, HALVES, lasts=14), duration=25.0)
    assert report.healing.heals == 1
    assert report.healing.equal_roots.max is not None
    assert 0 < report.healing.equal_roots.max < 10
    assert report.converged
    assert report.timeline[0].at == 1
    assert report.timeline[0].until == 15
    assert report.series.bands[0][-1] == "a"
    assert "d" in report.series.bands[0].lower()


def test_heal_ends_what_has_no_end() -> None:
    """`heal` ends a cut, a hold and a disturbance."""
    report = run(
        at(1, HALVES),
        at(1, Hold(who=("p0",))),
        at(1, Disturb(who=("p1",), loss=0.5, duplication=0.5, reordering=0.5, lag_ms=3)),
        at(3, Heal()),
        duration=20.0,
    )
    assert [each.until for each in report.timeline] == [3, 3, 3, None]
    assert report.converged


@pytest.mark.parametrize("host", [False, True])
def test_a_crash_is_detected_in_time(host: bool) -> None:
    """All know a crash after a probe at the soonest, and the longest suspicion at the latest."""
    report = run(at(2, Crash(who=("p7",), host=host)), duration=40.0, seed=3)
    assert (report.detection.crashes, report.detection.detected) == (1, 1)
    assert report.detection.first.max is not None
    assert report.detection.everybody.max is not None
    assert 0.5 <= report.detection.first.max <= report.detection.everybody.max <= 2 + 24
    assert report.false_accusations.deaths == 0
    assert report.series.bands[7][-1] == "d"
    assert report.series.dead[-1] == 7


def test_a_dead_instance_is_wrong_until_its_death_is_known() -> None:
    """Lookups that return what crashed are wrong for as long as nobody knows."""
    report = run(
        at(2, Crash(who=("p0",))),
        duration=30.0,
        workload=Workload(services=1, instances=8, lookups=5),
    )
    assert report.lookups is not None
    assert report.lookups.dead > 0
    assert report.lookups.missing == 0
    assert report.lookups.rate is not None
    assert 0 < report.lookups.rate < 1
    known = report.detection.everybody.max
    assert known is not None
    assert report.lookups.wrong_for.max == pytest.approx(known, abs=0.1)
    assert max(report.series.wrong) == 7
    assert report.series.wrong[-1] == 0


def test_a_crash_that_lasts_ends_with_a_new_life() -> None:
    """A crash with `for` brings the process back, and it registers its instances again."""
    report = run(
        at(1, Crash(who=("p0",)), lasts=3),
        duration=20.0,
        workload=Workload(services=1, instances=8, lookups=0),
    )
    assert report.converged
    assert report.series.wrong[-1] == 0
    assert report.series.bands[0][-1] == "a"
    assert report.convergence.changes == 1


def test_one_direction_may_be_cut_alone() -> None:
    """A peer that nobody hears is rightly accused; updates still arrive at it."""
    report = run(
        at(1, Cut(groups=(("p0",), ("rest",)), one_way=True)),
        duration=30.0,
        workload=Workload(services=2, instances=8, registrations=2, lookups=1),
    )
    assert report.false_accusations.deaths == 0
    assert report.timeline[0].what == "lost all that p0 sent to rest (7 peers)"
    assert report.series.bands[0][-1] == "d"
    assert report.convergence.changes > 0


def test_a_link_that_others_can_bridge_parts_nobody() -> None:
    """Two peers that only others can still reach stay in each other's view."""
    report = run(
        at(1, Cut(groups=(("p0",), ("p1",)))),
        duration=20.0,
        workload=Workload(services=2, instances=8, registrations=2, lookups=1),
    )
    assert report.false_accusations.deaths == 0
    assert set(report.series.bands[0]) | set(report.series.bands[1]) <= {"a", "S"}
    assert report.convergence.complete == report.convergence.changes > 0


def test_lookups_are_wrong_until_a_deregistration_arrives() -> None:
    """With half a second one way, a deregistered instance is found for at least that long."""
    slow = Network(latency=Latency(kind="constant", low_ms=200))
    report = run(
        peers=4,
        network=slow,
        profile="wan",
        workload=Workload(services=1, instances=8, deregistrations=0.5, lookups=5),
    )
    assert report.lookups is not None
    assert report.lookups.dead > 0
    assert report.lookups.missing == 0
    assert report.lookups.wrong_for.p50 is not None
    assert report.lookups.wrong_for.p50 >= 0.2
    assert report.convergence.p50 is not None
    assert report.convergence.p50 >= 0.2


def test_newcomers_are_listed_by_all() -> None:
    """Peers that join are known to all at the end, and unknown before."""
    report = run(at(2, Join(count=3, apart=0.5)), duration=10.0)
    assert report.series.peers[-1] == "p10"
    assert report.series.bands[10][0] == "."
    assert report.series.bands[10][-1] == "a"
    assert report.series.alive[-1] == 11 * 10
    known = [each for each in report.theory if each.quantity.startswith("newcomer")]
    assert known[0].measured is not None


def test_all_may_begin_together() -> None:
    """Where all join at once, each peer's own join is a change that all have to see."""
    report = run(start="together", duration=10.0, workload=Workload(instances=0, lookups=0))
    assert report.convergence.changes == report.convergence.complete == 8
    assert report.convergence.max is not None
    assert report.convergence.max > 0
    assert report.series.alive[0] == 0
    assert report.series.alive[-1] == 8 * 7


def test_those_who_leave_are_no_crashes() -> None:
    """A departure is known at once, and is neither crash nor accusation."""
    report = run(at(2, Leave(who=("p1", "p2"), apart=1)), duration=10.0)
    assert report.detection.crashes == 0
    assert report.false_accusations.deaths == 0
    assert report.series.left[-1] == 2 * 6
    assert report.series.bands[1][-1] == "l"
    assert report.converged


@pytest.mark.parametrize("graceful", [False, True])
def test_a_restart_is_another_life(graceful: bool) -> None:
    """Peers that start again are known again, with the instances that they had."""
    report = run(
        at(1, Restart(who=("p0..p2",), down=1, apart=1, graceful=graceful)),
        duration=25.0,
        workload=Workload(services=1, instances=8, lookups=0),
    )
    assert report.converged
    assert report.series.wrong[-1] == 0
    assert report.series.alive[-1] == 8 * 7
    assert report.detection.crashes == (0 if graceful else 3)
    assert report.convergence.changes == 3


def test_all_may_restart_at_once() -> None:
    """After a storm everybody finds everybody, through seeds that start again as well."""
    report = run(
        at(1, Restart(who=("all",), down=1)),
        duration=25.0,
        workload=Workload(services=1, instances=8, lookups=0),
    )
    assert report.converged
    assert report.series.alive[-1] == 8 * 7
    assert report.series.wrong[-1] == 0


def test_a_stopped_process_is_not_accused_wrongly() -> None:
    """A paused peer is rightly declared dead; afterwards it is alive again."""
    report = run(at(1, Pause(who=("p0",)), lasts=12), duration=30.0)
    assert report.false_accusations.deaths == 0
    assert report.series.bands[0][-1] == "a"
    assert "d" in report.series.bands[0]
    assert report.timeline[0].what == "stopped p0 (SIGSTOP)"


def test_slow_hosts_are_late() -> None:
    """A host that needs 50 ms for each packet sees every change that much later, until it ends."""
    busy = Workload(services=2, instances=4, registrations=3, lookups=0)
    slow = run(at(0, Slow(who=("p0",), each_ms=50)), workload=busy)
    soon = run(at(0, Slow(who=("p0",), each_ms=50), lasts=0.5), workload=busy)
    assert slow.convergence.p50 is not None
    assert slow.convergence.p50 >= 0.05
    assert soon.convergence.p50 is not None
    assert soon.convergence.p50 < 0.05


def test_clocks_may_be_wrong() -> None:
    """A wall clock an hour ahead does not keep changes from arriving."""
    report = run(
        at(1, Skew(who=("p0",), seconds=3600), lasts=5),
        workload=Workload(services=1, instances=4, registrations=3, changes=3, lookups=0),
    )
    assert report.convergence.complete == report.convergence.changes
    assert report.converged


def test_events_are_repeated() -> None:
    """`times` and `every` repeat an event; what was drawn for the network stays the same."""
    flap = Cut(groups=(("2",), ("rest",)))
    report = run(at(1, flap, lasts=1, times=3, every=2), duration=10.0)
    assert [(each.at, each.until) for each in report.timeline] == [(1, 2), (3, 4), (5, 6)]
    assert len({each.what for each in report.timeline}) == 1


def test_what_nobody_is_there_for_is_said() -> None:
    """An event for peers that are gone by then changes nothing, and the timeline tells why."""
    report = run(at(1, Crash(who=("p0",))), at(2, Crash(who=("p0",))))
    assert report.detection.crashes == 1
    assert "no peer is in group" in report.timeline[1].what


def test_zones_are_blocks() -> None:
    """Zones take peers in proportion to their shares, in order."""
    report = run(
        at(1, Cut(groups=(("a",), ("b",)))),
        duration=2.0,
        zones=(Zone(name="a", share=3), Zone(name="b")),
    )
    assert report.timeline[0].what == "cut a (6 peers) from p6 and p7"


def test_zones_have_paths_of_their_own() -> None:
    """What crosses between far zones takes as long as their path does; within one it is fast."""
    far = ZonePath(zones=("a", "b"), latency=Latency(kind="constant", low_ms=80))
    report = run(
        zones=(Zone(name="a"), Zone(name="b")),
        network=Network(latency=Latency(kind="lognormal", low_ms=0.5, high_ms=2), paths=(far,)),
        profile="wan",
        workload=Workload(services=2, instances=4, registrations=3, lookups=0),
    )
    assert report.convergence.everybody.p50 is not None
    assert report.convergence.everybody.p50 >= 0.08
    assert report.convergence.complete == report.convergence.changes


def test_a_report_tells_its_zones_and_their_paths() -> None:
    """What a report holds says on which network it was found; without zones it says so too."""
    far = ZonePath(zones=("a", "b"), latency=Latency(kind="constant", low_ms=80))
    zones = (Zone(name="a", share=3), Zone(name="b"))
    told = run(duration=1.0, zones=zones, network=Network(paths=(far,))).as_json()
    assert told["zones"] == {"a": 3, "b": 1.0}
    assert [(path["zones"], path["latency"]["low_ms"]) for path in told["paths"]] == [
        (("a", "b"), 80)
    ]
    none = run(duration=1.0).as_json()
    assert (none["zones"], none["paths"]) == ({}, ())


def test_a_bad_network_still_carries_all_changes() -> None:
    """Reordered, duplicated, lost, and through narrow links: every change arrives."""
    bad = Network(loss=0.1, duplication=0.1, reordering=0.3, bandwidth_mbit=1, queue_kib=64)
    report = run(
        network=bad,
        duration=20.0,
        workload=Workload(services=2, instances=4, registrations=2, changes=2, lookups=0),
    )
    assert report.convergence.complete >= report.convergence.changes - 3
    assert report.false_accusations.deaths == 0


def test_a_network_that_cannot_be_is_refused() -> None:
    """A latency whose highest is below its lowest is a mistake in the scenario."""
    with pytest.raises(ScenarioError, match="latency"):
        run(network=Network(latency=Latency(low_ms=2, high_ms=1)))


def test_a_mesh_that_never_stands_is_said() -> None:
    """Where nothing arrives at all, the scenario is refused before it begins."""
    with pytest.raises(ScenarioError, match="did not stand"):
        run(peers=3, network=Network(loss=1.0), settings={"stream_timeout": 0.1})


def test_settings_that_cannot_work_are_refused() -> None:
    """What the configuration refuses is a mistake in the scenario."""
    with pytest.raises(ScenarioError, match="probe_timeout"):
        run(settings={"probe_timeout": 2.0})


# Bugs on purpose: the simulator is to show them.


def test_a_merge_that_forgets_removals_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas that skip removals have equal roots, and answer wrongly to the end."""
    true_merge = Part.merge

    def merge(part: Part, since: int, operations: list[Operation]) -> tuple[Operation, ...] | None:
        kept = [
            (key, part.records.get(key) if value is None else value) for key, value in operations
        ]
        return true_merge(part, since, kept)

    monkeypatch.setattr(Part, "merge", merge)
    report = run(workload=Workload(services=1, instances=8, deregistrations=0.5, lookups=2))
    assert report.converged
    assert report.lookups is not None
    assert report.lookups.dead > 0
    assert report.lookups.wrong_for.max is not None
    assert report.lookups.wrong_for.max > 1
    assert report.series.wrong[-1] > 0


def test_a_merge_that_ignores_what_it_is_sent_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes that are never merged are incomplete, and roots stay different."""
    monkeypatch.setattr(Replicas, "merge_delta", lambda *_: False)
    monkeypatch.setattr(Replicas, "merge_snapshot", lambda *_: False)
    report = run(
        network=Network(loss=0.5),
        workload=Workload(services=1, instances=0, registrations=3, lookups=1),
    )
    assert report.convergence.complete < report.convergence.changes
    assert not report.converged


def test_a_membership_that_does_not_refute_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suspects that do not speak up are declared dead although they could be reached."""
    monkeypatch.setattr(OwnLife, "hear", lambda *_: None)
    report = run(at(1, HALVES, lasts=3), duration=30.0)
    assert report.false_accusations.deaths > 0
    assert report.false_accusations.deaths_of_healthy > 0
    assert report.false_accusations.deaths_at_healthy > 0
