"""Answers held against the truth, in small worlds with real registries."""

import pytest

from gossamer.peers import Registration
from gossamer.simulations import ConstantLatency
from gossamer.simulations.faithful._lookups import Answers
from gossamer.simulations.faithful._truth import Provider
from gossamer.simulations.faithful._world import World
from gossamer.simulations.scenario import Scenario

LATENCY = 0.05


def make(peers: int = 3) -> tuple[World, Answers]:
    """Return a world that is measured, with one way of 50 ms."""
    scenario = Scenario(name="test", summary="", peers=peers, duration=10.0)
    world = World(scenario, ConstantLatency(LATENCY))
    world.settle(peers)
    return world, world.measure().answers


def register(world: World, owner: int, name: str) -> Provider:
    """Register an instance of one service, as a workload does."""
    provider = Provider("s", name, owner, 80)
    world.truth.put(provider)
    assert world.measures is not None
    world.measures.answers.instance_changed("s", name)
    world.act(
        owner,
        lambda registry, now: registry.register(Registration(service="s", id=name, port=80), now),
    )
    return provider


def deregister(world: World, provider: Provider) -> None:
    """End an instance, as a workload does."""
    world.truth.remove(provider)
    assert world.measures is not None
    world.measures.answers.instance_changed("s", provider.id)
    world.act(provider.owner, lambda registry, now: registry.deregister("s", provider.id, now=now))


def test_a_new_instance_is_missed_until_it_arrives() -> None:
    """Its owner finds it at once; the others' answers are wrong for one latency."""
    world, answers = make()
    register(world, 0, "s-1")
    assert answers.wrong_pairs == 2
    assert answers.ask(0, "s") == (1, 0)
    assert answers.ask(1, "s") == (0, 1)
    world.mesh.run_for(0.2)
    assert answers.wrong_pairs == 0
    assert answers.ask(1, "s") == (1, 0)
    found = answers.result()
    assert (found.made, found.wrong, found.missing, found.dead) == (3, 1, 1, 0)
    assert found.wrong_for.count == 2
    assert found.wrong_for.max is not None
    assert found.wrong_for.max == pytest.approx(LATENCY)


def test_an_ended_instance_is_found_until_that_arrives() -> None:
    """What was deregistered counts as dead wherever it is still shown."""
    world, answers = make()
    provider = register(world, 0, "s-1")
    world.mesh.run_for(0.2)
    deregister(world, provider)
    assert answers.wrong_pairs == 2
    assert answers.ask(2, "s") == (1, 1)
    world.mesh.run_for(0.2)
    assert answers.ask(2, "s") == (0, 0)
    found = answers.result()
    assert (found.wrong, found.missing, found.dead) == (1, 0, 1)
    assert found.rate == 0.5


def test_what_cannot_be_reached_is_not_missed() -> None:
    """Behind a cut a new instance is missing and not wrong; after it, it is wrong."""
    world, answers = make()
    peers = world.peers
    guard = world.mesh.cut([peers[0]], peers[1:])
    barrier = world.reach.raise_barrier([[0], [1, 2]])
    world.moved()
    register(world, 0, "s-1")
    world.mesh.run_for(0.2)
    assert answers.wrong_pairs == 0
    assert answers.ask(1, "s") == (0, 0)
    assert answers.result().missing_behind_cut == 1
    guard.remove()
    world.reach.lift(barrier)
    world.moved()
    assert answers.wrong_pairs == 2
    assert answers.ask(1, "s") == (0, 1)
    world.mesh.run_for(10)
    assert answers.wrong_pairs == 0


def test_the_dead_do_not_answer_and_their_instances_are_wrong() -> None:
    """With a crash the peer's own wrong answers end, and all others' begin."""
    world, answers = make()
    register(world, 0, "s-1")
    world.mesh.run_for(0.2)
    register(world, 1, "s-2")
    assert answers.wrong_pairs == 2
    world.crash(0)
    # p2 misses s-2, and p1 and p2 still show s-1.
    assert answers.wrong_pairs == 3
    world.mesh.run_for(60)
    assert answers.wrong_pairs == 0


def test_a_paused_peer_asks_nothing_and_is_not_missed() -> None:
    """Its instances live: showing them is right, and so is not knowing them."""
    world, answers = make()
    register(world, 0, "s-1")
    world.mesh.run_for(0.2)
    world.pause(0)
    world.moved()
    register(world, 1, "s-2")
    assert answers.wrong_pairs == 1
    world.mesh.run_for(30)
    assert answers.wrong_pairs == 0
    world.resume(0)
    world.moved()
    assert answers.wrong_pairs > 0
    world.mesh.run_for(30)
    assert answers.wrong_pairs == 0


def test_a_spell_that_lasts_counts_until_now() -> None:
    """A wrong answer that never ends is not hidden by not having ended."""
    world, answers = make(2)
    world.mesh.cut([world.peers[0]], [world.peers[1]])
    register(world, 0, "s-1")
    world.mesh.run_for(3)
    assert answers.result().wrong_for.max == 3
