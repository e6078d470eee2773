"""Faults of networks and hosts that last for a time; each returns a call that undoes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gossamer.simulations import Duplication, Lag, Loss, Reordering, Rule, State
from gossamer.simulations.scenario import Disturb

from ._world import World

Undo = Callable[[], object]


def cut(world: World, sides: Sequence[Sequence[int]], *, one_way: bool) -> Undo:
    """Part the sides from one another, or lose what the first sends to the second."""
    peers = [[world.peers[peer] for peer in side] for side in sides]
    guard = world.mesh.cut_one_way(*peers) if one_way else world.mesh.cut(*peers)
    barrier = world.reach.raise_barrier(sides, one_way=one_way)
    if world.measures is not None:
        world.measures.heals.parted()
    world.moved()

    def undo() -> None:
        guard.remove()
        world.reach.lift(barrier)
        world.moved()
        if not world.reach.cut and world.measures is not None:
            world.measures.heals.healed()

    return undo


def add_rules(world: World, rules: Sequence[Rule]) -> Undo:
    """Add rules to the network."""
    guards = [world.mesh.fabric.add(rule) for rule in rules]

    def undo() -> None:
        for guard in guards:
            guard.remove()

    return undo


def silence(world: World, peers: Sequence[int], undo: Undo) -> Undo:
    """Note that nobody reaches the peers until `undo`, which ends what makes it so."""
    for peer in peers:
        world.reach.silence(peer)
    world.moved()

    def end() -> None:
        for peer in peers:
            world.reach.unsilence(peer)
        undo()
        world.moved()

    return end


def disturbance(action: Disturb, hosts: Sequence[str], later: float) -> list[Rule]:
    """Return the rules of a disturbance; what is reordered comes `later` seconds later."""
    rules: list[Rule] = []
    if action.loss:
        rules.append(Loss(action.loss, hosts))
    if action.duplication:
        rules.append(Duplication(action.duplication, hosts))
    if action.reordering:
        rules.append(Reordering(action.reordering, later, hosts))
    if action.lag_ms:
        rules.append(Lag(action.lag_ms / 1000, hosts))
    return rules


def pause(world: World, peers: Sequence[int]) -> Undo:
    """Stop the processes that run; those that live on then go on."""
    lives = {peer: world.registries[peer] for peer in peers if world.active[peer]}
    for peer in lives:
        world.pause(peer)
    world.moved()

    def undo() -> None:
        for peer, life in lives.items():
            if world.peers[peer].state is State.PAUSED and world.registries[peer] is life:
                world.resume(peer)
        world.moved()

    return undo


def slow(world: World, peers: Sequence[int], seconds: float) -> Undo:
    """Let the hosts need so long for each packet."""
    slowed = [world.peers[peer] for peer in peers]
    for peer in slowed:
        peer.slow_down(seconds)

    def undo() -> None:
        for peer in slowed:
            peer.speed_up()

    return undo


def skew(world: World, peers: Sequence[int], seconds: float) -> Undo:
    """Set the hosts' wall clocks ahead."""
    for peer in peers:
        world.peers[peer].skew += seconds

    def undo() -> None:
        for peer in peers:
            world.peers[peer].skew -= seconds

    return undo
