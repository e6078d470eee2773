from collections.abc import Sequence

from gossamer.simulations import Mesh, SimulatedPeer
from gossamer.simulations.report import Healing, Spread

# Roots are compared so often after a cut; the answer is as exact.
_LOOK = 0.01


class Heals:
    """How long after the end of the last cut all running peers have equal roots."""

    def __init__(self, mesh: Mesh, peers: Sequence[SimulatedPeer], present: Sequence[bool]) -> None:
        self._mesh = mesh
        self._peers = peers
        self._present = present
        self._heals = 0
        self._under_way: int | None = None
        self._took: list[float] = []
        # Two that differed when they were looked at last: mostly they still do.
        self._witnesses = (0, 0)

    def healed(self) -> None:
        """No cut is left."""
        self._heals += 1
        self._under_way = self._heals
        self._mesh.clock.call_at(self._mesh.now, self._look, (self._heals, self._mesh.now))

    def parted(self) -> None:
        """There is a cut again: what was not equal by now does not count."""
        self._under_way = None

    def result(self) -> Healing:
        """Return what was found."""
        return Healing(heals=self._heals, equal_roots=Spread.of(self._took))

    def equal(self) -> bool:
        """Whether all running peers have equal roots."""
        one, other = self._witnesses
        if one != other and self._differ(one, other):
            return False
        first = None
        for peer, present in enumerate(self._present):
            if present:
                first = peer if first is None else first
                if self._differ(first, peer):
                    self._witnesses = first, peer
                    return False
        return True

    def _differ(self, one: int, other: int) -> bool:
        if not (self._present[one] and self._present[other]):
            return False
        return self._peers[one].gossip.root != self._peers[other].gossip.root

    def _look(self, heal: tuple[int, float]) -> None:
        number, since = heal
        if number != self._under_way:
            return
        if self.equal():
            self._under_way = None
            self._took.append(self._mesh.now - since)
        else:
            self._mesh.clock.call_at(self._mesh.now + _LOOK, self._look, heal)
