"""What services do while the scenario runs: they register, change, end, and look others up."""

from bisect import bisect_right
from dataclasses import replace
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Literal, assert_never

from gossamer.peers import Registration, Registry
from gossamer.simulations.scenario import Workload as Plan

from ._truth import Provider, Subject
from ._world import World

Stream = Literal["registrations", "changes", "deregistrations", "lookups"]
_STREAMS: tuple[Stream, ...] = ("registrations", "changes", "deregistrations", "lookups")
# Ports of instances, which nobody ever connects to.
_FIRST_PORT = 10_000
_PORTS = 50_000
# Seconds before the end, or this share of a short scenario, in which nothing changes any more.
_QUIET = 1.0
_QUIET_SHARE = 0.05


class Workload:
    """Poisson arrivals of each kind, each kind with a random source of its own.

    So more lookups leave the registrations as they are.
    Services of a process that starts again register what they had.
    """

    def __init__(self, world: World, plan: Plan, seed: int) -> None:
        self._world = world
        self._plan = plan
        self._seed = seed
        self._rng = {stream: Random(f"{seed} {stream}") for stream in _STREAMS}
        self._names = [f"service-{rank}" for rank in range(1, plan.services + 1)]
        self._ranks = list(accumulate(1 / rank**plan.zipf for rank in range(1, plan.services + 1)))
        self._owned: dict[int, dict[Subject, Provider]] = {}
        self._made = 0
        self._ends_at = 0.0
        self._quiet_from = 0.0
        self._hash = blake2b(digest_size=16)
        world.restarted = self._register_again

    @property
    def digest(self) -> bytes:
        """A fingerprint of every action and of every lookup's outcome."""
        return self._hash.digest()

    def prepare(self) -> None:
        """Register the instances that are there from the beginning, spread over the peers."""
        rng = Random(f"{self._seed} instances")
        peers, count = len(self._world.peers), self._plan.instances
        for place in range(count):
            self._register(place * peers // count, self._service(rng))

    def begin(self, ends_at: float) -> None:
        """Let arrivals come until `ends_at`; changes end a moment sooner.

        Whether all agree at the end is not to hang on a change made in the last milliseconds.
        """
        self._ends_at = ends_at
        self._quiet_from = ends_at - min(_QUIET, (ends_at - self._world.now) * _QUIET_SHARE)
        for stream in _STREAMS:
            self._plan_next(stream)

    def _plan_next(self, stream: Stream) -> None:
        rate = self._rate(stream)
        if rate > 0:
            when = self._world.now + self._rng[stream].expovariate(rate)
            if when < (self._ends_at if stream == "lookups" else self._quiet_from):
                self._world.mesh.clock.call_at(when, self._arrive, stream)

    def _rate(self, stream: Stream) -> float:
        match stream:
            case "registrations":
                return self._plan.registrations
            case "changes":
                return self._plan.changes
            case "deregistrations":
                return self._plan.deregistrations
            case "lookups":
                return self._plan.lookups * len(self._world.peers)
            case _:
                assert_never(stream)

    def _arrive(self, stream: Stream) -> None:
        rng = self._rng[stream]
        match stream:
            case "registrations":
                self._on_registration(rng)
            case "changes":
                self._on_change(rng)
            case "deregistrations":
                self._on_deregistration(rng)
            case "lookups":
                self._on_lookup(rng)
            case _:
                assert_never(stream)
        self._plan_next(stream)

    # One of each kind

    def _on_registration(self, rng: Random) -> None:
        active = [peer for peer, active in enumerate(self._world.active) if active]
        service = self._service(rng)
        if active:
            self._register(rng.choice(active), service)

    def _on_change(self, rng: Random) -> None:
        provider = self._some_provider(rng)
        what = rng.randrange(3)
        if provider is None:
            return
        match what:
            case 0:
                provider.up = not provider.up
            case 1:
                provider.weight = 1 + provider.weight % 10
            case _:
                revision = int(provider.metadata.get("revision", "0"))
                provider.metadata = {"revision": str(revision + 1)}
        self._publish(provider, "change")

    def _on_deregistration(self, rng: Random) -> None:
        provider = self._some_provider(rng)
        if provider is None:
            return
        subject = provider.service, provider.id
        del self._owned[provider.owner][subject]
        self._world.truth.remove(provider)
        self._note("deregister", provider.owner, *subject)
        self._changed(provider)
        self._world.act(
            provider.owner, lambda registry, now: registry.deregister(*subject, now=now)
        )

    def _on_lookup(self, rng: Random) -> None:
        world = self._world
        peer = rng.randrange(len(world.peers))
        service = self._service(rng)
        if world.active[peer] and world.measures is not None:
            found, wrong = world.measures.answers.ask(peer, service)
            self._note("lookup", peer, service, f"{found} {wrong}")

    # Instances

    def _register(self, peer: int, service: str) -> None:
        self._made += 1
        provider = Provider(
            service, f"{service}-{self._made}", peer, _FIRST_PORT + self._made % _PORTS
        )
        self._owned.setdefault(peer, {})[service, provider.id] = provider
        self._publish(provider, "register")

    def _register_again(self, peer: int) -> None:
        for subject, provider in self._owned.get(peer, {}).items():
            again = replace(provider)
            self._owned[peer][subject] = again
            self._publish(again, "register")

    def _publish(self, provider: Provider, what: str) -> None:
        def register(registry: Registry, now: float) -> None:
            registry.register(
                Registration(
                    service=provider.service,
                    id=provider.id,
                    port=provider.port,
                    weight=provider.weight,
                    metadata=provider.metadata,
                    status="UP" if provider.up else "OUT_OF_SERVICE",
                ),
                now,
            )

        self._world.truth.put(provider)
        self._note(what, provider.owner, provider.service, provider.id)
        self._changed(provider)
        self._world.act(provider.owner, register)

    def _changed(self, provider: Provider) -> None:
        if self._world.measures is not None:
            self._world.measures.answers.instance_changed(provider.service, provider.id)

    def _some_provider(self, rng: Random) -> Provider | None:
        providers = [
            provider
            for owner, owned in self._owned.items()
            if self._world.active[owner]
            for provider in owned.values()
        ]
        return rng.choice(providers) if providers else None

    def _service(self, rng: Random) -> str:
        place = bisect_right(self._ranks, rng.random() * self._ranks[-1])
        return self._names[min(place, len(self._names) - 1)]

    def _note(self, what: str, peer: int, service: str, detail: str) -> None:
        line = f"{self._world.now!r} {what} {peer} {service} {detail}\n"
        self._hash.update(line.encode())
