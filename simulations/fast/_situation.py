"""The events that this model covers: crashes, and cuts that last until the end."""

from dataclasses import dataclass
from math import inf, log10
from random import Random

import numpy as np
from numpy.typing import NDArray

from gossamer.gossip import ConfigError, GossipConfig
from gossamer.simulations.report import Happening
from gossamer.simulations.scenario import (
    Crash,
    Cut,
    Event,
    Scenario,
    ScenarioError,
    peer_zones,
    resolve,
)

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_INSTEAD = "use --model faithful"
# Until the sides of a cut declare each other dead: as long as a suspicion, and this many probe
# intervals until it begins.
_UNTIL_SUSPECTED = 3


@dataclass(slots=True)
class Situation:
    """A mesh over time; arrays have one item per place in the sorted ring of all names.

    Peers that crashed stay in the others' rings until `dropped_at`.
    """

    names: list[str]
    zones: NDArray[np.int64] | None
    crashed_at: NDArray[np.float64]
    dropped_at: NDArray[np.float64]
    """When the others' rings lost the peer."""
    cut_at: float
    side: NDArray[np.int64]
    parted_at: float
    """When the rings of the sides of a cut hold nobody of the others any more."""
    happenings: list[Happening]

    @property
    def peers(self) -> int:
        """How many peers the mesh began with."""
        return len(self.crashed_at)

    def running(self, at: float) -> Mask:
        """Return who runs."""
        return self.crashed_at > at

    def ring(self, at: float, seen_from: int) -> Numbers:
        """Return the places of the peers that a peer sees as living."""
        listed = self.dropped_at > at
        if at >= self.parted_at:
            listed &= self.side == self.side[seen_from]
        return np.flatnonzero(listed)

    def reached(self, at: float, origin: int) -> Mask:
        """Return who runs and is parted from `origin` by no cut."""
        there = self.running(at)
        if at >= self.cut_at:
            there &= self.side == self.side[origin]
        return there


def read_situation(scenario: Scenario, config: GossipConfig) -> Situation:
    """Return a scenario's timeline, or raise `ScenarioError` for what the model does not cover."""
    _refuse(scenario, config)
    n = scenario.peers
    names = [zone.name for zone in scenario.zones]
    order = _sorted_numbers(n)
    of_peer = peer_zones(n, scenario.zones)
    number_of = {name: place for place, name in enumerate(names)}
    zones = np.array([number_of[name] for name in of_peer])[order] if names else None
    situation = Situation(
        names=names,
        zones=zones,
        crashed_at=np.full(n, inf),
        dropped_at=np.full(n, inf),
        cut_at=inf,
        side=np.zeros(n, dtype=np.int64),
        parted_at=inf,
        happenings=[],
    )
    place_of = np.empty(n, dtype=np.int64)
    place_of[order] = np.arange(n)
    rng = Random(f"{scenario.seed} events")
    for at, event in _happenings(scenario):
        running = situation.running(at)
        present = [f"p{number}" for number in np.flatnonzero(running[place_of]).tolist()]
        zone_of = {name: of_peer[int(name[1:])] for name in present}
        match event.action:
            case Crash(who=who):
                [chosen] = resolve([who], present, zone_of, rng)
                _crash(situation, _places(chosen, place_of), at, config)
            case Cut(groups=groups):
                sides = resolve(groups, present, zone_of, rng)
                _cut(situation, [_places(side, place_of) for side in sides], at, len(present))
                shortest = config.suspicion_multiplier * max(1.0, log10(n))
                situation.parted_at = at + (_UNTIL_SUSPECTED + shortest) * config.probe_interval
            case _:
                raise AssertionError("refused before")
    return situation


def _refuse(scenario: Scenario, config: GossipConfig) -> None:
    if scenario.start != "settled":
        raise ScenarioError(f"the fast model does not cover how a mesh starts: {_INSTEAD}")
    if scenario.network.bandwidth_mbit is not None:
        raise ScenarioError(f"the fast model does not cover network.bandwidth_mbit: {_INSTEAD}")
    for setting in ("eager", "rounds"):
        if not getattr(config, setting):
            raise ScenarioError(f"the fast model does not cover {setting} = false: {_INSTEAD}")
    cuts = 0
    for event in scenario.events:
        name = type(event.action).__name__.lower()
        where = f"the fast model does not cover the event {name!r} at {event.at:g} s"
        match event.action:
            case Crash() if event.lasts is None:
                pass
            case Crash():
                raise ScenarioError(f"{where}, after which peers come back: {_INSTEAD}")
            case Cut(one_way=True):
                raise ScenarioError(f"{where}, which is one-way: {_INSTEAD}")
            case Cut():
                cuts += event.times
                if event.lasts is not None and event.at + event.lasts < scenario.duration:
                    raise ScenarioError(
                        f"{where}, which heals before the end: {_INSTEAD}, or let it last"
                    )
                if cuts > 1:
                    raise ScenarioError(f"{where}, as there are two: {_INSTEAD}")
            case _:
                raise ScenarioError(f"{where}: {_INSTEAD}")


def read_config(scenario: Scenario) -> GossipConfig:
    """Return the settings of all peers, or raise `ScenarioError`."""
    try:
        return GossipConfig.profile(scenario.profile, name="p0", **dict(scenario.settings))
    except (ConfigError, TypeError) as error:
        raise ScenarioError(str(error)) from error


def _happenings(scenario: Scenario) -> list[tuple[float, Event]]:
    turns = [
        (event.at + turn * event.every, event)
        for event in scenario.events
        for turn in range(event.times)
    ]
    return sorted((turn for turn in turns if turn[0] < scenario.duration), key=lambda turn: turn[0])


def _crash(situation: Situation, victims: Numbers, at: float, config: GossipConfig) -> None:
    if len(victims) > config.queue_limit:
        raise ScenarioError(
            f"the fast model does not cover {len(victims)} crashes at once: a peer's queue holds "
            f"{config.queue_limit} rumors, so let fewer crash"
        )
    situation.crashed_at[victims] = at
    situation.happenings.append(Happening(at=at, what=f"{len(victims)} peers crashed"))


def _cut(situation: Situation, sides: list[Numbers], at: float, running: int) -> None:
    if sum(len(side) for side in sides) < running:
        raise ScenarioError(
            f"the fast model does not cover the event 'cut' at {at:g} s, which leaves peers on "
            f"no side: add the group 'rest', or {_INSTEAD}"
        )
    for number, side in enumerate(sides, start=1):
        situation.side[side] = number
    situation.cut_at = at
    counts = " from ".join(str(len(side)) for side in sides)
    situation.happenings.append(Happening(at=at, what=f"cut {counts} peers"))


def _places(names: list[str], place_of: Numbers) -> Numbers:
    return place_of[[int(name[1:]) for name in names]]


def _sorted_numbers(n: int) -> Numbers:
    """Return the numbers of p0, p1, ... in the order in which their names are sorted."""
    numbers = np.arange(n, dtype=np.int64)
    digits = 1 + np.searchsorted(10 ** np.arange(1, 8), numbers, side="right")
    widest = len(str(max(n - 1, 0)))
    order: Numbers = np.lexsort((digits, numbers * 10 ** (widest - digits)))
    return order
