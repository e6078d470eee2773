from collections.abc import Iterator

from gossamer.gossip import Address, Metric
from gossamer.peers.catalog import Front


class Fronts:
    """The fronts that show a peer: where they are reached, and what they count."""

    def __init__(self) -> None:
        self._bound: dict[str, list[Address]] = {}
        self._fronts: list[Front] = []

    def add(self, front: Front) -> None:
        """Take in a front before it serves."""
        self._fronts.append(front)
        self._bound[front.name] = []

    def bound(self, front: Front, address: Address) -> None:
        """Note that a front serves on one more address."""
        self._bound[front.name].append(address)

    @property
    def addresses(self) -> dict[str, tuple[Address, ...]]:
        """Where each front is bound, in the order of the configuration."""
        return {name: tuple(bound) for name, bound in self._bound.items()}

    def metrics(self) -> Iterator[Metric]:
        """Return what all fronts measure."""
        for front in self._fronts:
            yield from front.metrics()
