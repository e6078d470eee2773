"""The peers that a group means."""

from random import Random
from typing import Final

import pytest
from hypothesis import given, strategies as st

from gossamer.simulations.scenario import Group, ScenarioError, Zone, peer_zones, resolve
from gossamer.simulations.scenario._groups import check_groups, zone_blocks

TEN: Final = [f"p{number}" for number in range(10)]
ZONES: Final = (Zone(name="a", share=1), Zone(name="b", share=4))
WHERE: Final = dict(zip(TEN, peer_zones(10, ZONES), strict=True))


def chosen(*groups: Group, seed: int = 1, names: list[str] = TEN) -> list[list[str]]:
    return resolve(groups, names, WHERE, Random(seed))


@pytest.mark.parametrize(
    ("group", "peers"),
    [
        (("p3",), ["p3"]),
        (("p8..p9", "p0"), ["p0", "p8", "p9"]),
        (("p3", "p2..p4"), ["p2", "p3", "p4"]),
        (("a",), ["p0", "p1"]),
        (("a", "p1..p3"), ["p0", "p1", "p2", "p3"]),
        (("all",), TEN),
        (("rest",), TEN),
        (("all", "rest"), TEN),
        (("100%",), TEN),
        (("10",), TEN),
    ],
)
def test_words_of_a_group(group: Group, peers: list[str]) -> None:
    """Each word means its peers, several of them all theirs, in the order of the peers."""
    assert chosen(group) == [peers]


@pytest.mark.parametrize(
    ("word", "count"), [("3", 3), ("30%", 3), ("34%", 3), ("35%", 4), ("1%", 1), ("0.001%", 1)]
)
def test_a_draw_has_its_size_and_comes_from_the_seed(word: str, count: int) -> None:
    """A share is rounded, is at least one peer, and the same for the same seed."""
    (found,) = chosen((word,))

    assert len(found) == count
    assert [found] == chosen((word,))
    assert len({tuple(*chosen((word,), seed=seed)) for seed in range(30)}) > 1


def test_draws_and_the_rest_leave_out_who_is_named() -> None:
    """Names come first wherever they stand, then draws, and the rest is what remains."""
    for seed in range(20):
        rest, drawn, more, named = chosen(("rest",), ("3",), ("20%",), ("p0..p2", "a"), seed=seed)

        assert named == ["p0", "p1", "p2"]
        assert [len(drawn), len(more), len(rest)] == [3, 2, 2]
        assert sorted(rest + drawn + more + named) == TEN


def test_peers_that_are_not_there_are_passed_over() -> None:
    """A peer that has left is not in a group any more; an empty group is refused."""
    there = ["p1", "p5", "p9", "p12"]

    assert chosen(("p0..p5",), ("rest",), names=there) == [["p1", "p5"], ["p9", "p12"]]
    with pytest.raises(ScenarioError, match=r"no peer is in group 2 \(p0\)"):
        chosen(("p1",), ("p0",), names=there)


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([("p0", "p1"), ("p1",)], "groups 1 and 2 both have p1"),
        ([("a",), ("p4",), ("p1..p2",)], "groups 1 and 3 both have p1"),
        ([("all",), ("p4",)], "groups 1 and 2 both have p4"),
        ([("rest",), ("p4",), ("rest",)], "groups 1 and 3 both have the rest"),
        ([("all",), ("rest",)], "nobody is left for the rest"),
        ([("6",), ("5",)], "11 peers are to be drawn from 10"),
        ([("p0..p7",), ("30%",)], "3 peers are to be drawn from 2 of 10"),
        ([("p0..p7",), ("2",), ("rest",)], "nobody is left for the rest"),
        ([("c",)], "there is no zone or peer 'c'"),
        ([("p-1",)], "there is no zone or peer 'p-1'"),
        ([("p01",)], "there is no zone or peer 'p01'"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: list[Group], reason: str) -> None:
    """Both the check before a run and the choice within it refuse what cannot be."""
    with pytest.raises(ScenarioError) as caught:
        check_groups(groups, 10, zone_blocks(10, ZONES))
    assert reason in str(caught.value)
    with pytest.raises(ScenarioError):
        chosen(*groups)


_words = st.one_of(
    st.sampled_from(["a", "b", "all", "rest", "3", "20%", "0.5%"]),
    st.integers(0, 9).map("p{}".format),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda ends: "p{}..p{}".format(*ends)),
)


@given(
    st.lists(st.lists(_words, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4),
    st.integers(),
)
def test_the_check_before_a_run_says_what_the_run_will_say(groups: list[Group], seed: int) -> None:
    """Groups are refused when a file is read, exactly if nobody could be chosen for them."""

    def refuses() -> bool:
        try:
            check_groups(groups, 10, zone_blocks(10, ZONES))
        except ScenarioError:
            return True
        return False

    if refuses():
        with pytest.raises(ScenarioError):
            chosen(*groups, seed=seed)
    else:
        found = chosen(*groups, seed=seed)
        everybody = [name for group in found for name in group]
        assert all(found)
        assert len(everybody) == len(set(everybody))


@given(st.integers(1, 10_000), st.lists(st.floats(0.01, 1000), min_size=1, max_size=9))
def test_zones_take_their_share_of_the_peers(peers: int, shares: list[float]) -> None:
    """Zones fill the peers in order, each within one peer of its share."""
    zones = [Zone(name=f"z{place}", share=share) for place, share in enumerate(shares)]

    names = peer_zones(peers, zones)

    assert names == sorted(names)
    assert len(names) == peers
    for zone in zones:
        assert abs(names.count(zone.name) - peers * zone.share / sum(shares)) <= 1.001


def test_without_zones_no_peer_has_one() -> None:
    """A mesh without zones leaves the zone of its peers empty."""
    assert peer_zones(3, ()) == ["", "", ""]
