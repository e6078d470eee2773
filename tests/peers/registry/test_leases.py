from math import inf

from hypothesis import given, strategies as st

from gossamer.peers.registry._deadlines import Deadlines
from gossamer.peers.registry._leases import Leases

ONE = ("orders", "one")
TWO = ("orders", "two")


def run(leases: Leases, until: float) -> list[tuple[float, tuple[str, str]]]:
    """Tick whenever it is wanted; return what ended, and when."""
    ended = []
    while leases.deadline <= until:
        now = leases.deadline
        leases.advance(now)
        ended += [(now, subject) for subject in leases.pop_ended(now)]
    return ended


def test_a_lease_ends_exactly_its_time_after_the_last_heartbeat() -> None:
    """Renewing counts from the heartbeat, and the end is neither early nor late."""
    leases = Leases()
    leases.advance(0.0)
    leases.renew(ONE, 30_000, 0.0)
    leases.renew(TWO, 5_500, 0.0)
    assert run(leases, 20.0) == [(5.5, TWO)]
    leases.advance(20.25)
    leases.renew(ONE, 30_000, 20.25)
    assert run(leases, 100.0) == [(50.25, ONE)]
    assert leases.deadline == inf


def test_a_lease_that_was_ended_does_not_end_again() -> None:
    """A lease that is given up is forgotten."""
    leases = Leases()
    leases.advance(0.0)
    leases.renew(ONE, 1000, 0.0)
    leases.end(ONE)
    leases.end(TWO)
    assert run(leases, 10.0) == []


def test_a_stop_of_the_process_ends_no_lease() -> None:
    """After a stop the leases have the time left that they had, and a second for the backlog."""
    leases = Leases()
    leases.advance(0.0)
    leases.renew(ONE, 30_000, 0.0)
    assert run(leases, 15.0) == []
    leases.advance(35.0)
    assert leases.pop_ended(35.0) == []
    assert leases.stalls == 1
    ((ended, _),) = run(leases, 100.0)
    assert 50.0 <= ended <= 51.0


def test_a_late_tick_is_no_stop() -> None:
    """A tick that is late by less than a second moves nothing."""
    leases = Leases()
    leases.advance(0.0)
    leases.renew(ONE, 30_000, 0.0)
    for turn in range(15):
        leases.advance(turn * 1.9)
    assert leases.stalls == 0
    assert run(leases, 40.0) == [(30.0, ONE)]


def test_time_without_leases_is_no_stop() -> None:
    """A peer without leases asks for no ticks, and the first lease begins when it is given."""
    leases = Leases()
    leases.advance(0.0)
    assert leases.deadline == inf
    leases.advance(1000.0)
    leases.renew(ONE, 2000, 1000.0)
    assert run(leases, 2000.0) == [(1002.0, ONE)]


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 20)), max_size=60))
def test_deadlines_are_those_of_a_plain_table(steps: list[tuple[int, int | None]]) -> None:
    """Whatever is set, moved and discarded, the next moment and what is due are right."""
    deadlines: Deadlines[int] = Deadlines()
    table: dict[int, float] = {}
    for key, at in steps:
        if at is None:
            deadlines.discard(key)
            table.pop(key, None)
        else:
            deadlines.set(key, float(at))
            table[key] = float(at)
        assert deadlines.next == min(table.values(), default=inf)
        assert len(deadlines) == len(table)
    due = deadlines.pop_due(10.0)
    assert sorted(due) == sorted(key for key, at in table.items() if at <= 10.0)
    assert [table[key] for key in due] == sorted(table[key] for key in due)
    assert all(key not in deadlines for key in due)


def test_deadlines_that_are_moved_for_ever_take_bounded_memory() -> None:
    """Moving one deadline again and again leaves a bounded number of old ones behind."""
    deadlines: Deadlines[int] = Deadlines()
    for at in range(10_000):
        deadlines.set(1, float(at))
    assert deadlines.kept < 200
    assert deadlines.next == 9999.0
