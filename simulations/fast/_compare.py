"""Compares the fast model with the protocol's own code, curve by curve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random

import numpy as np

from gossamer.gossip import Event, GossipConfig, MemberFailed, MemberSuspected, PartChanged
from gossamer.simulations import ConstantLatency, Loss, Mesh, SimulatedPeer, UniformLatency
from gossamer.simulations.scenario import Network

from ._detection import detect
from ._journey import Journey
from ._wave import registry_rule, spread

# A registration of a service weighs about as much.
_VALUE = bytes(180)
# Half a millisecond, give or take half.
_NEAR = Network()
# A change that is not everywhere after so many seconds is an error of the protocol.
_LIMIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mesh that both models run."""

    name: str
    peers: int
    network: Network = _NEAR
    changes: int = 8
    seeds: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of a curve, from both; seconds."""

    case: str
    figure: str
    faithful: float
    fast: float

    @property
    def difference(self) -> float:
        """How far the fast model is from the faithful one, as a share of that."""
        return self.fast / self.faithful - 1


def compare_spread(case: Case, *, repeats: int = 10) -> list[Row]:
    """Compare how a change of the registry spreads.

    All changes of a model are laid together for the percentiles; `all` is the mean time until a
    change was everywhere.  The fast model runs `repeats` times as many changes.
    """
    return _rows(case, faithful_spread(case), fast_spread(case, repeats=repeats))


def faithful_spread(case: Case) -> list[list[float]]:
    """Return, for each change, after how many seconds each other peer had it."""
    found = []
    for seed in case.seeds:
        mesh = _mesh(case, seed)
        draw = Random(f"{seed} owners")
        times: list[float] = []
        mesh.watchers.append(_listener(times, PartChanged))
        for number in range(case.changes):
            owner = mesh[f"p{draw.randrange(case.peers)}"]
            began = mesh.now
            owner.publish(f"instance-{number}", _VALUE)
            mesh.run_until(_heard_by_all(times, case.peers), _LIMIT, 0.05)
            found.append(sorted(time - began for time in times))
            times.clear()
            # Long enough for every queue to be empty, as if changes were rare.
            mesh.run_for(1.0 + draw.random())
    return found


def fast_spread(case: Case, *, repeats: int = 1) -> list[list[float]]:
    """Return the same as `faithful_spread`, from the fast model."""
    rule = registry_rule(GossipConfig(name="p0"), case.peers, 0.0)
    journey = Journey(case.network, None, [])
    found = []
    for seed in case.seeds:
        rng = np.random.default_rng(seed)
        for _ in range(case.changes * repeats):
            origin = int(rng.integers(case.peers))
            times = spread(rng, rule, journey, origin, n=case.peers).times
            found.append(sorted(np.delete(times, origin).tolist()))
    return found


def compare_detection(case: Case, *, repeats: int = 10) -> list[Row]:
    """Compare when the first and when the last peer declare a crashed one dead."""
    slow, fast = faithful_detection(case), fast_detection(case, repeats=repeats)
    rows = []
    for place, figure in enumerate(("suspected first", "dead first", "dead all")):
        for name, pick in (("p50", _ranked(0.5)), ("mean", _mean)):
            rows.append(
                Row(
                    case=case.name,
                    figure=f"{figure}, {name}",
                    faithful=pick([times[place] for times in slow]),
                    fast=pick([times[place] for times in fast]),
                )
            )
    return rows


def faithful_detection(case: Case) -> list[tuple[float, float, float]]:
    """Crash one peer per seed; return the first suspicion, the first and the last verdict."""
    found = []
    for seed in case.seeds:
        mesh = _mesh(case, seed)
        suspected: list[float] = []
        failed: list[float] = []
        mesh.watchers.append(_listener(suspected, MemberSuspected))
        mesh.watchers.append(_listener(failed, MemberFailed))
        draw = Random(f"{seed} victims")
        mesh.run_for(1.0 + draw.random())
        began = mesh.now
        # With the host: its word that the process is gone is not part of the fast model.
        mesh[f"p{draw.randrange(case.peers)}"].crash(host=True)
        mesh.run_until(_heard_by_all(failed, case.peers), 2 * _LIMIT, 0.05)
        found.append((suspected[0] - began, failed[0] - began, failed[-1] - began))
    return found


def fast_detection(case: Case, *, repeats: int = 1) -> list[tuple[float, float, float]]:
    """Return the same as `faithful_detection`, from the fast model."""
    config = GossipConfig(name="p0")
    journey = Journey(case.network, None, [])
    found = []
    for seed in case.seeds:
        rng = np.random.default_rng(seed)
        for _ in range(repeats):
            victim = int(rng.integers(case.peers))
            living = np.ones(case.peers, dtype=bool)
            living[victim] = False
            seen = detect(rng, config, journey, victim, living)
            found.append((seen.suspected, seen.first, seen.everybody))
    return found


def _listener(
    times: list[float], kind: type[Event]
) -> Callable[[float, SimulatedPeer, Event], None]:
    """Note when peers tell of events of a kind, but not what an owner tells of its own part."""

    def hear(now: float, peer: SimulatedPeer, event: Event) -> None:
        if isinstance(event, kind) and getattr(event, "owner", None) != peer.name:
            times.append(now)

    return hear


def _mesh(case: Case, seed: int) -> Mesh:
    latency = case.network.latency
    low, high = latency.low_ms / 1000, latency.high_ms / 1000
    if latency.kind == "lognormal":
        raise ValueError("a comparison runs on constant or uniform latencies")
    rule = ConstantLatency(low) if latency.kind == "constant" else UniformLatency(low, high)
    mesh = Mesh(seed, latency=rule, trace=False, keep_history=False)
    mesh.settle(case.peers)
    if case.network.loss:
        mesh.fabric.add(Loss(case.network.loss))
    mesh.run_for(1.5)
    return mesh


def _heard_by_all(times: Sequence[float], peers: int) -> Callable[[], bool]:
    return lambda: len(times) >= peers - 1


def _rows(case: Case, slow: list[list[float]], fast: list[list[float]]) -> list[Row]:
    together = [[time for change in model for time in change] for model in (slow, fast)]
    rows = [
        Row(
            case=case.name,
            figure=f"p{round(100 * share)}",
            faithful=_ranked(share)(together[0]),
            fast=_ranked(share)(together[1]),
        )
        for share in (0.1, 0.5, 0.9, 0.99)
    ]
    last = [_mean([change[-1] for change in model]) for model in (slow, fast)]
    return [*rows, Row(case=case.name, figure="all", faithful=last[0], fast=last[1])]


def _ranked(share: float) -> Callable[[Sequence[float]], float]:
    def pick(values: Sequence[float]) -> float:
        return sorted(values)[ceil(share * len(values)) - 1]

    return pick


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
