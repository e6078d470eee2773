"""Draws how long datagrams take, and which are lost, for many at once."""

from copy import copy
from math import inf, log
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from gossamer.simulations import RETRANSMIT, RETRANSMIT_LIMIT
from gossamer.simulations.scenario import Latency, Network

Seconds = NDArray[np.float64]
Indices = NDArray[np.int64]

# The standard normal distribution's 99th percentile.
_Z99 = 2.3263478740408408


class Journey:
    """Draws one-way times in seconds; the time of a lost datagram is infinite.

    `zones` is each peer's zone by its place in `names`, or None where there is but one way.
    """

    def __init__(self, network: Network, zones: NDArray[np.int64] | None, names: list[str]) -> None:
        self._network = network
        self._paths = [
            (names.index(path.zones[0]), names.index(path.zones[1]), path.latency)
            for path in network.paths
        ]
        self._zones = zones if self._paths else None

    def among(self, peers: Indices) -> "Journey":
        """Return the same network for a part of the peers, in this order."""
        part = copy(self)
        part._zones = None if self._zones is None else self._zones[peers]
        return part

    def draw(self, rng: np.random.Generator, sources: Indices, targets: Indices) -> Seconds:
        """Return how long one datagram each takes; infinite for one that is lost."""
        network = self._network
        taken = self._once(rng, sources, targets)
        if network.duplication > 0:
            copied = rng.random(taken.shape) < network.duplication
            second = np.where(copied, self._once(rng, sources, targets), inf)
            np.minimum(taken, second, out=taken)
        return taken

    def streamed(self, rng: np.random.Generator, sources: Indices, targets: Indices) -> Seconds:
        """Return how long one piece of a stream each takes; what is lost is sent again, later."""
        taken = self._travel(rng, sources, targets)
        if self._network.loss > 0:
            failures = rng.geometric(1 - min(self._network.loss, 0.99), taken.shape) - 1
            taken += RETRANSMIT * (2.0 ** np.minimum(failures, RETRANSMIT_LIMIT) - 1)
        return taken

    def _once(self, rng: np.random.Generator, sources: Indices, targets: Indices) -> Seconds:
        network = self._network
        taken = self._travel(rng, sources, targets)
        if network.reordering > 0:
            late = rng.random(taken.shape) < network.reordering
            taken += late * (network.reordering_ms / 1000)
        if network.loss > 0:
            taken[rng.random(taken.shape) < network.loss] = inf
        return taken

    def _travel(self, rng: np.random.Generator, sources: Indices, targets: Indices) -> Seconds:
        taken = _draw(rng, self._network.latency, targets.shape)
        if self._zones is not None:
            here = np.broadcast_to(self._zones[sources], targets.shape)
            there = self._zones[targets]
            for one, other, latency in self._paths:
                mask = ((here == one) & (there == other)) | ((here == other) & (there == one))
                taken[mask] = _draw(rng, latency, (int(mask.sum()),))
        return taken


def _draw(rng: np.random.Generator, latency: Latency, shape: tuple[int, ...]) -> Seconds:
    low, high = latency.low_ms / 1000, latency.high_ms / 1000
    match latency.kind:
        case "constant":
            return np.full(shape, low)
        case "uniform":
            return low + (high - low) * rng.random(shape)
        case "lognormal":
            spread = log(high / low) / _Z99 if low > 0 else 0.0
            drawn: Seconds = low * np.exp(spread * rng.standard_normal(shape))
            return drawn
        case _:
            assert_never(latency.kind)
