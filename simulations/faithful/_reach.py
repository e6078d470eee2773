# Which peers can reach each other.
#
# Every barrier puts some peers on sides.  Peers on the same side of every barrier form one class.
# There are few classes, however many peers there are, so reachability is computed between classes;
# it is asked for a million times.
#
# `direct` means the network alone, there and back.  `path` means that updates get through, if need
# be over other peers: two peers that a third one still reaches are not partitioned.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Barrier:
    """Nothing passes between the sides; or, one way, nothing from side 0 to side 1."""

    sides: dict[int, int]
    one_way: bool

    def blocks(self, source: int, target: int) -> bool:
        """Whether packets from one side to another are lost; -1 is to stand on no side."""
        if self.one_way:
            return (source, target) == (0, 1)
        return source >= 0 and target >= 0 and source != target


class Reach:
    """Which peers, known by their numbers, can reach one another."""

    def __init__(self, peers: int) -> None:
        self._peers = peers
        self._barriers: list[Barrier] = []
        # Why each peer is unreachable, counted.
        self._silences = [0] * peers
        self._class = [0] * peers
        self._direct = [[True]]
        self._path = [[True]]

    @property
    def cut(self) -> bool:
        """Whether there is any barrier."""
        return bool(self._barriers)

    def raise_barrier(self, groups: Sequence[Iterable[int]], *, one_way: bool = False) -> Barrier:
        """Part the groups, until the barrier is lifted."""
        sides = {peer: side for side, group in enumerate(groups) for peer in group}
        barrier = Barrier(sides, one_way)
        self._barriers.append(barrier)
        self._classify()
        return barrier

    def lift(self, barrier: Barrier) -> bool:
        """Take a barrier away; return whether it stood."""
        standing = [each for each in self._barriers if each is not barrier]
        if len(standing) == len(self._barriers):
            return False
        self._barriers = standing
        self._classify()
        return True

    def silence(self, peer: int) -> None:
        """Nobody reaches the peer, and it reaches nobody; for each reason once."""
        self._silences[peer] += 1

    def unsilence(self, peer: int) -> None:
        """One reason is gone."""
        self._silences[peer] -= 1

    def direct(self, one: int, other: int) -> bool:
        """Whether packets pass between two peers, both ways."""
        if self._silences[one] or self._silences[other]:
            return one == other
        here, there = self._class[one], self._class[other]
        return self._direct[here][there] and self._direct[there][here]

    def path(self, source: int, target: int) -> bool:
        """Whether updates get from `source` to `target`, if need be over other peers."""
        if self._silences[source] or self._silences[target]:
            return source == target
        return self._path[self._class[source]][self._class[target]]

    def linked(self, one: int, other: int) -> bool:
        """Whether there is a path there and back."""
        if self._silences[one] or self._silences[other]:
            return one == other
        here, there = self._class[one], self._class[other]
        return self._path[here][there] and self._path[there][here]

    def _classify(self) -> None:
        sides = [barrier.sides for barrier in self._barriers]
        known: dict[tuple[int, ...], int] = {}
        for peer in range(self._peers):
            key = tuple([side.get(peer, -1) for side in sides])
            self._class[peer] = known.setdefault(key, len(known))
        keys = list(known)
        self._direct = [[self._passes(here, there) for there in keys] for here in keys]
        self._path = [list(row) for row in self._direct]
        count = range(len(keys))
        for via in count:
            for source in count:
                if self._path[source][via]:
                    for target in count:
                        self._path[source][target] |= self._path[via][target]

    def _passes(self, here: tuple[int, ...], there: tuple[int, ...]) -> bool:
        return not any(
            barrier.blocks(source, target)
            for barrier, source, target in zip(self._barriers, here, there, strict=True)
        )
