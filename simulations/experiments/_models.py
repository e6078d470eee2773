"""Epidemics as small models: no packets and no clocks, only sites that tell each other.

The models check the faithful simulator, and reproduce what the papers computed in the same way.
"""

from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import ceil, log10
from random import Random
from typing import Literal

Way = Literal["push", "pull", "push-pull"]


def other(rng: Random, n: int, own: int) -> int:
    """Return a member that is not `own`."""
    chosen = int(rng.random() * (n - 1))
    return chosen if chosen < own else chosen + 1


def rounds_to_all(n: int, way: Way, rng: Random) -> int:
    """Return after how many rounds all `n` know, when each contacts one member a round."""
    known = bytearray(n)
    known[0] = 1
    count, rounds = 1, 0
    while count < n:
        rounds += 1
        before = bytes(known)
        for own in range(n):
            informed = before[own]
            # Who has nothing to push, or to ask for, need not be drawn for.
            if (way == "push" and not informed) or (way == "pull" and informed):
                continue
            partner = other(rng, n, own)
            if informed and way != "pull":
                known[partner] = 1
            elif before[partner] and way != "push":
                known[own] = 1
        count = sum(known)
    return rounds


@dataclass(frozen=True, slots=True)
class Mongering:
    """What is left when a rumor has died out."""

    residue: float
    """Share of the members that never heard it."""
    traffic: float
    """Sends per member."""
    last: int
    """The cycle in which the last member heard it."""


def monger(n: int, k: int, rng: Random, *, blind: bool = False) -> Mongering:
    """Push a rumor until all have lost interest (Demers et al. 1987, section 1.4).

    With feedback and a counter, `k` vain contacts in a row end it; blind, each send ends it with
    probability 1/k.
    A contact is vain if the other knew at the cycle's start: only so are table 1's figures met.
    """
    known = bytearray(n)
    known[0] = 1
    hot = {0: 0}
    sends = cycle = last = 0
    while hot:
        cycle += 1
        before = bytes(known)
        cold = []
        fresh = []
        for own, vain in hot.items():
            partner = other(rng, n, own)
            sends += 1
            if not known[partner]:
                known[partner] = 1
                fresh.append(partner)
                last = cycle
            if blind:
                if rng.random() * k < 1:
                    cold.append(own)
            elif not before[partner]:
                hot[own] = 0
            elif vain + 1 == k:
                cold.append(own)
            else:
                hot[own] = vain + 1
        for own in cold:
            del hot[own]
        hot.update(dict.fromkeys(fresh, 0))
    return Mongering(1 - sum(known) / n, sends / n, last)


def monger_pull(n: int, k: int, rng: Random) -> Mongering:
    """Have everybody ask for rumors until all have lost interest (the same, table 3).

    A cycle counts against a rumor at its holder when somebody asked and nobody needed it.
    """
    known = bytearray(n)
    known[0] = 1
    hot = {0: 0}
    sends = cycle = last = 0
    while hot:
        cycle += 1
        before = bytes(known)
        useful: dict[int, bool] = {}
        fresh = []
        for own in range(n):
            partner = other(rng, n, own)
            if partner not in hot:
                continue
            sends += 1
            needed = not before[own]
            useful[partner] = useful.get(partner, False) or needed
            if needed:
                known[own] = 1
                fresh.append(own)
                last = cycle
        for holder, needed in useful.items():
            vain = 0 if needed else hot[holder] + 1
            if vain == k:
                del hot[holder]
            else:
                hot[holder] = vain
        hot.update(dict.fromkeys(fresh, 0))
    return Mongering(1 - sum(known) / n, sends / n, last)


def law(multiplier: int, n: int) -> int:
    """Return memberlist's transmit limit."""
    return multiplier * ceil(log10(n + 1))


def limited_queue(
    n: int, fanout: int, limit: int, rng: Random, *, in_step: bool
) -> tuple[list[float], float]:
    """Return when each member heard a rumor, in gossip intervals, and the sends per member.

    memberlist's queue: who knows the rumor sends it to `fanout` others a tick, `limit` times.
    In step all tick at whole numbers; otherwise each has a random phase, as its tickers have.
    Members that never heard it are not in the list; the first is the origin, at 0.
    """
    heard = {0: 0.0}
    left = {0: limit}
    ticks = [(1.0 if in_step else rng.random(), own) for own in range(n)]
    heapify(ticks)
    sends = 0
    while left:
        now, own = ticks[0]
        heapreplace(ticks, (now + 1.0, own))
        # In step, who hears at a tick speaks at the next one.
        if own not in left or (in_step and heard[own] == now):
            continue
        targets: set[int] = set()
        while len(targets) < min(fanout, left[own], n - 1):
            targets.add(other(rng, n, own))
        for target in sorted(targets):
            sends += 1
            if target not in heard:
                heard[target] = now
                left[target] = limit
        left[own] -= len(targets)
        if left[own] <= 0:
            del left[own]
    return sorted(heard.values()), sends / n


def two_way(n: int, rng: Random, *, in_step: bool = False) -> list[float]:
    """Return when each member heard a rumor, in periods, by pings and acks that carry it.

    Each member pings a random other once a period; whichever of the two knows tells the other.
    """
    heard = {0: 0.0}
    pings = [(1.0 if in_step else rng.random(), own) for own in range(n)]
    heapify(pings)
    while len(heard) < n:
        now, own = pings[0]
        heapreplace(pings, (now + 1.0, own))
        target = other(rng, n, own)
        knows = [
            one for one in (own, target) if one in heard and not (in_step and heard[one] == now)
        ]
        if len(knows) == 1:
            heard.setdefault(own, now)
            heard.setdefault(target, now)
    return sorted(heard.values())
