from math import log

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.membership._suspicion import Suspicion, start_suspicion


def lan(members: int, now: float = 0.0) -> Suspicion:
    """Return a suspicion with the numbers of a local network."""
    return start_suspicion("a", now, members=members, multiplier=4, longest=6, interval=1.0)


def confirmed(suspicion: Suspicion, count: int) -> Suspicion:
    """Return the suspicion after `count` further accusers."""
    for number in range(count):
        suspicion.confirm(f"witness {number}")
    return suspicion


@pytest.mark.parametrize(
    ("members", "shortest", "longest"),
    [
        (10, 4.0, 24.0),
        (100, 8.0, 48.0),
        (128, 8.43, 50.6),
        (1000, 12.0, 72.0),
        (10_000, 16.0, 96.0),
    ],
)
def test_bounds_are_those_of_memberlist(members: int, shortest: float, longest: float) -> None:
    """One accuser leaves the longest time and two confirmations the shortest, as memberlist has."""
    assert lan(members).ends_at == pytest.approx(longest, abs=0.05)
    assert confirmed(lan(members), 2).ends_at == pytest.approx(shortest, abs=0.005)


def test_the_shortest_time_is_that_of_the_paper() -> None:
    """With a multiplier of 5, 128 members and three confirmations: Lifeguard's 10.54 s."""
    suspicion = start_suspicion("a", 0.0, members=128, multiplier=5, longest=6, interval=1.0)

    assert confirmed(suspicion, 3).ends_at == pytest.approx(10.54, abs=0.005)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_time_falls_with_the_logarithm_of_the_confirmations(count: int) -> None:
    """Between its bounds the time-out is Lifeguard's formula."""
    suspicion = Suspicion("a", 100.0, shortest=5.0, longest=30.0, k=3)

    expected = 30.0 - 25.0 * log(count + 1) / log(4)

    assert confirmed(suspicion, count).ends_at == pytest.approx(100.0 + expected)


def test_half_of_the_way_is_gone_at_the_first_of_three() -> None:
    """One confirmation of three takes exactly half of what can be taken: ln 2 / ln 4."""
    suspicion = Suspicion("a", 0.0, shortest=5.0, longest=30.0, k=3)

    assert suspicion.confirm("b")
    assert suspicion.ends_at == pytest.approx(17.5)


def test_only_distinct_accusers_count() -> None:
    """A peer that has accused before, also the first accuser, does not shorten the time again."""
    suspicion = Suspicion("a", 0.0, shortest=5.0, longest=30.0, k=3)
    assert not suspicion.confirm("a")
    assert suspicion.confirm("b")
    after_one = suspicion.ends_at

    assert not suspicion.confirm("b")
    assert suspicion.ends_at == after_one
    assert list(suspicion.accusers) == ["a", "b"]


def test_no_more_accusers_are_counted_than_needed() -> None:
    """After k confirmations no further one is wanted, counted or kept."""
    suspicion = Suspicion("a", 0.0, shortest=5.0, longest=30.0, k=2)
    assert [suspicion.confirm(accuser) for accuser in "bcd"] == [True, True, False]
    assert list(suspicion.accusers) == ["a", "b", "c"]
    assert suspicion.ends_at == pytest.approx(5.0)


@pytest.mark.parametrize(("members", "expected"), [(1, 4.0), (2, 4.0), (3, 4.0), (4, 24.0)])
def test_a_mesh_without_witnesses_waits_the_shortest_time(members: int, expected: float) -> None:
    """Where two other witnesses cannot exist, none is waited for."""
    suspicion = lan(members)

    assert suspicion.ends_at == pytest.approx(expected)
    assert not (expected == 4.0 and suspicion.confirm("b"))


@given(
    st.integers(1, 100_000), st.integers(1, 9), st.integers(1, 9), st.floats(0.01, 60.0),
    st.floats(0.0, 1e6), st.lists(st.sampled_from("abcdefghij")),
)  # fmt: skip
def test_the_end_never_moves_back_and_keeps_its_bounds(
    members: int, multiplier: int, longest: int, interval: float, now: float, accusers: list[str]
) -> None:
    """Confirmations only shorten, never below the shortest time nor above the longest."""
    suspicion = start_suspicion(
        "a", now, members=members, multiplier=multiplier, longest=longest, interval=interval
    )
    shortest = multiplier * interval
    ends = [suspicion.ends_at]
    for accuser in accusers:
        suspicion.confirm(accuser)
        ends.append(suspicion.ends_at)

    assert ends == sorted(ends, reverse=True)
    assert ends[0] <= now + 5.1 * longest * shortest
    assert ends[-1] >= now + shortest - 1e-6
