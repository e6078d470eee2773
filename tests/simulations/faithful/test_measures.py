"""The measures, each fed with what happened by hand."""

import pytest

from gossamer.simulations.faithful._accusations import Accusations
from gossamer.simulations.faithful._detection import Crashes
from gossamer.simulations.faithful._propagation import Propagation
from gossamer.simulations.faithful._reach import Reach
from gossamer.simulations.faithful._theory import first_failed_probe, mean_latency, tree_depth
from gossamer.simulations.faithful._truth import Provider, Truth
from gossamer.simulations.faithful._views import ALIVE, DEAD, LEFT, SUSPECT, UNKNOWN, Views
from gossamer.simulations.scenario import Latency


def everybody(peers: int) -> list[bool]:
    return [True] * peers


# Who can reach whom


def test_without_barriers_all_reach_all() -> None:
    """A whole network parts nobody, and nobody from itself."""
    reach = Reach(3)
    assert not reach.cut
    assert reach.direct(0, 2)
    assert reach.path(2, 0)
    assert reach.linked(1, 1)


def test_a_cut_parts_both_ways_and_ends() -> None:
    """Sides do not reach one another until the barrier is lifted, once."""
    reach = Reach(4)
    barrier = reach.raise_barrier([[0, 1], [2, 3]])
    assert reach.cut
    assert reach.direct(0, 1)
    assert not reach.direct(1, 2)
    assert not reach.path(3, 0)
    assert reach.lift(barrier)
    assert not reach.lift(barrier)
    assert reach.linked(1, 2)


def test_news_goes_around_a_cut() -> None:
    """A peer that belongs to no side carries updates between the sides."""
    reach = Reach(3)
    reach.raise_barrier([[0], [1]])
    assert not reach.direct(0, 1)
    assert reach.path(0, 1)
    assert reach.linked(0, 1)


def test_one_way_is_no_link() -> None:
    """Where only one direction is lost there is a path back, and no direct reach."""
    reach = Reach(3)
    reach.raise_barrier([[0], [1, 2]], one_way=True)
    assert not reach.path(0, 1)
    assert reach.path(1, 0)
    assert not reach.linked(0, 1)
    assert not reach.direct(1, 0)
    assert reach.direct(1, 2)


def test_cuts_add_up() -> None:
    """Two cuts at once make four parts; lifting one leaves the other's two."""
    reach = Reach(4)
    first = reach.raise_barrier([[0, 1], [2, 3]])
    reach.raise_barrier([[0, 2], [1, 3]])
    assert not any(reach.linked(0, other) for other in (1, 2, 3))
    reach.lift(first)
    assert reach.linked(0, 2)
    assert not reach.linked(0, 1)


def test_the_silent_are_reached_by_nobody_until_every_reason_is_gone() -> None:
    """A peer that is paused and held at once needs both to end."""
    reach = Reach(2)
    reach.silence(1)
    reach.silence(1)
    reach.unsilence(1)
    assert not reach.direct(0, 1)
    assert not reach.path(1, 0)
    assert reach.direct(1, 1)
    reach.unsilence(1)
    assert reach.linked(0, 1)


# Changes


def test_a_change_is_complete_when_the_last_has_seen_it() -> None:
    """Half, nearly all and all are times since the change, nearest rank."""
    changes = Propagation(Reach(5), everybody(5))
    changes.made(0, 1, 1, 10.0)
    for peer, when in ((1, 10.1), (2, 10.2), (3, 10.3)):
        changes.seen(peer, 0, 1, 1, when)
    assert changes.result().complete == 0
    changes.seen(4, 0, 1, 1, 10.9)
    found = changes.result()
    assert (found.changes, found.complete) == (1, 1)
    assert found.half.p50 == pytest.approx(0.2)
    assert found.nearly.p50 == pytest.approx(0.9)
    assert found.max == pytest.approx(0.9)
    assert found.curve.y[-1] == 1.0
    assert found.curve.y == sorted(found.curve.y)


def test_a_later_version_and_a_later_life_bring_earlier_ones_along() -> None:
    """A peer with version 3 has seen 1 and 2; a peer with only version 1 has not seen 2."""
    changes = Propagation(Reach(2), everybody(2))
    changes.made(0, 1, 1, 0.0)
    changes.made(0, 1, 2, 0.5)
    changes.seen(1, 0, 1, 1, 1.0)
    assert changes.result().complete == 1
    changes.made(0, 1, 3, 1.5)
    changes.seen(1, 0, 2, 1, 2.0)
    found = changes.result()
    assert found.complete == 3
    assert found.everybody.max == pytest.approx(1.5)


def test_seeing_twice_counts_once() -> None:
    """A second copy of the same version changes nothing."""
    changes = Propagation(Reach(3), everybody(3))
    changes.made(0, 1, 1, 0.0)
    changes.seen(1, 0, 1, 1, 1.0)
    changes.seen(1, 0, 1, 1, 2.0)
    assert changes.result().complete == 0


def test_those_behind_a_cut_are_not_waited_for() -> None:
    """Neither those that were parted when a change was made, nor those parted before they saw."""
    reach = Reach(4)
    changes = Propagation(reach, everybody(4))
    changes.made(0, 1, 1, 0.0)
    changes.seen(1, 0, 1, 1, 0.5)
    reach.raise_barrier([[0, 1], [2, 3]])
    changes.moved()
    assert changes.result().complete == 1
    changes.made(0, 1, 2, 1.0)
    changes.seen(1, 0, 1, 2, 1.25)
    found = changes.result()
    assert found.complete == 2
    assert found.everybody.max == pytest.approx(0.5)


def test_the_gone_are_not_waited_for() -> None:
    """A peer that stops is not expected to see what is on its way."""
    present = everybody(3)
    changes = Propagation(Reach(3), present)
    changes.made(0, 1, 1, 0.0)
    changes.seen(1, 0, 1, 1, 0.5)
    present[2] = False
    changes.stopped(2)
    assert changes.result().complete == 1


def test_what_nobody_saw_dies_with_its_owner() -> None:
    """A change that its owner took along is none; one that somebody has goes on."""
    present = everybody(3)
    changes = Propagation(Reach(3), present)
    changes.made(0, 1, 1, 0.0)
    changes.seen(1, 0, 1, 1, 0.5)
    changes.made(0, 1, 2, 1.0)
    present[0] = False
    changes.stopped(0)
    assert changes.result().changes == 1
    changes.seen(2, 0, 1, 1, 3.0)
    assert changes.result().max == pytest.approx(3.0)


def test_a_change_that_nobody_else_could_see_is_not_measured() -> None:
    """Alone, a peer's changes are neither complete nor incomplete."""
    changes = Propagation(Reach(1), everybody(1))
    changes.made(0, 1, 1, 0.0)
    found = changes.result()
    assert (found.changes, found.complete) == (0, 0)
    assert found.p50 is None


def test_an_incomplete_change_counts_in_the_curve() -> None:
    """The curve ends below 1 where somebody never saw a change."""
    changes = Propagation(Reach(5), everybody(5))
    changes.made(0, 1, 1, 0.0)
    changes.seen(1, 0, 1, 1, 0.1)
    changes.seen(2, 0, 1, 1, 0.2)
    found = changes.result()
    assert found.curve.y[-1] == 0.5
    assert found.half.p50 == pytest.approx(0.2)
    assert found.nearly.p50 is None


# Crashes


def test_a_crash_is_detected_when_all_know() -> None:
    """The first verdict and the last are told apart; a second one of the same peer is none."""
    crashes = Crashes(Reach(3), everybody(3))
    crashes.crashed(2, 10.0)
    crashes.failed(0, 2, 12.0)
    crashes.failed(0, 2, 13.0)
    assert crashes.result().detected == 0
    crashes.failed(1, 2, 14.0)
    found = crashes.result()
    assert (found.crashes, found.detected) == (1, 1)
    assert found.first_times == [2.0]
    assert found.all_times == [4.0]


def test_verdicts_on_the_living_detect_nothing() -> None:
    """Without a crash there is nothing to detect."""
    crashes = Crashes(Reach(3), everybody(3))
    crashes.failed(0, 1, 1.0)
    assert crashes.result().crashes == 0
    assert crashes.result().first.p50 is None


def test_a_peer_that_returns_first_was_not_detected() -> None:
    """A new life before all know ends the matter."""
    crashes = Crashes(Reach(3), everybody(3))
    crashes.crashed(2, 0.0)
    crashes.failed(0, 2, 1.0)
    crashes.returned(2)
    crashes.failed(1, 2, 2.0)
    found = crashes.result()
    assert (found.crashes, found.detected) == (1, 0)
    assert found.first_times == [1.0]


def test_only_those_who_could_know_are_asked() -> None:
    """Neither those behind a cut, nor those who declared it dead before, nor those who died."""
    reach = Reach(5)
    reach.raise_barrier([[0], [1, 2, 3, 4]])
    crashes = Crashes(reach, everybody(5))
    crashes.crashed(4, 0.0, knew=[1])
    crashes.failed(2, 4, 3.0)
    crashes.stopped(3)
    found = crashes.result()
    assert found.crashes == 1
    assert found.first_times == [3.0]


# Accusations


def test_an_accusation_is_false_when_the_subject_runs_and_is_reachable() -> None:
    """Dead subjects and those behind a cut are accused rightly."""
    reach, present = Reach(4), everybody(4)
    touched = [False] * 4
    accusations = Accusations(reach, present, touched)
    accusations.suspected(0, 1, 0)
    present[2] = False
    accusations.suspected(0, 2, 0)
    accusations.failed(0, 2, 0)
    reach.raise_barrier([[0], [1, 2, 3]])
    accusations.failed(0, 3, 0)
    found = accusations.result()
    assert (found.suspicions, found.deaths) == (1, 0)
    assert found.suspicions_of_healthy == 1


def test_healthy_is_whom_no_event_touched() -> None:
    """Deaths are counted apart for healthy subjects, and for healthy observers of those."""
    touched = [False, True, False]
    accusations = Accusations(Reach(3), everybody(3), touched)
    accusations.failed(0, 1, 2)
    accusations.failed(1, 0, 1)
    accusations.failed(2, 0, 2)
    found = accusations.result()
    assert found.deaths == 3
    assert found.deaths_of_healthy == 2
    assert found.deaths_at_healthy == 1


def test_what_a_cut_began_is_told_apart() -> None:
    """A verdict after a cut counts for the cut if its accuser was behind it when it accused."""
    reach = Reach(4)
    accusations = Accusations(reach, everybody(4), [False] * 4)
    barrier = reach.raise_barrier([[0, 1], [2, 3]])
    accusations.suspected(0, 2, 0)
    reach.lift(barrier)
    accusations.failed(0, 2, 0)
    accusations.suspected(3, 2, 0)
    accusations.suspected(3, 1, 0)
    found = accusations.result()
    assert (found.suspicions, found.deaths) == (2, 1)
    assert (found.suspicions_by_cut, found.deaths_by_cut) == (1, 1)


# Views


def test_views_are_summed_as_they_change() -> None:
    """Totals follow every change of mind, and forget those who stop."""
    views = Views(4)
    for observer in range(4):
        views.started(observer)
        for subject in range(4):
            if subject != observer:
                views.holds(observer, subject, ALIVE)
    assert views.totals[ALIVE] == 12
    views.holds(0, 3, SUSPECT)
    views.holds(0, 3, SUSPECT)
    assert (views.totals[ALIVE], views.totals[SUSPECT]) == (11, 1)
    assert views.how(0, 3) == SUSPECT
    views.stopped(0)
    views.stopped(0)
    assert (views.totals[ALIVE], views.totals[SUSPECT]) == (9, 0)
    views.holds(0, 3, DEAD)
    assert views.totals[DEAD] == 0
    views.started(0)
    assert views.how(0, 3) == UNKNOWN


@pytest.mark.parametrize(
    ("held", "letter"),
    [
        ([ALIVE, ALIVE, ALIVE, ALIVE], "a"),
        ([UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN], "."),
        ([ALIVE, ALIVE, ALIVE, SUSPECT], "S"),
        ([SUSPECT, SUSPECT, SUSPECT, ALIVE], "s"),
        ([ALIVE, ALIVE, SUSPECT, DEAD], "D"),
        ([DEAD, DEAD, ALIVE, ALIVE], "D"),
        ([DEAD, DEAD, DEAD, ALIVE], "d"),
        ([LEFT, LEFT, LEFT, ALIVE], "l"),
        ([LEFT, UNKNOWN, UNKNOWN, UNKNOWN], "l"),
    ],
)
def test_a_letter_tells_what_the_others_hold(held: list[int], letter: str) -> None:
    """Small where more than half say so, large where some do."""
    views = Views(5)
    for observer, how in enumerate(held):
        views.started(observer)
        views.holds(observer, 4, how)
    assert views.letter(4, 4) == letter


# Truth


def test_truth_knows_who_is_to_be_found() -> None:
    """An instance out of service lives, and is not to be found; a removed one is gone."""
    truth = Truth()
    one, other = Provider("s", "s-1", 0, 80), Provider("s", "s-2", 1, 80)
    truth.put(one)
    truth.put(other)
    assert truth.up("s") == {"s-1": 0, "s-2": 1}
    one.up = False
    truth.put(one)
    assert truth.up("s") == {"s-2": 1}
    assert truth.of(0) == [one]
    truth.remove(other)
    truth.remove(one)
    assert truth.up("s") == {}
    assert truth.services() == []
    assert list(truth) == []


# Theory


def test_theory_has_the_figures_of_its_sources() -> None:
    """Das et al. 2002: 1.647 periods at 8 members, 1.582 at 1,000; trees as deep as they are."""
    assert first_failed_probe(8) == pytest.approx(1.647, abs=0.001)
    assert first_failed_probe(1000) == pytest.approx(1.582, abs=0.001)
    assert [tree_depth(n, 3) for n in (1, 2, 4, 5, 13, 14, 1000)] == [0, 1, 1, 2, 2, 3, 6]
    assert mean_latency(Latency(low_ms=1, high_ms=3)) == pytest.approx(0.002)
    assert mean_latency(Latency(kind="lognormal", low_ms=10, high_ms=90)) == pytest.approx(0.01)
