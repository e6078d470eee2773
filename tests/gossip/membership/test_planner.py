from random import Random

from hypothesis import given, strategies as st

from gossamer.gossip.membership import ProbePlanner

_seeds = st.integers(0, 1 << 32)


def planner_of(names: list[str], seed: int) -> ProbePlanner:
    """Return a planner that knows these members."""
    planner = ProbePlanner(Random(seed))
    for name in names:
        planner.add(name)
    return planner


def names_of(n: int) -> list[str]:
    """Return the names of `n` members."""
    return [str(number) for number in range(n)]


@given(st.integers(1, 30), _seeds)
def test_each_member_is_probed_within_2n_minus_1_periods(n: int, seed: int) -> None:
    """From any period on, every member's turn comes within 2n - 1 periods."""
    planner = planner_of(names_of(n), seed)

    plan = [planner.next() for _ in range(6 * n)]

    for start in range(len(plan) - (2 * n - 1) + 1):
        assert set(plan[start : start + 2 * n - 1]) == set(names_of(n))


@given(st.integers(1, 30), _seeds)
def test_each_round_probes_everybody_once(n: int, seed: int) -> None:
    """A round is a permutation of the members."""
    planner = planner_of(names_of(n), seed)

    for _ in range(3):
        assert sorted(str(planner.next()) for _ in range(n)) == sorted(names_of(n))


def test_rounds_are_shuffled_by_the_generator_given() -> None:
    """The same seed plans the same, and further rounds have other orders."""
    one, other = planner_of(names_of(12), 7), planner_of(names_of(12), 7)
    rounds = [[one.next() for _ in range(12)] for _ in range(3)]

    assert rounds == [[other.next() for _ in range(12)] for _ in range(3)]
    assert rounds[0] != rounds[1] != rounds[2]


@given(st.integers(1, 20), st.integers(0, 19), _seeds)
def test_a_joiner_is_probed_in_the_round_under_way(n: int, done: int, seed: int) -> None:
    """A new member gets its turn before any probed member gets its next turn."""
    planner = planner_of(names_of(n), seed)
    probed = [planner.next() for _ in range(min(done, n))]

    planner.add("joiner")
    rest = [planner.next() for _ in range(n + 1 - len(probed))]

    assert sorted(str(name) for name in probed + rest) == sorted([*names_of(n), "joiner"])


def test_joiners_enter_at_any_place() -> None:
    """Different peers probe a joiner at different times, the first and the last included."""
    places = set()
    for seed in range(200):
        planner = planner_of(names_of(5), seed)
        planner.add("joiner")
        places.add([planner.next() for _ in range(6)].index("joiner"))

    assert places == set(range(6))


def test_the_removed_are_not_probed() -> None:
    """A removed member has no turn any more, not even one that was hastened."""
    planner = planner_of(["a", "b", "c"], 1)
    planner.hasten("b")

    planner.remove("b")
    planner.remove("nobody")

    assert {planner.next() for _ in range(9)} == {"a", "c"}


def test_there_may_be_nobody() -> None:
    """Without members there is no probe, before the first came and after the last has gone."""
    planner = ProbePlanner(Random(1))
    assert planner.next() is None
    planner.add("a")
    planner.remove("a")
    assert planner.next() is None

    planner.add("a")
    assert planner.next() == "a"


def test_the_hastened_go_first_in_the_order_asked_for() -> None:
    """A hastened member comes next, once, and keeps its place in the round."""
    planner = planner_of(names_of(6), 1)
    planner.hasten("4")
    planner.hasten("2")
    planner.hasten("4")
    planner.hasten("nobody")

    assert [planner.next(), planner.next()] == ["4", "2"]
    assert sorted(str(planner.next()) for _ in range(6)) == names_of(6)


def test_adding_twice_is_adding_once() -> None:
    """A member that is added again has one turn a round."""
    planner = planner_of(["a", "b", "a", "a"], 1)

    assert sorted(str(planner.next()) for _ in range(2)) == ["a", "b"]


@given(st.lists(st.tuples(st.sampled_from("ars"), st.integers(0, 3)), max_size=400), _seeds)
def test_any_churn_leaves_a_round_with_everybody(actions: list[tuple[str, int]], seed: int) -> None:
    """However members came and went, all that are listed have a turn within 2n - 1 periods more."""
    planner = ProbePlanner(Random(seed))
    listed = set()
    for action, number in actions:
        if action == "a":
            planner.add(str(number))
            listed.add(str(number))
        elif action == "r":
            planner.remove(str(number))
            listed.discard(str(number))
        else:
            name = planner.next()
            assert name in listed if listed else name is None

    # Places of former lives in the round under way can double a turn, but not beyond the bound.
    waiting = planner.left_in_round
    turns = {planner.next() for _ in range(waiting + len(listed))}
    assert turns >= listed


def test_churn_within_one_round_keeps_the_order_bounded() -> None:
    """Members that come and go without a probe in between do not pile up."""
    planner = planner_of(names_of(10), 1)

    for number in range(5000):
        planner.add(f"passing {number}")
        assert len(planner) <= 2 * 11 + 64 + 1
        planner.remove(f"passing {number}")
        planner.add("returning")
        planner.remove("returning")

    assert sorted({str(planner.next()) for _ in range(10)}) == names_of(10)
