"""A mesh with registries to which anything may happen, and the model of what must be left of it.

`tests/mesh/test_machine.py` has hypothesis choose what happens; `tests/soak.py` a seed.
Each action takes small numbers and picks its subjects from what is there, so that any sequence
of actions means something; what cannot be done now is left out.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from future import FAMILY, LATER, NextVersion
from invariants import (
    DatagramLimit,
    Monotony,
    Removal,
    check_nobody_dead,
    check_queues,
    check_removed,
    check_roots,
)
from registries import Registries

from gossamer.gossip.basis import array, decode
from gossamer.gossip.state import decode_member_update
from gossamer.peers import Instance, NotFound, Registration, Unavailable
from gossamer.peers.registry import Registry
from gossamer.peers.registry._records import instance_key
from gossamer.simulations import (
    Corruption,
    Duplication,
    Guard,
    Lag,
    Loss,
    Mesh,
    Reordering,
    Rule,
    SimulatedPeer,
    State,
)

SERVICE = "orders"
HOUR = 3600.0
# What peers may need once all faults have ended: to be found again, and to hear of one another.
# Where most of a small mesh is gone: half a minute of isolation, some probes, and after them the
# longest suspicion, of 24 s.
QUIET_WITHIN = 75.0
# Interventions go when their owners have adopted them, a little later.
SETTLED_AFTER = 15.0

# What nobody forges is never taken for damage: the seal finds what the network damaged.
_DAMAGE = (
    "refused_malformed",
    "refused_message",
    "refused_update",
    "refused_entry",
    "refused_member",
    "refused_other",
)

_DISTURBANCES: tuple[Callable[[float], Rule], ...] = (
    Loss,
    Duplication,
    lambda share: Reordering(share, 0.5),
    Lag,
    Corruption,
)


@dataclass
class Fact:
    """What is known of an instance that a peer acknowledged."""

    owner: str
    life: object
    """The owner's process."""
    removed_by: list[object] = field(default_factory=list)
    """The processes that ended it; None for one that may not have seen the owner's latest change,
    for between the two the later stamp decides."""
    statuses: list[tuple[str | None, object]] = field(default_factory=list)
    """Overrides, None for the end of one, and the processes that made them; with one, there is no
    doubt which holds."""
    reports: list[tuple[str, object]] = field(default_factory=list)
    """The same of what the service said of itself, by reports and by registering again."""

    @property
    def removed(self) -> bool:
        """Whether anybody has ended it, be it somebody who could not tell it any more."""
        return bool(self.removed_by)


class World:
    """One mesh, what happens to it, and what is to be left."""

    def __init__(self, seed: int, count: int, *, keyed: bool = False, later: int = 0) -> None:
        """Let `count` peers run; `later` has a bit set for each that is of the next version."""
        self.mesh = Mesh(seed, keep_history=False, trace=True)
        names = [f"p{number}" for number in range(count) if later >> number & 1]
        self.next = NextVersion(self.mesh, names, keyed=keyed)
        self.registries = Registries(self.mesh, beneath=self.next.beneath)
        with self.next.speaking():
            self.peers = self.mesh.settle(count)
        self.mesh.run_for(1.0)
        self.facts: dict[str, Fact] = {}
        self.leased: dict[str, None] = {}
        # Leases that were taken out at peers of the next version.
        self._later: set[str] = set()
        self.removals: list[Removal] = []
        self.done: Counter[str] = Counter()
        self._numbers = 0
        # Owners of whom two processes have shared an epoch, and who may not have heard of it.
        self._twice: set[str] = set()
        self._monotony = Monotony()
        self._sizes = DatagramLimit()
        self._disturbances: list[Guard] = []
        self.mesh.fabric.add(self._sizes)

    # The registry

    def register(self, who: int) -> None:
        """A peer registers a new instance of its own process."""
        if (peer := self._running(who)) is not None:
            self._numbers += 1
            name = f"{peer.name}-{self._numbers}"
            self.registries.register(peer, SERVICE, name)
            self.facts[name] = Fact(peer.name, peer.gossip)
            self.done["registrations"] += 1

    def change(self, who: int, which: int) -> None:
        """An owner registers one of its instances again, with other metadata."""
        name = self._pick(which, self._own(who))
        if name is not None and (peer := self._running(who)) is not None:
            self._numbers += 1
            metadata = {"number": str(self._numbers), "filling": "x" * (self._numbers * 97 % 900)}
            self.registries.act(
                peer,
                lambda registry, now: registry.register(
                    Registration(service=SERVICE, id=name, port=80, metadata=metadata), now
                ),
            )
            self.facts[name].reports.append(("UP", peer.gossip))
            self.done["changes"] += 1

    def deregister(self, who: int, which: int) -> None:
        """A peer ends an instance that it sees, its own or another's."""
        peer = self._running(who)
        name = None if peer is None else self._pick(which, self._visible(peer))
        if peer is None or name is None:
            return
        self.registries.act(peer, lambda registry, now: registry.deregister(SERVICE, name, now))
        where = f"at {self.mesh.now:.3f} {peer.name}"
        assert name not in self._visible(peer), f"{where} shows {name}, which it has just ended"
        fact = self.facts.get(name)
        if fact is not None:
            fact.removed_by.append(peer.gossip if self._is_up_to_date(peer, fact) else None)
            if fact.owner == peer.name and fact.life is peer.gossip:
                head = peer.gossip.parts[peer.name].head
                self.removals.append(Removal(peer.name, head, name))
        self.leased.pop(name, None)
        self.done["deregistrations"] += 1

    def override(self, who: int, which: int, *, status: str = "OUT_OF_SERVICE") -> None:
        """A peer sets the status of an instance that it sees."""
        peer = self._running(who)
        name = None if peer is None else self._pick(which, self._visible(peer))
        if peer is None or name is None:
            return
        if not self._finds(
            peer, name, lambda registry, now: registry.set_status(SERVICE, name, status, now=now)
        ):
            return
        read = self.registries.statuses(peer, SERVICE)[name]
        assert read == status, f"at {self.mesh.now:.3f} {peer.name} set {name} and reads {read}"
        if name in self.facts:
            self.facts[name].statuses.append((status, peer.gossip))
        self.done["overrides"] += 1

    def clear(self, who: int, which: int) -> None:
        """A peer takes back what was set."""
        peer = self._running(who)
        name = None if peer is None else self._pick(which, self._visible(peer))
        if peer is None or name is None:
            return
        if not self._finds(
            peer, name, lambda registry, now: registry.clear_status(SERVICE, name, now=now)
        ):
            return
        if name in self.facts:
            self.facts[name].statuses.append((None, peer.gossip))
        self.done["overrides"] += 1

    def report(self, who: int, which: int, *, status: str = "DOWN") -> None:
        """A peer is told by the service of an instance that it sees how that is."""
        peer = self._running(who)
        name = None if peer is None else self._pick(which, self._visible(peer))
        if peer is None or name is None:
            return
        output = f"check {self.done['reports']}"
        told = self._finds(
            peer,
            name,
            lambda registry, now: registry.report(SERVICE, name, status, output=output, now=now),
        )
        if told is None:
            return
        assert (told.own_status, told.output) == (status, output), f"{peer.name} shows {told}"
        if name in self.facts:
            self.facts[name].reports.append((status, peer.gossip))
        self.done["reports"] += 1

    def _finds(
        self, peer: SimulatedPeer, name: str, action: Callable[[Registry, float], Instance]
    ) -> Instance | None:
        """Act on an instance; None if its lease is over, which a slow process shows too late."""
        try:
            return self.registries.act(peer, action)
        except NotFound:
            assert name in self.leased, f"{peer.name} shows {name}, which is not there"
            return None

    def lease(self, who: int) -> None:
        """A peer registers an instance that lives by heartbeats."""
        if (peer := self._running(who)) is not None:
            self._numbers += 1
            name = f"leased-{self._numbers}"
            self.registries.act(
                peer,
                lambda registry, now: registry.register(
                    Registration(service=SERVICE, id=name, port=80, ttl=20.0), now
                ),
            )
            self.leased[name] = None
            if peer.name in self.next.names:
                self._later.add(name)
            self.done["registrations"] += 1

    def tell(self, who: int) -> None:
        """A peer of the next version tells what only its version understands."""
        peer = self._running(who)
        if peer is not None and peer.name in self.next.names:
            self._numbers += 1
            self.next.tell(peer, f"number {self._numbers}")
            peer.publish(f"{FAMILY}-{self._numbers % 3}", f"{self._numbers}".encode())
            self.done["new words"] += 1

    def heartbeat(self, who: int, which: int) -> None:
        """Some peer hears the heartbeat of a leased instance, and may take it over."""
        peer = self._running(who)
        name = self._pick(which, list(self.leased))
        if peer is None or name is None:
            return

        def renew(registry: Registry, now: float) -> None:
            with suppress(NotFound, Unavailable):
                registry.heartbeat(SERVICE, name, now)

        self.registries.act(peer, renew)
        self.done["heartbeats"] += 1

    # The network

    def cut(self, mask: int) -> None:
        """Cut the mesh in two."""
        sides = self._sides(mask)
        if all(sides):
            self.mesh.cut(*sides)
            self.done["cuts"] += 1

    def cut_one_way(self, mask: int) -> None:
        """Lose what some send to the others."""
        sides = self._sides(mask)
        if all(sides):
            self.mesh.cut_one_way(*sides)
            self.done["one-way cuts"] += 1

    def disturb(self, kind: int, percent: int) -> None:
        """Lose, duplicate, reorder, delay or damage a share of all packets."""
        rule = _DISTURBANCES[kind % len(_DISTURBANCES)](percent % 50 / 100)
        self._disturbances.append(self.mesh.fabric.add(rule))
        self.done["disturbances"] += 1

    def heal(self) -> None:
        """End all that the network does."""
        self.mesh.heal()
        for guard in self._disturbances:
            guard.remove()
        self._disturbances.clear()
        self.done["healings"] += 1

    # Processes and hosts

    def pause(self, who: int) -> None:
        """Stop a process as SIGSTOP does."""
        if (peer := self._running(who)) is not None:
            peer.pause()
            self.done["pauses"] += 1

    def resume(self, who: int) -> None:
        """Let a stopped process go on."""
        peer = self.peers[who % len(self.peers)]
        if peer.state is State.PAUSED:
            peer.resume()

    def slow(self, who: int, hundredths: int) -> None:
        """Let a process take its time for each packet."""
        if (peer := self._running(who)) is not None:
            peer.slow_down((hundredths % 20 + 1) / 100)
            self.done["slow hosts"] += 1

    def speed_up(self, who: int) -> None:
        """Let a host be as fast as it was."""
        self.peers[who % len(self.peers)].speed_up()

    def crash(self, who: int, *, host: bool) -> None:
        """Kill a process, or its host."""
        peer = self.peers[who % len(self.peers)]
        if peer.running:
            peer.crash(host=host)
            self.done["crashes"] += 1

    def leave(self, who: int) -> None:
        """Let a process leave gracefully."""
        if (peer := self._running(who)) is not None:
            peer.leave()
            self.mesh.run_for(0.5)
            self.done["departures"] += 1

    def start(self, who: int, *, keep_epoch: bool) -> None:
        """Start a process again, killing what still runs."""
        peer = self.peers[who % len(self.peers)]
        if peer.state is not State.RUNNING or peer.running:
            self._restart(peer, keep_epoch=keep_epoch)
            if keep_epoch:
                self._twice.add(peer.name)
            self.done["restarts"] += 1

    def upgrade(self, who: int) -> None:
        """Start a process again as the other version, killing what still runs."""
        peer = self.peers[who % len(self.peers)]
        if peer.running:
            self.next.names ^= {peer.name}
            self._restart(peer, keep_epoch=False)
            self.done["upgrades"] += 1

    def skew(self, who: int, hours: int) -> None:
        """Set a host's clock, at most an hour ahead or behind."""
        self.peers[who % len(self.peers)].skew = (hours % 3 - 1) * HOUR
        self.done["clocks set"] += 1

    def wait(self, tenths: int) -> None:
        """Let up to ten seconds pass."""
        self.mesh.run_for((tenths % 100 + 1) / 10)

    def wait_long(self, minutes: int) -> None:
        """Let up to five minutes pass."""
        self.mesh.run_for((minutes % 5 + 1) * 60.0)

    # What must hold

    def check(self) -> None:
        """Raise unless every invariant holds now."""
        now = self.mesh.now
        running = [peer for peer in self.peers if peer.running]
        self._sizes.check(now)
        check_roots(running, now, self._twice)
        for peer in running:
            check_queues(peer.gossip, now)
            self._monotony.check(peer.name, peer.gossip, now)
            shown = self.registries.ids(peer, SERVICE)
            check_removed(peer, shown, self.removals, now)
            self._check_versions(peer, now)
            lost = [
                name
                for name, fact in self.facts.items()
                if fact.life is peer.gossip and not fact.removed and name not in shown
            ]
            assert not lost, f"at {now:.3f} {peer.name} lost {lost}, which it had acknowledged"

    def settle(self) -> float:
        """End all faults, wait until things are quiet, and check what is left; return how long."""
        self.heal()
        for peer in self.peers:
            peer.speed_up()
            if peer.state is State.PAUSED:
                peer.resume()
        self.mesh.run_for(5.0)  # for those that are about to leave
        running = [peer for peer in self.peers if peer.running]
        began = self.mesh.now

        def is_quiet() -> bool:
            return self.mesh.converged(running) and self.mesh.complete(running)

        try:
            self.mesh.run_until(is_quiet, QUIET_WITHIN, 0.1)
        except TimeoutError:
            check_nobody_dead(self.mesh, running)
            raise AssertionError(
                f"at {self.mesh.now:.3f} the roots differ {QUIET_WITHIN} s after all faults"
            ) from None
        took = self.mesh.now - began
        self.check()
        self.mesh.run_for(SETTLED_AFTER)
        # Who ended before it heard of its earlier life leaves both behind, until it is forgotten.
        self._twice -= {peer.name for peer in running}
        self.check()
        check_nobody_dead(self.mesh, running)
        for peer in running:
            self._check_left(peer)
        return took

    def _check_left(self, peer: SimulatedPeer) -> None:
        shown = self.registries.statuses(peer, SERVICE)
        lives = [each.gossip for each in self.peers if each.running]
        names = [each.name for each in self.peers if each.running]
        where = f"at {self.mesh.now:.3f} {peer.name}"
        for name, fact in self.facts.items():
            if fact.removed:
                # What was decided by a process that died before it met anybody died with it.
                if any(decider in lives for decider in fact.removed_by):
                    assert name not in shown, f"{where} shows {name}, which was deregistered"
            elif fact.life in lives:
                assert name in shown, f"{where} lacks {name}, which {fact.owner} acknowledged"
                decided = fact.statuses
                if all(status is None for status, _ in decided):
                    # Nobody has set a status, so that the service's own is shown.
                    decided = [*fact.reports] or [("UP", fact.life)]
                match decided:
                    case [(status, decider)] if decider in lives:
                        assert shown[name] == status, (
                            f"{where} shows {name} as {shown[name]}, not {status}"
                        )
            elif fact.owner in names:
                assert name not in shown, f"{where} shows {name} of an earlier life"

    def _restart(self, peer: SimulatedPeer, *, keep_epoch: bool) -> None:
        # All others: of a few, none may run any more.
        seeds = [other.address for other in self.peers if other is not peer]
        with self.next.speaking():
            peer.restart(seeds=seeds, keep_epoch=keep_epoch)

    def _check_versions(self, peer: SimulatedPeer, now: float) -> None:
        """Whatever the others' version is, nothing is lost of it and nothing taken for damage."""
        where = f"at {now:.3f} {peer.name}"
        statistics = peer.gossip.statistics()
        damage = {name: statistics[name] for name in _DAMAGE if statistics[name]}
        assert not damage, f"{where} has counted {damage}"
        refused = self.registries[peer].statistics()["refused_records"]
        assert not refused, f"{where} has refused {refused} records"
        for other in self.peers:
            if other.running and (member := peer.gossip.members.get(other.name)) is not None:
                own = decode_member_update(other.gossip.own_update)
                if (member.epoch, member.nonce) == (own.epoch, own.nonce):
                    assert member.tail == own.tail, f"{where} has lost what {other.name} said"
        for part in peer.gossip.parts.values():
            for name in self._later & self.leased.keys():
                record = part.records.get(instance_key((SERVICE, name)))
                if record is not None:
                    last = array(decode(record))[-1]
                    assert last == LATER, f"{where} has lost what was new in {name}"

    # Choosing

    def _running(self, who: int) -> SimulatedPeer | None:
        peer = self.peers[who % len(self.peers)]
        if peer.state is State.RUNNING and not peer.gossip.inside.context.me.left:
            return peer
        return None

    def _own(self, who: int) -> list[str]:
        peer = self.peers[who % len(self.peers)]
        return [
            name
            for name, fact in self.facts.items()
            if fact.owner == peer.name
            and not fact.removed
            and peer.running
            and fact.life is peer.gossip
        ]

    def _is_up_to_date(self, peer: SimulatedPeer, fact: Fact) -> bool:
        owner = self.mesh[fact.owner].gossip
        held = peer.gossip.parts.get(fact.owner)
        return fact.life is owner and held is not None and held.head == owner.parts[owner.name].head

    def _visible(self, peer: SimulatedPeer) -> list[str]:
        return sorted(self.registries.ids(peer, SERVICE))

    @staticmethod
    def _pick(which: int, names: list[str]) -> str | None:
        return names[which % len(names)] if names else None

    def _sides(self, mask: int) -> tuple[list[SimulatedPeer], list[SimulatedPeer]]:
        chosen = [bool(mask >> number & 1) for number in range(len(self.peers))]
        return (
            [peer for peer, here in zip(self.peers, chosen, strict=True) if here],
            [peer for peer, here in zip(self.peers, chosen, strict=True) if not here],
        )


# Each with how often it is to happen, relative to the others.
ACTIONS: dict[str, tuple[int, Callable[[World, Random], None]]] = {
    "register": (6, lambda world, rng: world.register(rng.randrange(64))),
    "change": (4, lambda world, rng: world.change(rng.randrange(64), rng.randrange(99))),
    "deregister": (4, lambda world, rng: world.deregister(rng.randrange(64), rng.randrange(99))),
    "override": (3, lambda world, rng: world.override(rng.randrange(64), rng.randrange(99))),
    "clear": (1, lambda world, rng: world.clear(rng.randrange(64), rng.randrange(99))),
    "report": (3, lambda world, rng: world.report(rng.randrange(64), rng.randrange(99))),
    "lease": (2, lambda world, rng: world.lease(rng.randrange(64))),
    "heartbeat": (4, lambda world, rng: world.heartbeat(rng.randrange(64), rng.randrange(99))),
    "cut": (3, lambda world, rng: world.cut(rng.getrandbits(32))),
    "cut one way": (2, lambda world, rng: world.cut_one_way(rng.getrandbits(32))),
    "disturb": (3, lambda world, rng: world.disturb(rng.randrange(5), rng.randrange(50))),
    "heal": (4, lambda world, rng: world.heal()),
    "pause": (2, lambda world, rng: world.pause(rng.randrange(64))),
    "resume": (3, lambda world, rng: world.resume(rng.randrange(64))),
    "slow": (2, lambda world, rng: world.slow(rng.randrange(64), rng.randrange(20))),
    "speed up": (3, lambda world, rng: world.speed_up(rng.randrange(64))),
    "crash": (2, lambda world, rng: world.crash(rng.randrange(64), host=rng.random() < 0.5)),
    "leave": (1, lambda world, rng: world.leave(rng.randrange(64))),
    "start": (3, lambda world, rng: world.start(rng.randrange(64), keep_epoch=rng.random() < 0.3)),
    "upgrade": (1, lambda world, rng: world.upgrade(rng.randrange(64))),
    "tell": (3, lambda world, rng: world.tell(rng.randrange(64))),
    "skew": (1, lambda world, rng: world.skew(rng.randrange(64), rng.randrange(3))),
    "wait": (12, lambda world, rng: world.wait(rng.randrange(100))),
    "wait long": (1, lambda world, rng: world.wait_long(rng.randrange(5))),
}


def live_through(world: World, rng: Random, steps: int) -> float:
    """Let so many things happen, each followed by a check; return how long quiet took."""
    names = list(ACTIONS)
    weights = [weight for weight, _ in ACTIONS.values()]
    for name in rng.choices(names, weights, k=steps):
        ACTIONS[name][1](world, rng)
        world.check()
    return world.settle()
