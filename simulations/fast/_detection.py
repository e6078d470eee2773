"""Crashes: when the first peer finds one, when others confirm it, and when all declare it.

Probes and suspicions follow the rules of gossip/membership.  A living peer probes one member per
interval, in a round robin over a list that it shuffles each time.  It accuses the member one
interval after a probe that got no answer.
"""

from dataclasses import dataclass
from math import inf, log, log10

import numpy as np
from numpy.typing import NDArray

from gossamer.gossip import GossipConfig

from ._journey import Journey, Seconds
from ._wave import membership_rule, spread

# Up to so many peers each one's place in its list is drawn. Beyond, the first few accusers, who
# alone decide, come as a Poisson process: the lists are too long for their ends to matter.
_DRAWN_EACH = 20_000
# gossip/membership/_suspicions.py: so many suspicions at a time are urgent.
_URGENT = 7
# So many accusers are more than any suspicion waits for.
_ACCUSERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """When a crash was noticed, in seconds since it happened."""

    suspected: float
    first: float
    everybody: float


def detect(
    rng: np.random.Generator,
    config: GossipConfig,
    journey: Journey,
    victim: int,
    living: NDArray[np.bool_],
    *,
    crowd: int = 1,
) -> Found:
    """Work out one crash among the peers of a ring, of whom `living` still run and reach another.

    `crowd` peers crashed at that moment: from some number on, updates about them wait for rounds.
    Nobody there to notice: infinite times.
    """
    n = len(living)
    observers = np.flatnonzero(living)
    if not len(observers):
        return Found(suspected=inf, first=inf, everybody=inf)
    interval = config.probe_interval
    accused, accusers = _accusations(rng, observers, n, interval)
    urgent = crowd < _URGENT or rng.random() * crowd < _URGENT
    rule = membership_rule(config, n, urgent=urgent)
    heard = spread(rng, rule, journey, int(accusers[0]), reached=living, n=n).times
    confirmed = np.concatenate((accused[1:], _witnessed(rng, config, len(observers), n, accused)))
    shortest, longest, k = _suspicion(config, n)
    lasts = _ends_after(shortest, longest, k, np.sort(confirmed), accused[0])
    judged = np.where(living, accused[0] + heard + lasts, inf)
    origin = int(np.argmin(judged))
    first = float(judged[origin])
    told = spread(rng, rule, journey, origin, reached=living, starts=judged - first, n=n).times
    return Found(
        suspected=float(accused[0]),
        first=first,
        everybody=first + float(told[living].max()),
    )


def _accusations(
    rng: np.random.Generator, observers: NDArray[np.int64], n: int, interval: float
) -> tuple[Seconds, NDArray[np.int64]]:
    """Return when peers accuse the crashed one of themselves, in order, and who they are."""
    listed = n - 1
    if n > _DRAWN_EACH:
        count = min(_ACCUSERS, len(observers))
        gaps = rng.exponential(interval * listed / len(observers), count)
        return np.cumsum(gaps) + interval, rng.choice(observers, count, replace=False)
    # Where each stands in its list, and where the crashed peer stands: behind is the next round.
    position = rng.integers(0, listed, len(observers))
    place = rng.integers(0, listed, len(observers))
    again = rng.integers(0, listed, len(observers))
    waits = np.where(place >= position, place - position, listed - position + again)
    times = (rng.random(len(observers)) + waits + 1) * interval
    order = np.argsort(times)
    return times[order], observers[order]


def _witnessed(
    rng: np.random.Generator, config: GossipConfig, observers: int, n: int, accused: Seconds
) -> Seconds:
    """Return when those accuse who probed the suspect out of its turn."""
    if not config.witnesses or observers < 2:
        return np.empty(0)
    share = min(1.0, 2 * max(1, config.suspicion_multiplier - 2) / n)
    count = int(rng.binomial(observers - 1, share))
    times: Seconds = accused[0] + config.probe_interval * (1 + rng.random(count))
    return times


def _suspicion(config: GossipConfig, n: int) -> tuple[float, float, int]:
    """Return the shortest and the longest time-out, and how many confirmations make it short."""
    shortest = config.suspicion_multiplier * max(1.0, log10(n)) * config.probe_interval
    k = config.suspicion_multiplier - 2
    if n - 2 < k or config.suspicion_max_multiplier == 1:
        k = 0
    return shortest, shortest * config.suspicion_max_multiplier, k


def _ends_after(
    shortest: float, longest: float, k: int, confirmed: Seconds, suspected: float
) -> float:
    """Return how long a suspicion lasts whose confirmations come at these times."""
    if k < 1:
        return shortest
    lasts = longest
    for count, when in enumerate(confirmed[:k].tolist(), start=1):
        if when - suspected >= lasts:
            break
        fall = log(count + 1) / log(k + 1)
        lasts = max(shortest, longest - (longest - shortest) * fall, when - suspected)
    return lasts
