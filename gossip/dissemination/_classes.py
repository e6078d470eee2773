"""The classes of rumors: what share of a datagram each has, and how often its rumors are sent.

A storm in one class must not starve another.
So each class that has rumors waiting gets its share of every datagram's room, and may use what the
others leave: with two classes of equal shares, half is a guarantee and not a bound.
A further class is one more row of `CLASSES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gossamer.gossip.basis import GossipConfig

from ._rumors import RumorQueue, transmissions


# Compared by identity: the table's rows are keys of dicts that each rumor asks.
@dataclass(frozen=True, slots=True, eq=False)
class RumorClass:
    """One row of the table."""

    name: str
    """Its rumors that wait are counted as `rumors_` and this."""
    share: int
    """Its part of a datagram's room, beside the shares of the other classes that wait."""
    sends: Callable[[GossipConfig, int, bool], int]
    """How often a peer sends one rumor in all: by settings, living members, and in a storm."""


def _as_membership(config: GossipConfig, living: int, storm: bool) -> int:
    """memberlist's law; in a storm no more sends than all at once, since repair finds the rest."""
    if storm:
        return config.tree_arity + 1
    return transmissions(config.retransmit_multiplier, living)


def _as_registry(config: GossipConfig, living: int, storm: bool) -> int:
    """The sends at once and, apart from them, a few for rounds.

    Behind a fresh cut the tree may reach nobody.
    """
    return config.tree_arity + 1 + transmissions(config.registry_multiplier, living)


MEMBERSHIP = RumorClass("membership", share=2, sends=_as_membership)
REGISTRY = RumorClass("registry", share=2, sends=_as_registry)
UNKNOWN = RumorClass("unknown", share=1, sends=_as_registry)
"""Updates of kinds that only later versions understand."""

CLASSES = (MEMBERSHIP, REGISTRY, UNKNOWN)


class Lane:
    """The rumors of one class that wait at this peer, and how often each is sent now."""

    __slots__ = ("kind", "limit", "limit_in_storm", "queue")

    def __init__(self, kind: RumorClass, queue_limit: int) -> None:
        self.kind = kind
        self.queue = RumorQueue(queue_limit)
        self.limit = 0
        self.limit_in_storm = 0

    def adapt(self, config: GossipConfig, living: int) -> None:
        """Take in how many members live: the more they are, the more often a rumor is sent."""
        self.limit = self.kind.sends(config, living, False)
        self.limit_in_storm = self.kind.sends(config, living, True)


def share_room(lanes: tuple[Lane, ...], room: int, overhead: int, *, storm: bool) -> list[bytes]:
    """Take rumors for `room` bytes, each class at least its share; count them as sent.

    Each rumor costs its length and `overhead`.
    """
    waiting = [lane for lane in lanes if lane.queue]
    shares = 0
    for lane in waiting:
        shares += lane.kind.share
    taken: list[bytes] = []
    for lane in waiting:
        share = lane.kind.share
        limit = lane.limit_in_storm if storm else lane.limit
        payloads = lane.queue.take(room * share // shares, limit, overhead)
        room -= sum(map(len, payloads)) + overhead * len(payloads)
        shares -= share
        taken += payloads
    return taken
