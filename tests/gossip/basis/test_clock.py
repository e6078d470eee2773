from hypothesis import given, strategies as st

from gossamer.gossip import HybridClock

_DAY_MS = 24 * 3600 * 1000
_walls = st.integers(0, 1 << 44)


@given(st.lists(_walls, min_size=1))
def test_stamps_grow_whatever_the_wall_clock_does(walls: list[int]) -> None:
    """Each stamp is larger than the last and no earlier than the wall clock."""
    clock = HybridClock()
    last = -1
    for wall in walls:
        stamp = clock.next(wall)
        assert stamp > last
        assert stamp >> 16 >= wall
        last = stamp


def test_a_stamp_is_the_wall_clock_and_a_counter() -> None:
    """A new millisecond starts at 0; within one the counter runs."""
    clock = HybridClock()

    assert [clock.next(1000), clock.next(1000), clock.next(1000)] == [
        1000 << 16, (1000 << 16) + 1, (1000 << 16) + 2,
    ]  # fmt: skip
    assert clock.next(1001) == 1001 << 16


def test_a_clock_that_is_set_back_goes_on_counting() -> None:
    """While the wall clock lies behind, stamps go on from the last."""
    clock = HybridClock()
    clock.next(2000)

    assert clock.next(1000) == (2000 << 16) + 1


@given(_walls, st.integers(0, 1 << 61), st.integers(0, _DAY_MS))
def test_what_follows_an_observed_stamp_is_larger(wall: int, stamp: int, slack: int) -> None:
    """A stamp within a day of this clock is outrun by all that are made here afterwards."""
    clock = HybridClock()
    stamp = min(stamp, (wall + slack) << 16 | 0xFFFF)

    assert clock.observe(stamp, wall)
    assert clock.next(wall) > stamp


def test_an_older_stamp_changes_nothing() -> None:
    """Observing what lies behind does not take the clock back."""
    clock, untouched = HybridClock(), HybridClock()
    clock.next(2000)
    untouched.next(2000)

    assert clock.observe(5 << 16, 2000)
    assert clock.next(2000) == untouched.next(2000)


def test_stamps_more_than_a_day_ahead_are_ignored() -> None:
    """The last millisecond of the day counts, the next is refused and leaves the clock alone."""
    clock = HybridClock()
    assert not clock.observe((1000 + _DAY_MS + 1) << 16, 1000)
    assert clock.next(1000) == 1000 << 16

    assert clock.observe((1000 + _DAY_MS) << 16 | 0xFFFF, 1000)
    assert clock.next(1000) == (1000 + _DAY_MS + 1) << 16
