import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.kernel import Isolation, LocalHealth


@given(st.integers(1, 10), st.lists(st.integers(-3, 3)))
def test_the_score_stays_within_its_bounds(limit: int, deltas: list[int]) -> None:
    """Each sign counts from where the score stands, cut off at 0 and at the limit less one."""
    health = LocalHealth(limit)
    expected = 0
    for delta in deltas:
        health.note(delta)
        expected = max(0, min(limit - 1, expected + delta))
        assert health.score == expected


def test_the_score_stretches_time() -> None:
    """Well means unstretched; at the limit of 8 times are eight times as long, as in memberlist."""
    health = LocalHealth(8)
    assert health.scale(0.5) == 0.5

    health.note(1)
    assert health.scale(0.5) == 1.0
    health.note(100)
    assert (health.scale(0.5), health.scale(1.0)) == (4.0, 8.0)


def test_a_limit_of_one_switches_stretching_off() -> None:
    """With one step only, no sign of slowness changes anything."""
    health = LocalHealth(1)
    health.note(5)
    assert health.scale(2.0) == 2.0


def failing(targets: str, now: float = 0.0, limit: float = 30.0) -> Isolation:
    """Return what a peer thinks after probes of these targets failed."""
    isolation = Isolation(limit)
    for target in targets:
        isolation.note(target, answered=False, now=now)
    return isolation


@pytest.mark.parametrize(
    ("targets", "isolated"),
    [("a", False), ("ab", False), ("abab", False), ("aaaaaaaaaa", False), ("abc", True)],
)
def test_three_targets_that_fail_are_the_least(targets: str, isolated: bool) -> None:
    """One or two dead members, probed however often, do not mean that this peer is cut off."""
    assert failing(targets).isolated is isolated


@pytest.mark.parametrize(("answers", "isolated"), [(2, True), (3, True), (4, False), (7, False)])
def test_most_of_the_recent_probes_have_to_fail(answers: int, isolated: bool) -> None:
    """Of ten probes more than six have to fail, of different members."""
    isolation = Isolation(30.0)
    for number in range(answers):
        isolation.note(f"fine {number}", answered=True, now=0.0)
    for number in range(10 - answers):
        isolation.note(f"gone {number}", answered=False, now=0.0)

    assert isolation.isolated is isolated


def test_only_the_last_ten_probes_count() -> None:
    """Answers of long ago do not hide that nobody answers now."""
    isolation = Isolation(30.0)
    for number in range(100):
        isolation.note(f"fine {number}", answered=True, now=0.0)

    for number in range(7):
        assert not isolation.isolated
        isolation.note(f"gone {number}", answered=False, now=1.0)

    assert isolation.isolated


def test_isolation_ends_when_enough_probes_are_answered() -> None:
    """An answer ends it as soon as the failed are no longer most of the recent probes."""
    isolation = failing("abc")

    seen = []
    for target in "de":
        isolation.note(target, answered=True, now=1.0)
        seen.append(isolation.isolated)

    assert seen == [True, False]  # three of four failed, then three of five


def test_isolation_does_not_last_for_ever() -> None:
    """At its limit it ends without an answer, and does not begin again before one came."""
    isolation = failing("abc", now=10.0)
    seen = []
    for now in (39.9, 40.0, 41.0):
        isolation.note("d", answered=False, now=now)
        seen.append(isolation.isolated)
    isolation.note_silence(42.0)

    assert [*seen, isolation.isolated] == [True, False, False, False]


def test_an_answer_allows_a_new_isolation() -> None:
    """Once the peer was connected again, the next cut is noticed like the first."""
    isolation = failing("abcd", now=0.0)
    isolation.note("e", answered=False, now=30.0)
    spent = not isolation.isolated
    for number in range(10):
        isolation.note(f"fine {number}", answered=True, now=50.0)

    for number in range(7):
        isolation.note(f"gone {number}", answered=False, now=60.0)

    assert (spent, isolation.isolated) == (True, True)


def test_silence_of_all_relays_isolates_at_once() -> None:
    """One probe that neither target nor relays report on is enough, and one answer ends it."""
    isolation = Isolation(30.0)
    isolation.note_silence(0.0)
    silent = isolation.isolated
    isolation.note("a", answered=True, now=1.0)

    assert (silent, isolation.isolated) == (True, False)


def test_repeated_silence_does_not_prolong_isolation() -> None:
    """The limit counts from when it began."""
    isolation = Isolation(30.0)
    isolation.note_silence(0.0)
    isolation.note_silence(20.0)

    isolation.note("a", answered=False, now=30.0)

    assert not isolation.isolated


def test_forgotten_outcomes_do_not_count() -> None:
    """Failures that a stopped process gathered do not add up with what comes after."""
    isolation = failing("ab")
    isolation.forget()
    isolation.note("c", answered=False, now=1.0)

    assert not isolation.isolated
