"""One rumor's way through the mesh: when each peer gets it, by the rules of gossip/dissemination.

The model first draws every send of every peer: the receiver, the delay after the sender gets the
update, and the time on the way.  Then it searches for the earliest arrival at each peer, until no
arrival gets earlier.  All of this works on arrays.
So the tree, the random members, the rounds and the probes compete as they do in a mesh.
"""

from dataclasses import dataclass, replace
from math import ceil, exp, inf, log10

import numpy as np
from numpy.typing import NDArray

from gossamer.gossip import GossipConfig

from ._journey import Indices, Journey, Seconds
from ._tree import tree_children

# From this many updates in one flush on there is no tree (gossip/dissemination/_spread.py).
_BURST = 16
# gossip/dissemination/_rumors.py
_LEAST_FACTOR = 2
# gossip/exchange/_repair.py: roots that have differed for so many times `settle` are repaired even
# while they still change.
_UNSETTLED = 8
# Legs of an exchange on a stream, after the ack that sets it off: open, opened, ask, answer.
_LEGS = 4
# After this many probe intervals a peer without the change counts as never reached.
_REPAIR_PERIODS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a peer does with one rumor."""

    arity: int
    nodes: int
    gather: float
    round_interval: float
    probe_interval: float
    settle: float
    limit: int
    """Sends by one peer in all."""
    rate: float
    """Updates per second that a peer hears, beside this rumor."""
    urgent: bool = True
    repaired: bool = True
    """Whether the roots on acks find peers that were missed."""

    @property
    def busy(self) -> float:
        """Share of rumors that come within `gather` of a flush and wait for the next."""
        if self.gather <= 0 or self.rate <= 0:
            return 0.0
        idle = exp(-self.rate * self.gather) / self.rate
        return self.gather / (self.gather + idle)

    @property
    def ticking(self) -> float:
        """Share of rumors that find a peer whose rounds run already, for others."""
        return 1 - exp(-self.rate * self.kept)

    @property
    def kept(self) -> float:
        """Seconds that a rumor waits in a queue until its sends are used up."""
        rounds = max(1, ceil((self.limit - 1) / self.nodes))
        return self.round_interval * (0.75 + rounds - 1)

    @property
    def in_bursts(self) -> bool:
        """Whether updates come so fast that flushes go to random members instead of trees."""
        return self.rate * self.gather >= _BURST


def registry_rule(config: GossipConfig, n: int, rate: float) -> Rule:
    """Return the rule for a change of the registry among `n` peers."""
    at_once = config.tree_arity + 1
    return _rule(config, at_once + _transmissions(config.registry_multiplier, n), rate, True)


def membership_rule(config: GossipConfig, n: int, *, urgent: bool = True) -> Rule:
    """Return the rule for member updates among `n` peers; those without urgency wait for rounds."""
    rule = _rule(config, _transmissions(config.retransmit_multiplier, n), 0.0, False)
    return replace(rule, urgent=urgent)


def _transmissions(multiplier: int, n: int) -> int:
    return multiplier * max(_LEAST_FACTOR, ceil(log10(n + 1)))


def _rule(config: GossipConfig, limit: int, rate: float, repaired: bool) -> Rule:
    return Rule(
        arity=config.tree_arity,
        nodes=config.gossip_nodes,
        gather=config.gather,
        round_interval=config.gossip_interval,
        probe_interval=config.probe_interval,
        settle=config.settle,
        limit=limit,
        rate=rate,
        repaired=repaired,
    )


@dataclass(slots=True)
class Wave:
    """When each peer gets the update, in seconds since it was made; infinite means never."""

    times: Seconds
    at_once: float
    """Sends at once, per informed peer."""
    in_rounds: float
    """Sends in rounds, per informed peer."""


@dataclass(slots=True)
class _Sends:
    """What each peer would send: `after` includes the way; both have one row per peer."""

    targets: Indices
    after: Seconds
    flushed: Seconds | None = None
    gather: float = 0.0

    def begun(self, times: Seconds, senders: Indices) -> Seconds:
        """Return when peers begin to send what they have since `times`."""
        since = times[senders]
        if self.flushed is None:
            return since
        last = self.flushed[senders]
        return np.where(last <= since, np.maximum(since, last + self.gather), since)


def spread(
    rng: np.random.Generator,
    rule: Rule,
    journey: Journey,
    origin: int,
    *,
    reached: NDArray[np.bool_] | None = None,
    starts: Seconds | None = None,
    flushed: Seconds | None = None,
    n: int,
) -> Wave:
    """Let a rumor run from `origin` through a ring of `n` peers.

    `reached` are the peers that live and that no cut separates from the origin; by default all.
    `starts` are times at which peers learn of the rumor without the tree.
    `flushed` are the times, mostly before 0, at which peers sent other updates at once; without it,
    these times count as independent of each other.
    """
    if flushed is not None and rule.gather <= 0:
        flushed = None
    times = np.full(n, inf) if starts is None else starts.copy()
    times[origin] = min(0.0, times[origin])
    first, counts = _at_once(rng, rule, journey, origin, n, waits=flushed is None)
    first.flushed, first.gather = flushed, rule.gather
    remaining = np.maximum(rule.limit - counts, 0)
    _forbid(first, reached)
    blocks = [first]
    _relax(times, blocks, np.flatnonzero(np.isfinite(times)))
    waits = _first_round(rng, rule, n)
    rides = _rides(rng, rule, remaining, waits)
    # What rode on a ping is one send less in rounds.
    in_rounds = np.maximum(remaining - np.isfinite(rides).sum(axis=1), 0)
    rounds = -(-int(in_rounds.max(initial=0)) // rule.nodes) if n > 1 else 0
    for turn in range(rounds):
        last = float((times if reached is None else times[reached]).max())
        if last <= float((times + waits).min()) + turn * rule.round_interval:
            break  # all peers have the update before any peer has this round
        block = _round(rng, rule, journey, in_rounds, waits, rides, turn)
        block.flushed, block.gather = flushed, rule.gather
        _forbid(block, reached)
        blocks.append(block)
        _relax(times, blocks, np.flatnonzero(np.isfinite(times)), fresh=1)
    if rule.repaired and len(blocks) > 1:
        _repair(rng, rule, journey, times, blocks, reached)
    informed = np.isfinite(times)
    return Wave(times, float(counts[informed].mean()), float(remaining[informed].mean()))


def _at_once(
    rng: np.random.Generator, rule: Rule, journey: Journey, origin: int, n: int, *, waits: bool
) -> tuple[_Sends, NDArray[np.int64]]:
    """Draw the sends to the tree's children and to one random member, and count them."""
    places = np.arange(n, dtype=np.int64)[:, None]
    if not rule.urgent:
        return _Sends(np.empty((n, 0), dtype=np.int64), np.empty((n, 0))), np.zeros(n, np.int64)
    if n <= rule.arity + 2:
        targets = np.broadcast_to(np.arange(n, dtype=np.int64), (n, n)).copy()
        counts = np.full(n, max(0, n - 2))
        counts[origin] = n - 1
    elif rule.in_bursts:
        targets = rng.integers(0, n, (n, rule.arity + 1))
        counts = np.full(n, rule.arity + 1)
    else:
        random = rng.integers(0, n, (n, 1))
        children = tree_children(n, origin, int(rng.integers(0, 1 << 32)), rule.arity)
        doubled = (children == random).any(axis=1) | (random[:, 0] == places[:, 0])
        counts = (children >= 0).sum(axis=1) + ~doubled
        targets = np.concatenate((np.where(children < 0, places, children), random), axis=1)
        del children
    after = journey.draw(rng, places, targets)
    after[targets == places] = inf
    if waits and rule.busy > 0:
        busy = rng.random(n) < rule.busy
        after += (busy * rng.random(n) * rule.gather)[:, None]
    return _Sends(targets, after), counts


def _first_round(rng: np.random.Generator, rule: Rule, n: int) -> Seconds:
    """Draw how long after the update each peer's next round comes."""
    phase = rng.random(n)
    ticking = rng.random(n) < rule.ticking
    return np.where(ticking, phase, 0.5 + phase / 2) * rule.round_interval


def _rides(
    rng: np.random.Generator, rule: Rule, remaining: NDArray[np.int64], waits: Seconds
) -> Seconds:
    """Draw when a ping and an ack carry the update; infinite if no sends are left then."""
    rounds = (remaining + rule.nodes - 1) // rule.nodes
    kept = waits + (rounds - 1) * rule.round_interval
    rides = rng.random((len(waits), 2)) * rule.probe_interval
    rides[rides >= kept[:, None]] = inf
    return rides


def _round(
    rng: np.random.Generator,
    rule: Rule,
    journey: Journey,
    remaining: NDArray[np.int64],
    waits: Seconds,
    rides: Seconds,
    turn: int,
) -> _Sends:
    """Draw the sends of each peer's round number `turn`; with the first, what rides on probes."""
    n = len(waits)
    extra = rides.shape[1] if turn == 0 else 0
    places = np.arange(n, dtype=np.int64)[:, None]
    targets = (places + rng.integers(1, n, (n, rule.nodes + extra))) % n
    after = journey.draw(rng, places, targets)
    sends = after[:, : rule.nodes]
    sends += waits[:, None] + turn * rule.round_interval
    sends[turn * rule.nodes + np.arange(rule.nodes) >= remaining[:, None]] = inf
    if extra:
        after[:, rule.nodes :] += rides
    return _Sends(targets, after)


def _forbid(sends: _Sends, reached: NDArray[np.bool_] | None) -> None:
    if reached is not None:
        sends.after[~reached[sends.targets]] = inf


def _relax(
    times: Seconds, blocks: list[_Sends], frontier: Indices, *, fresh: int | None = None
) -> None:
    """Make `times` the earliest arrivals, given that those of `frontier` have changed.

    With `fresh`, nothing has changed but that so many blocks of sends are new.
    """
    changed = np.zeros(len(times), dtype=bool)
    considered = blocks if fresh is None else blocks[-fresh:]
    while len(frontier):
        for sends in considered:
            arrivals = sends.begun(times, frontier)[:, None] + sends.after[frontier]
            targets = sends.targets[frontier]
            better = arrivals < times[targets]
            earlier = targets[better]
            np.minimum.at(times, earlier, arrivals[better])
            changed[earlier] = True
        frontier = np.flatnonzero(changed)
        changed[frontier] = False
        considered = blocks


def _repair(
    rng: np.random.Generator,
    rule: Rule,
    journey: Journey,
    times: Seconds,
    blocks: list[_Sends],
    reached: NDArray[np.bool_] | None,
) -> None:
    """Let peers without the change find this out by roots on acks, one probe interval per step.

    A peer without the change has been quiet, and begins an exchange at the first ack of a peer that
    has it.  A peer with the change begins one when its own root has not changed for `settle`.
    """
    n, interval = len(times), rule.probe_interval
    phases = rng.random(n) * interval
    quiet = exp(-rule.rate * rule.settle)
    for period in range(_REPAIR_PERIODS):
        begin = period * interval
        late = times > begin if reached is None else (times > begin) & reached
        lacking = np.flatnonzero(late)
        if not len(lacking):
            return
        overdue = begin >= _UNSETTLED * rule.settle
        improved = []
        for own in (True, False, False):
            others = (lacking + rng.integers(1, n, len(lacking))) % n
            asked = phases[lacking] if own else rng.random(len(lacking)) * interval
            asked = begin + asked
            there, back = (journey.draw(rng, lacking, others) for _ in range(2))
            knows = times[others] + (0 if own or overdue else rule.settle) <= asked + there
            knows &= rng.random(len(lacking)) < (1.0 if overdue else quiet)
            if not own:
                # As many are asked per interval as ask, and each of the two draws is one half.
                knows &= rng.random(len(lacking)) < 0.5
            arrivals = asked + there + back
            for _ in range(_LEGS):
                arrivals += journey.streamed(rng, lacking, others)
            better = knows & (arrivals < times[lacking])
            times[lacking[better]] = arrivals[better]
            improved.append(lacking[better])
        _relax(times, blocks, np.unique(np.concatenate(improved)))
