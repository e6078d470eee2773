"""The events of a scenario, as entries of the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import assert_never

from gossamer.simulations import Block, Hold, State
from gossamer.simulations.report import Happening
from gossamer.simulations.scenario import (
    Block as BlockAction,
    Crash,
    Cut,
    Disturb,
    Event,
    Group,
    Heal,
    Hold as HoldAction,
    Join,
    Leave,
    Pause,
    Restart,
    Scenario,
    ScenarioError,
    Skew,
    Slow,
    resolve,
)

from ._faults import Undo, add_rules, cut, disturbance, pause, silence, skew, slow
from ._world import World

# More names than this are counted instead.
_NAMES_SHOWN = 3


@dataclass(slots=True)
class _Entry:
    at: float
    what: str
    until: float | None = None


@dataclass(slots=True)
class _Open:
    """Something that lasts."""

    undo: Undo
    entry: _Entry
    heals: bool


class Timeline:
    """Lets a scenario's events happen, undoes what ends, and remembers both.

    `zero` is when the scenario begins, on the mesh's clock.
    Groups that are drawn are drawn once for what befalls the network, so that a link that flaps
    is one link; for what befalls processes they are drawn anew each time.
    """

    def __init__(self, world: World, scenario: Scenario, zero: float) -> None:
        self._world = world
        self._scenario = scenario
        self._zero = zero
        self._rng = Random(f"{scenario.seed} events")
        self._entries: list[_Entry] = []
        self._open: dict[int, _Open] = {}
        self._opened = 0
        self._drawn: dict[int, list[list[str]]] = {}
        for number, event in enumerate(scenario.events):
            for turn in range(event.times):
                at = event.at + turn * event.every
                if at < scenario.duration:
                    self._at(at, partial(self._happen, number, event))

    def happenings(self) -> list[Happening]:
        """Return what took place, in order."""
        ordered = sorted(self._entries, key=lambda entry: entry.at)
        return [Happening(at=each.at, what=each.what, until=each.until) for each in ordered]

    @property
    def _seconds(self) -> float:
        return self._world.now - self._zero

    def _at(self, seconds: float, action: Undo) -> None:
        self._world.mesh.clock.call_at(self._zero + seconds, _call, action)

    def _after(self, seconds: float, action: Undo) -> None:
        self._world.mesh.clock.call_at(self._world.now + seconds, _call, action)

    def _happen(self, number: int, event: Event) -> None:
        entry = _Entry(self._seconds, "")
        try:
            undo = self._begin(number, event, entry)
        except ScenarioError as error:
            # Known only now, since it depends on who is there.
            entry.what = f"{type(event.action).__name__.lower()}: {error}"
            undo = None
        self._entries.append(entry)
        if undo is None:
            return
        heals = isinstance(event.action, Cut | HoldAction | BlockAction | Disturb)
        self._opened += 1
        key = self._opened
        self._open[key] = _Open(undo, entry, heals)
        if event.lasts is not None:
            self._after(event.lasts, partial(self._end, key))

    def _end(self, key: int) -> None:
        each = self._open.pop(key, None)
        if each is not None:
            each.entry.until = self._seconds
            each.undo()

    def _begin(self, number: int, event: Event, entry: _Entry) -> Undo | None:
        action = event.action
        match action:
            case Cut(groups=groups, one_way=one_way):
                sides = self._same(number, groups)
                entry.what = _cut_label(groups, sides, one_way=one_way)
                numbers = [[self._number(name) for name in side] for side in sides]
                return cut(self._world, numbers, one_way=one_way)
            case Heal():
                entry.what = "healed everything"
                for key in [key for key, each in self._open.items() if each.heals]:
                    self._end(key)
                return None
            case Crash(who=who, host=host):
                return self._crash(who, entry, host=host, returns=event.lasts is not None)
            case Restart():
                self._restart(action, entry)
                return None
            case Leave(who=who, apart=apart):
                leaving = self._draw(who, self._numbers(self._world.active))
                entry.what = f"{_label(who, leaving)} left"
                for turn, name in enumerate(leaving):
                    self._after(turn * apart, partial(self._leave, self._number(name)))
                return None
            case Join(count=count, apart=apart):
                entry.what = f"{count} new peers joined"
                for turn in range(count):
                    self._after(turn * apart, self._world.join)
                return None
            case _:
                return self._lasting(number, action, entry)

    def _lasting(
        self,
        number: int,
        action: Pause | Slow | HoldAction | BlockAction | Disturb | Skew,
        entry: _Entry,
    ) -> Undo:
        world = self._world
        found = self._same(number, (action.who,))[0]
        label = _label(action.who, found)
        peers = [self._number(name) for name in found]
        hosts = [world.peers[peer].address[0] for peer in peers]
        if not isinstance(action, Skew):
            for peer in peers:
                world.touched[peer] = True
        match action:
            case Pause():
                entry.what = f"stopped {label} (SIGSTOP)"
                return pause(world, peers)
            case Slow(each_ms=each_ms):
                entry.what = f"slowed {label}: {each_ms:g} ms for each packet"
                return slow(world, peers, each_ms / 1000)
            case HoldAction():
                entry.what = f"held all packets of {label}"
                return silence(world, peers, add_rules(world, [Hold(hosts)]))
            case BlockAction(transport=transport):
                entry.what = f"blocked {'UDP' if transport == 'udp' else 'streams'} of {label}"
                return add_rules(world, [Block(transport, hosts)])
            case Disturb():
                entry.what = f"disturbed the network of {label}"
                later = self._scenario.network.reordering_ms / 1000
                undo = add_rules(world, disturbance(action, hosts, later))
                return silence(world, peers, undo) if action.loss >= 1 else undo
            case Skew(seconds=seconds):
                entry.what = f"set the clocks of {label} {seconds:+g} s"
                return skew(world, peers, seconds)
            case _:
                assert_never(action)

    # Processes

    def _crash(self, who: Group, entry: _Entry, *, host: bool, returns: bool) -> Undo | None:
        world = self._world
        crashed = self._draw(who, self._numbers(world.present))
        entry.what = f"{'machines' if host else 'processes'} of {_label(who, crashed)} died"
        numbers = [self._number(name) for name in crashed]
        for peer in numbers:
            world.crash(peer, host=host)
        if not returns:
            return None

        def undo() -> None:
            for peer in numbers:
                if world.peers[peer].state is State.CRASHED:
                    world.start(peer)

        return undo

    def _restart(self, action: Restart, entry: _Entry) -> None:
        world = self._world
        stopped = [
            peer
            for peer in range(len(world.peers))
            if world.present[peer] or world.peers[peer].state is State.CRASHED
        ]
        chosen = self._draw(action.who, stopped)
        manner = "gracefully" if action.graceful else "by a crash"
        entry.what = f"restarted {_label(action.who, chosen)} {manner}"
        for turn, name in enumerate(chosen):
            self._after(turn * action.apart, partial(self._end_life, self._number(name), action))

    def _end_life(self, peer: int, action: Restart) -> None:
        world = self._world
        again = partial(self._start, peer, keep_epoch=action.keep_epoch)
        if world.active[peer] and action.graceful:
            world.leave(peer, lambda: self._after(action.down, again))
            return
        if world.present[peer]:
            world.crash(peer)
        if world.peers[peer].state is State.CRASHED:
            self._after(action.down, again)

    def _start(self, peer: int, *, keep_epoch: bool) -> None:
        if not self._world.peers[peer].running:
            self._world.start(peer, keep_epoch=keep_epoch)

    def _leave(self, peer: int) -> None:
        if self._world.active[peer]:
            self._world.leave(peer)

    # Who is meant

    def _same(self, number: int, groups: Sequence[Group]) -> list[list[str]]:
        drawn = self._drawn.get(number)
        if drawn is None:
            everybody = [f"p{peer}" for peer in range(len(self._world.peers))]
            drawn = self._drawn[number] = self._resolve(groups, everybody)
        return drawn

    def _draw(self, who: Group, candidates: Sequence[int]) -> list[str]:
        return self._resolve((who,), [f"p{peer}" for peer in candidates])[0]

    def _resolve(self, groups: Sequence[Group], candidates: Sequence[str]) -> list[list[str]]:
        zones = {name: self._world.zone(self._number(name)) for name in candidates}
        return resolve(groups, candidates, zones, self._rng)

    def _number(self, name: str) -> int:
        return self._world.number[name]

    @staticmethod
    def _numbers(chosen: Sequence[bool]) -> list[int]:
        return [peer for peer, is_chosen in enumerate(chosen) if is_chosen]


def _call(action: Undo) -> None:
    action()


def _label(group: Group, found: Sequence[str]) -> str:
    if len(found) <= _NAMES_SHOWN:
        return " and ".join(found)
    return f"{', '.join(group)} ({len(found)} peers)"


def _cut_label(groups: Sequence[Group], sides: Sequence[Sequence[str]], *, one_way: bool) -> str:
    labels = [_label(group, side) for group, side in zip(groups, sides, strict=True)]
    if one_way:
        return f"lost all that {labels[0]} sent to {labels[1]}"
    return f"cut {labels[0]} from {' and from '.join(labels[1:])}"
