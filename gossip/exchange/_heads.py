"""Compares the parts of two peers by their heads: owner, epoch and version of each part.

A small mesh compares all heads at once.
A large one first compares 1,024 bucket fingerprints (8 kB), and then the heads of the buckets that
differ.
"""

from collections.abc import Iterable

from gossamer.gossip.basis import Malformed, whole
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import FINGERPRINT_SIZE, Heads, owner_name
from gossamer.gossip.replication import OwnPart, Replicas
from gossamer.gossip.state import BUCKETS, EPOCH_LIMIT, VERSION_LIMIT, bucket_of

# With more owners than this, bucket fingerprints are shorter than all heads.
_HEADS_AT_ONCE = 256
# Heads of so many bytes at most go into one frame; the buckets beyond wait for the next exchange.
_HEADS_BYTES = 512 * 1024
_HEAD_COST = 20

HeadTable = dict[str, tuple[int, int]]
"""Owner to (epoch, version)."""
Give = tuple[str, int, int]
"""An owner whose part the other side lacks, and the (epoch, version) that it holds."""


class HeadComparison:
    """Compares this peer's heads with those of another."""

    def __init__(self, context: Context, own: OwnPart, replicas: Replicas) -> None:
        self._me = context.me
        self._store = context.store
        self._counters = context.counters
        self._own = own
        self._replicas = replicas

    @property
    def are_few(self) -> bool:
        """Whether all heads are shorter than the fingerprints of all buckets."""
        return len(self._store) <= _HEADS_AT_ONCE

    @property
    def fingerprints(self) -> bytes:
        """The fingerprints of all buckets, one after another."""
        return b"".join(value.to_bytes(FINGERPRINT_SIZE) for value in self._store.buckets)

    def differing(self, theirs: bytes) -> Heads:
        """Return the heads of the owners in the buckets whose fingerprints differ.

        Buckets whose heads do not fit into one frame are left to another exchange.
        """
        mask = 0
        for number, value in enumerate(self._store.buckets):
            first = FINGERPRINT_SIZE * number
            if value.to_bytes(FINGERPRINT_SIZE) != theirs[first : first + FINGERPRINT_SIZE]:
                mask |= 1 << number
        mask, names = self._within_a_frame(mask)
        return Heads(mask.to_bytes(BUCKETS // 8), self._replicas.heads(names))

    def compare(
        self, theirs: HeadTable, mask: int | None, scope: Iterable[str] | None
    ) -> tuple[list[object], list[Give]]:
        """Return what is newer there, flat and with what is held here, and what is newer here.

        `theirs` are the heads of the owners in the buckets of `mask` and in `scope`; None is all.
        """
        replicas, store = self._replicas, self._store
        wants: list[object] = []
        gives: list[Give] = []
        for owner, (epoch, version) in theirs.items():
            part = store.get(owner)
            held = part.head if part is not None and part.version else (0, 0)
            if owner == self._me.name and epoch < self._me.epoch and not self._own.resumed:
                wants += (owner, 0, 0)  # what an earlier life of this peer left
            elif replicas.has_dropped(owner, epoch) or held > (epoch, version):
                gives.append((owner, epoch, version))
            elif replicas.known_head(owner) < (epoch, version):
                wants += (owner, *held)
        gives.extend(
            (owner, 0, 0)
            for owner in (store.parts if scope is None else scope)
            if owner not in theirs and (mask is None or mask >> bucket_of(owner) & 1)
        )
        return wants, gives

    def _within_a_frame(self, mask: int) -> tuple[int, list[str]]:
        """Return the owners in the buckets of a mask, and the mask, cut to what a frame holds."""
        buckets: dict[int, list[str]] = {}
        for name in self._replicas.known:
            number = bucket_of(name)
            if mask >> number & 1:
                buckets.setdefault(number, []).append(name)
        names: list[str] = []
        size = 0
        for number, found in buckets.items():
            size += sum(len(name.encode()) + _HEAD_COST for name in found)
            if size <= _HEADS_BYTES or not names:
                names += found
            else:
                mask &= ~(1 << number)
        if size > _HEADS_BYTES:
            self._counters.add("exchanges_cut")
        return mask, names


def parse_heads(flat: list[object]) -> HeadTable:
    """Return the heads in a flat array of owner, epoch, version, or raise `Malformed`."""
    if len(flat) % 3:
        raise Malformed("a head is incomplete")
    items = iter(flat)
    return {
        owner_name(owner): (whole(epoch, EPOCH_LIMIT), whole(version, VERSION_LIMIT))
        for owner, epoch, version in zip(items, items, items, strict=True)
    }
