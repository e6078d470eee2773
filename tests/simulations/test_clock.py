from math import inf, nan

import pytest
from hypothesis import given, strategies as st

from gossamer.simulations import VirtualClock


def test_runs_entries_in_the_order_of_their_times() -> None:
    """What was asked for later but is due earlier runs first, at its own time."""
    clock = VirtualClock()
    seen: list[tuple[float, str]] = []

    def note(word: str) -> None:
        seen.append((clock.now, word))

    clock.call_at(2.0, note, "late")
    clock.call_at(1.0, note, "early")
    clock.run_until(3.0)

    assert seen == [(1.0, "early"), (2.0, "late")]
    assert clock.now == 3.0


def test_runs_entries_of_one_instant_in_the_order_asked_for() -> None:
    """Entries for the same time are never reordered, whatever their arguments are."""
    clock = VirtualClock()
    seen: list[object] = []
    arguments = [object(), "b", None, 3]

    for argument in arguments:
        clock.call_at(1.0, seen.append, argument)
    clock.run_until(1.0)

    assert seen == arguments


def test_run_until_includes_its_own_time_and_nothing_later() -> None:
    """The bound belongs to the run; what comes after it waits."""
    clock = VirtualClock()
    seen: list[str] = []
    clock.call_at(1.0, seen.append, "at")
    clock.call_at(1.000_001, seen.append, "after")

    clock.run_until(1.0)

    assert seen == ["at"]
    assert (clock.pending, clock.next_at) == (1, 1.000_001)


def test_an_entry_may_ask_for_more_at_the_same_instant() -> None:
    """An entry made while running, for now, runs in the same run and after what waited."""
    clock = VirtualClock()
    seen: list[str] = []

    def again(_: None) -> None:
        seen.append("first")
        clock.call_at(clock.now, seen.append, "third")

    clock.call_at(1.0, again, None)
    clock.call_at(1.0, seen.append, "second")
    clock.run_until(1.0)

    assert seen == ["first", "second", "third"]


def test_an_entry_for_the_past_runs_now() -> None:
    """Time does not go backwards for an entry that is late."""
    clock = VirtualClock(5.0)
    seen: list[float] = []

    def note(_: None) -> None:
        seen.append(clock.now)

    clock.call_at(1.0, note, None)
    assert clock.step()

    assert seen == [5.0]
    assert not clock.step()


@pytest.mark.parametrize("time", [inf, nan])
def test_refuses_an_entry_for_never(time: float) -> None:
    """An infinite or undefined time is a mistake of the caller, and nothing is scheduled."""
    clock = VirtualClock()
    with pytest.raises(ValueError, match="finite"):
        clock.call_at(time, print, "never")
    assert clock.pending == 0


@pytest.mark.parametrize("time", [-1.0, 0.999, inf, nan])
def test_refuses_to_run_into_the_past_or_for_ever(time: float) -> None:
    """A run needs an end that is finite and not past."""
    clock = VirtualClock(1.0)
    with pytest.raises(ValueError, match="cannot run until"):
        clock.run_until(time)
    assert clock.now == 1.0


@pytest.mark.parametrize("start", [inf, -inf, nan])
def test_refuses_to_start_nowhere(start: float) -> None:
    """The start of time is a finite number."""
    with pytest.raises(ValueError, match="finite"):
        VirtualClock(start)


def test_refuses_to_run_from_within_a_run() -> None:
    """An entry that runs the clock would confuse the time of all others."""
    clock = VirtualClock()
    clock.call_at(1.0, clock.run_until, 2.0)
    with pytest.raises(RuntimeError, match="by an entry"):
        clock.run_until(3.0)


def test_an_entry_that_raises_leaves_the_rest_waiting() -> None:
    """The clock stops where the failure was, and can go on."""
    clock = VirtualClock()
    seen: list[str] = []

    def fail(_: None) -> None:
        raise LookupError

    clock.call_at(1.0, fail, None)
    clock.call_at(2.0, seen.append, "rest")
    with pytest.raises(LookupError):
        clock.run_until(3.0)
    assert (clock.now, clock.pending) == (1.0, 1)

    clock.run_for(2.0)
    assert seen == ["rest"]


@given(st.lists(st.integers(0, 5)))
def test_any_schedule_runs_sorted_and_stable(times: list[int]) -> None:
    """For any times the order is that of a stable sort."""
    clock = VirtualClock()
    seen: list[tuple[int, int]] = []
    for index, time in enumerate(times):
        clock.call_at(float(time), seen.append, (time, index))

    clock.run_until(10.0)

    assert seen == sorted((time, index) for index, time in enumerate(times))
    assert clock.scheduled == len(times)
