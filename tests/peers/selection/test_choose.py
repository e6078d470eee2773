"""How one of several instances is chosen."""

import random
from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType

import pytest
from hypothesis import given, strategies as st

from gossamer.peers.model import BadInput, Instance, Lookup, NoInstanceError
from gossamer.peers.selection import Chooser, RoundRobin, WeightedRandom


def instance(
    port: int, *, weight: int = 1, verified: bool = True, service: str = "orders"
) -> Instance:
    return Instance(
        service=service,
        id=str(port),
        address="10.0.0.5",
        port=port,
        status="UP",
        own_status="UP",
        tags=(),
        metadata=MappingProxyType({}),
        weight=weight,
        zone=None,
        ttl=None,
        owner="a",
        verified=verified,
        registered_at=0.0,
        updated_at=0.0,
        override=None,
    )


def lookup(*instances: Instance) -> Lookup:
    return Lookup("orders", tuple(instances), degraded=False, index=1)


def test_weights_are_shares() -> None:
    """An instance of weight 3 gets three times the calls of one of weight 1."""
    chooser = Chooser(random.Random(1))
    found = lookup(instance(1, weight=1), instance(2, weight=3))
    chosen = Counter(chooser.choose(found, "weighted").port for _ in range(4000))
    assert 900 < chosen[1] < 1100


def test_turns_are_equal_whatever_the_weights() -> None:
    """Round robin gives each instance one call after the other."""
    chooser = Chooser()
    found = lookup(*(instance(port, weight=port) for port in (1, 2, 3)))
    assert [chooser.choose(found, "round_robin").port for _ in range(6)] == [1, 2, 3, 1, 2, 3]


def test_services_take_turns_apart() -> None:
    """A call of one service does not move the turn of another."""
    policy = RoundRobin()
    orders = [instance(1), instance(2)]
    payments = [instance(3, service="payments"), instance(4, service="payments")]
    taken = [policy(each).port for each in (orders, payments, orders, payments)]
    assert taken == [1, 3, 2, 4]


def test_turns_of_many_services_do_not_grow() -> None:
    """After 4,096 services the turns begin anew, and each is still answered."""
    policy = RoundRobin()
    for number in range(5000):
        assert policy([instance(number + 1, service=f"s{number}")]).port == number + 1
    assert policy([instance(1, service="s4999"), instance(2, service="s4999")]).port == 2
    assert policy([instance(1, service="s0"), instance(2, service="s0")]).port == 1


@pytest.mark.parametrize("policy", ["weighted", "round_robin"])
def test_what_is_verified_and_has_a_weight_is_preferred(policy: str) -> None:
    """Unverified instances, and those of weight 0, are chosen only where there is nothing else."""
    chooser = Chooser(random.Random(1))
    lost, idle, good = instance(1, verified=False), instance(2, weight=0), instance(3)
    for found, expected in (
        (lookup(lost, idle, good), {3}),
        (lookup(lost, idle), {2}),
        (lookup(lost), {1}),
        (lookup(idle), {2}),
    ):
        chosen = {chooser.choose(found, policy).port for _ in range(8)}  # type: ignore[arg-type]
        assert chosen == expected


def test_nothing_to_choose_is_an_error_that_names_the_service() -> None:
    """A caller is told what it asked for, and what to do."""
    with pytest.raises(NoInstanceError, match=r"'orders'.*wait for one") as caught:
        Chooser().choose(lookup(), "weighted")
    assert caught.value.field == "service"


def test_an_unknown_policy_is_refused_with_those_there_are() -> None:
    """The remedy is in the sentence."""
    with pytest.raises(BadInput, match="weighted, round_robin, not 'fastest'"):
        Chooser().choose(lookup(instance(1)), "fastest")  # type: ignore[arg-type]


def test_a_function_is_a_policy() -> None:
    """It gets the candidates, and its answer is taken."""

    def last(candidates: Sequence[Instance]) -> Instance:
        return candidates[-1]

    assert Chooser().choose(lookup(instance(1), instance(2)), last).port == 2


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(0, 1000))
def test_one_of_the_candidates_is_chosen(weights: list[int], seed: int) -> None:
    """Whatever the weights are, also if all of them are 0."""
    candidates = [instance(port + 1, weight=weight) for port, weight in enumerate(weights)]
    assert WeightedRandom(random.Random(seed))(candidates) in candidates
