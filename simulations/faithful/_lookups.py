# Lookups, and every answer that would be wrong at this moment.
#
# A pair (peer, instance) is wrong while the peer would answer wrongly about the instance: it shows
# an instance that no longer exists, or misses one that exists and that the peer can reach.  A pair
# is checked when the peer's view of the service changes, when the instance changes, and when it
# changes which peers can reach each other.  So the exact time of each error is known, and no sample
# has to scan all pairs.

from array import array
from collections.abc import Sequence

from gossamer.peers import Registry
from gossamer.simulations import Clock
from gossamer.simulations.report import Lookups, Spread

from ._reach import Reach
from ._truth import Truth

_NONE: dict[str, float] = {}


class Answers:
    """Holds what peers answer against the truth.

    `registries` are those of the running peers, `active` tells which peers could ask.
    """

    def __init__(
        self,
        truth: Truth,
        reach: Reach,
        registries: Sequence[Registry | None],
        active: Sequence[bool],
        clock: Clock,
    ) -> None:
        self._truth = truth
        self._reach = reach
        self._registries = registries
        self._active = active
        self._clock = clock
        # Since when, of each peer, by service and instance.
        self._open: list[dict[str, dict[str, float]]] = [{} for _ in active]
        self._spells = array("d")
        self.wrong_pairs = 0
        """(Peer, instance) pairs that are wrong now."""
        self._made = 0
        self._wrong = 0
        self._missing = 0
        self._behind_cut = 0
        self._dead = 0

    def ask(self, peer: int, service: str) -> tuple[int, int]:
        """Look a service up at a peer; return how many were found, and how many wrongly so."""
        registry = self._registries[peer]
        assert registry is not None
        found = registry.lookup(service)
        up = self._truth.up(service)
        dead = sum(instance.id not in up for instance in found)
        missing = behind = 0
        if len(found) - dead < len(up):
            shown = {instance.id for instance in found}
            for name, owner in up.items():
                if name not in shown:
                    if self._reachable(peer, owner):
                        missing += 1
                    else:
                        behind += 1
        self._made += 1
        self._wrong += bool(dead or missing)
        self._missing += bool(missing)
        self._dead += bool(dead)
        self._behind_cut += bool(behind and not missing and not dead)
        return len(found), dead + missing

    # Pairs

    def viewed(self, peer: int, service: str) -> None:
        """A peer's view of a service changed."""
        registry = self._registries[peer]
        if registry is None or not self._active[peer]:
            return
        found = registry.lookup(service)
        up = self._truth.up(service)
        wrong = [instance.id for instance in found if instance.id not in up]
        if len(found) - len(wrong) < len(up):
            shown = {instance.id for instance in found}
            reachable = self._reachable
            wrong += [
                name for name, owner in up.items() if name not in shown and reachable(peer, owner)
            ]
        self._settle(peer, service, wrong)

    def instance_changed(self, service: str, name: str) -> None:
        """An instance is to be found now, or no more: every peer's answer may have become wrong."""
        owner = self._truth.up(service).get(name)
        for peer, active in enumerate(self._active):
            registry = self._registries[peer] if active else None
            if registry is None:
                continue
            shown = registry.find(service, name)
            found = shown is not None and shown.status == "UP"
            if owner is None:
                wrong = found
            else:
                wrong = not found and self._reachable(peer, owner)
            open_ = self._open[peer].get(service, _NONE)
            if wrong != (name in open_):
                others = [each for each in open_ if each != name]
                self._settle(peer, service, [*others, name] if wrong else others)

    def moved(self) -> None:
        """Who can reach whom changed, or who could ask."""
        for peer in range(len(self._active)):
            self.peer_changed(peer)

    def peer_changed(self, peer: int) -> None:
        """A peer began, stopped, or may see others than before."""
        services = dict.fromkeys(self._truth.services())
        services.update(dict.fromkeys(self._open[peer]))
        if not self._active[peer]:
            for service in services:
                self._settle(peer, service, [])
            return
        registry = self._registries[peer]
        if registry is not None:
            services.update(dict.fromkeys(each.name for each in registry.services()))
        for service in services:
            self.viewed(peer, service)

    def result(self) -> Lookups:
        """Return what was found; spells that still last count until now."""
        now = self._clock.now
        spells = array("d", self._spells)
        for services in self._open:
            for open_ in services.values():
                spells.extend(now - since for since in open_.values())
        return Lookups(
            made=self._made,
            wrong=self._wrong,
            missing=self._missing,
            missing_behind_cut=self._behind_cut,
            dead=self._dead,
            rate=self._wrong / self._made if self._made else None,
            wrong_for=Spread.of(spells),
        )

    def _reachable(self, peer: int, owner: int) -> bool:
        return self._reach.direct(peer, owner)

    def _settle(self, peer: int, service: str, wrong: list[str]) -> None:
        services = self._open[peer]
        open_ = services.get(service)
        if open_ is None:
            if wrong:
                now = self._clock.now
                services[service] = dict.fromkeys(wrong, now)
                self.wrong_pairs += len(wrong)
            return
        now = self._clock.now
        for name in [name for name in open_ if name not in wrong]:
            lasted = now - open_.pop(name)
            # What is put right within the same instant was never to be seen.
            if lasted > 0:
                self._spells.append(lasted)
            self.wrong_pairs -= 1
        for name in wrong:
            if name not in open_:
                open_[name] = now
                self.wrong_pairs += 1
        if not open_:
            del services[service]
