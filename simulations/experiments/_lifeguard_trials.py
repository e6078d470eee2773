"""The meshes of Lifeguard's two experiments, with members that block again and again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gossamer.gossip import Event, MemberFailed
from gossamer.simulations import Mesh, SimulatedPeer

from ._protocols import LIFEGUARD_2017

MEMBERS = 128
LASTS = 120.0
GOSSAMER = "Gossamer"
CONFIGURATIONS: dict[str, dict[str, Any]] = {**LIFEGUARD_2017, GOSSAMER: {}}


class Anomaly:
    """Members whose sends and receives block, all at the same moments.

    As in memberlist, where each activity has a thread of its own, which hangs in its first send:
    within one probe interval every member has begun a probe, and then it does nothing more.
    Time goes on: at the release what ran out meanwhile is judged before what waited is heard.
    """

    def __init__(self, mesh: Mesh, slow: Sequence[SimulatedPeer]) -> None:
        self._mesh = mesh
        self._slow = slow

    def block(self, seconds: float) -> None:
        """Let nothing in or out for so long."""
        mesh = self._mesh
        ends = mesh.now + seconds
        for peer in self._slow:
            peer.pause()
            # The next probe begins within one interval, and no second one does.
            health = peer.gossip.health + 1
            until = mesh.now + min(seconds, health * peer.config.probe_interval)
            mesh.clock.call_at(mesh.now, self._tick, (peer, until))
        mesh.run_for(ends - mesh.now)
        for peer in self._slow:
            peer.gossip.tick(mesh.now)
            peer.resume()

    def _tick(self, task: tuple[SimulatedPeer, float]) -> None:
        peer, until = task
        peer.gossip.tick(self._mesh.now)
        if peer.gossip.deadline < until:
            self._mesh.clock.call_at(peer.gossip.deadline, self._tick, task)


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: a configuration, how many are slow, for how long, how far apart, times in ms."""

    configuration: str
    slow: int
    blocked: int
    apart: int
    seed: int
    members: int = MEMBERS
    alpha: int | None = None
    lasts: float = LASTS

    def begin(self) -> "_Run":
        """Return a mesh that stands, with its slow members chosen."""
        settings = dict(CONFIGURATIONS[self.configuration])
        if self.alpha is not None:
            settings["suspicion_multiplier"] = self.alpha
        mesh = Mesh(self.seed, trace=False, keep_history=False, **settings)
        peers = mesh.settle(self.members)
        mesh.run_for(2.0)
        chosen = Random(self.seed).sample(peers, self.slow)
        run = _Run(mesh, Anomaly(mesh, chosen), {peer.name for peer in chosen})
        mesh.watchers.append(run.watch)
        return run


@dataclass(slots=True)
class _Run:
    """A mesh with an anomaly, and the members that were declared dead, with the observers."""

    mesh: Mesh
    anomaly: Anomaly
    slow: set[str]
    false: int = 0
    false_at_healthy: int = 0
    buried: dict[str, dict[str, float]] = field(default_factory=dict)

    def watch(self, now: float, at: SimulatedPeer, event: Event) -> None:
        if not isinstance(event, MemberFailed):
            return
        name = event.member.name
        if name not in self.slow:
            self.false += 1
            self.false_at_healthy += at.name not in self.slow
        elif at.name not in self.slow:
            self.buried.setdefault(name, {}).setdefault(at.name, now)


@dataclass(frozen=True, slots=True)
class Costs:
    """What one run of the Interval experiment cost."""

    false: int
    false_at_healthy: int
    messages: int
    bytes: int


def interval(trial: Trial) -> Costs:
    """Block and release again and again for at least the trial's time (section V-D, Interval)."""
    run = trial.begin()
    mesh = run.mesh
    sent, size = mesh.fabric.sent, mesh.fabric.bytes_sent
    ends = mesh.now + trial.lasts
    while mesh.now < ends:
        run.anomaly.block(trial.blocked / 1000)
        mesh.run_for(trial.apart / 1000)
    return Costs(
        run.false, run.false_at_healthy, mesh.fabric.sent - sent, mesh.fabric.bytes_sent - size
    )


def threshold(trial: Trial) -> tuple[list[float], list[float]]:
    """Block once; return when slow members were declared dead first, and everywhere."""
    run = trial.begin()
    mesh = run.mesh
    began = mesh.now
    run.anomaly.block(trial.blocked / 1000)
    healthy = trial.members - trial.slow
    first = [min(views.values()) - began for views in run.buried.values()]
    full = [max(views.values()) - began for views in run.buried.values() if len(views) == healthy]
    return first, full
