"""The trials of SWIM's experiments: a crash, a quiet time, an update."""

from collections import Counter
from math import ceil, log10

from gossamer.gossip import Event, MemberSuspected, PartChanged
from gossamer.simulations import Loss, Mesh, SimulatedPeer

from ._harness import Options
from ._protocols import SWIM_2002

_PERIOD: float = SWIM_2002["probe_interval"]
# No member is declared dead within an experiment: all measurements end before.
_PATIENT = {"suspicion_multiplier": 10_000}


def detect(task: tuple[int, int]) -> float:
    """Return how many periods after a crash the first ping went to the victim, for (seed, n).

    The ping's sender accuses at the end of its period, one period later.
    """
    seed, n = task
    mesh = Mesh(seed, trace=False, keep_history=False, **{**SWIM_2002, **_PATIENT})
    peers = mesh.settle(n)
    rng = Options(seed=seed).rng("detect")
    # A crash at any point of the members' rounds, which are as long as the group is large.
    mesh.run_for(rng.uniform(1, n + 1) * _PERIOD)
    victim = rng.choice(peers)
    found: list[float] = []

    def watch(now: float, _: SimulatedPeer, event: Event) -> None:
        if isinstance(event, MemberSuspected) and event.member.name == victim.name:
            found.append(now)

    mesh.watchers.append(watch)
    victim.crash(host=True)
    crashed = mesh.now
    while not found:
        mesh.clock.step()
    return (found[0] - crashed) / _PERIOD - 1


def load(task: tuple[int, int, float, int, int]) -> tuple[float, float, float]:
    """Return sends per member and period, the share of those with fewer than five, failed probes.

    For (seed, n, loss, indirect probes, periods).
    """
    seed, n, loss, relays, periods = task
    settings = {**SWIM_2002, **_PATIENT, "indirect_probes": relays}
    mesh = Mesh(seed, trace=False, keep_history=False, **settings)
    peers = mesh.settle(n)
    if loss:
        mesh.fabric.add(Loss(loss))
    mesh.run_for(2 * _PERIOD)
    counts: Counter[int] = Counter()
    failed = 0
    before = [peer.gossip.statistics() for peer in peers]
    sent = mesh.fabric.sent
    last = [each["datagrams_sent"] for each in before]
    for _ in range(periods):
        mesh.run_for(_PERIOD)
        now = [peer.gossip.statistics()["datagrams_sent"] for peer in peers]
        counts.update(a - b for a, b in zip(now, last, strict=True))
        last = now
    failed = sum(
        peer.gossip.statistics()["probes_failed"] - start["probes_failed"]
        for peer, start in zip(peers, before, strict=True)
    )
    few = sum(count for sends, count in counts.items() if sends < 5)
    each = n * periods
    return (mesh.fabric.sent - sent) / each, few / each, failed / each


def _spread_limit(n: int, limit: int) -> dict[str, int]:
    """Return settings with this many sends of a record's update: 2 + 2·multiplier below 100."""
    factor = max(2, ceil(log10(n + 1)))
    return {"tree_arity": 1, "registry_multiplier": max(1, round((limit - 2) / factor))}


def infect(task: tuple[int, int, int]) -> tuple[list[float], float]:
    """Return when each member heard of an update, in periods, and how often each sent it.

    For (seed, n, transmissions); it rides on pings and acks alone, and ends when nobody sends it.
    """
    seed, n, limit = task
    settings = {**SWIM_2002, **_PATIENT, **_spread_limit(n, limit)}
    mesh = Mesh(seed, trace=False, keep_history=False, **settings)
    peers = mesh.settle(n)
    rng = Options(seed=seed).rng("infect")
    mesh.run_for(rng.uniform(1, 3) * _PERIOD)
    origin = rng.choice(peers)
    heard: dict[str, float] = {origin.name: mesh.now}

    def watch(now: float, peer: SimulatedPeer, event: Event) -> None:
        if isinstance(event, PartChanged) and event.owner == origin.name:
            heard.setdefault(peer.name, now)

    mesh.watchers.append(watch)
    began = mesh.now
    origin.publish("k", b"v")
    while len(heard) < n and any(peer.gossip.statistics()["rumors_registry"] for peer in peers):
        mesh.run_for(_PERIOD)
    return [(time - began) / _PERIOD for time in heard.values()], limit
