from math import inf
from typing import TypeVar

from hypothesis import given, strategies as st

from gossamer.gossip.basis import Timer, Timers

Word = TypeVar("Word")


def noting(timers: Timers, seen: list[Word], when: float, word: Word) -> Timer:
    """Set a timer that writes down its word."""
    return timers.at(when, lambda _now: seen.append(word))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30), st.integers(0, 5))
def test_what_is_due_runs_by_time_and_then_by_order(plan: list[tuple[int, bool]], now: int) -> None:
    """Exactly the due and not cancelled run, the earlier first and ties as they were set."""
    timers = Timers()
    seen: list[int] = []
    for number, (when, _) in enumerate(plan):
        timer = noting(timers, seen, float(when), number)
        if plan[number][1]:
            timer.cancel()
    kept = [number for number, (_, cancelled) in enumerate(plan) if not cancelled]

    timers.run(float(now))

    due = [number for number in kept if plan[number][0] <= now]
    assert seen == sorted(due, key=lambda number: plan[number][0])
    assert timers.deadline == min((plan[n][0] for n in kept if plan[n][0] > now), default=inf)


def test_nothing_waiting_is_due_never() -> None:
    """Without timers the deadline is infinity, and running does nothing."""
    timers = Timers()
    timers.run(1e9)
    assert (timers.deadline, len(timers)) == (inf, 0)


def test_a_timer_is_due_at_its_very_time() -> None:
    """Not before, and at the deadline itself."""
    timers = Timers()
    seen: list[str] = []
    noting(timers, seen, 2.0, "a")

    timers.run(1.999)
    assert seen == []
    timers.run(timers.deadline)

    assert seen == ["a"]


def test_a_timer_runs_once_and_is_told_the_time_of_the_run() -> None:
    """A late run tells when it is, not when it should have been."""
    timers = Timers()
    seen: list[float] = []
    timers.at(2.0, seen.append)

    timers.run(5.0)
    timers.run(6.0)

    assert seen == [5.0]


def test_a_cancelled_timer_does_not_count_for_the_deadline() -> None:
    """The deadline is that of the first timer that will run."""
    timers = Timers()
    seen: list[str] = []
    first = noting(timers, seen, 1.0, "first")
    noting(timers, seen, 2.0, "second")

    first.cancel()
    first.cancel()

    assert timers.deadline == 2.0
    assert len(timers) == 1


def test_cancelling_after_the_run_does_no_harm() -> None:
    """A timer that ran can be cancelled, and nothing else is."""
    timers = Timers()
    seen: list[str] = []
    first = noting(timers, seen, 1.0, "first")
    noting(timers, seen, 1.5, "second")
    timers.run(1.0)

    first.cancel()
    timers.run(2.0)

    assert seen == ["first", "second"]


def test_actions_may_set_and_cancel_timers_of_the_same_run() -> None:
    """What an action sets for now runs in this run; what it cancels does not."""
    timers = Timers()
    seen: list[str] = []
    victim = noting(timers, seen, 1.5, "victim")

    def act(now: float) -> None:
        victim.cancel()
        noting(timers, seen, now, "now")
        noting(timers, seen, now + 1.0, "later")

    timers.at(1.0, act)
    timers.run(2.0)

    assert seen == ["now"]
    assert timers.deadline == 3.0


def test_cancelled_timers_do_not_pile_up() -> None:
    """Far-off timers that are set and cancelled again and again leave a bounded heap."""
    timers, ran = Timers(), list[float]()
    kept = [timers.at(600 + number, ran.append) for number in range(100)]
    for _ in range(10_000):
        timers.at(500, ran.append).cancel()
    assert len(timers) <= 2 * len(kept) + 256

    timers.run(700)
    assert len(ran) == len(kept)


def test_what_is_dropped_does_not_happen() -> None:
    """After `clear` nothing is wanted, and what is set later is served as ever."""
    timers = Timers()
    ran: list[float] = []
    timers.at(1.0, ran.append)
    timers.clear()
    assert (len(timers), timers.deadline) == (0, float("inf"))
    timers.at(2.0, ran.append)
    timers.run(3.0)
    assert ran == [3.0]
