"""A rumor's tree (gossip/dissemination/_tree.py) for all peers at once.

A peer is its place in the sorted ring; every array has one element per peer.
"""

from math import gcd

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def tree_step(checksum: int, n: int) -> int:
    """Return the step that a rumor with this CRC-32 takes through a ring of `n` peers."""
    step = 1 + checksum % (n - 1) if n > 2 else 1
    while gcd(step, n) != 1:
        step = step % (n - 1) + 1
    return step


def tree_children(n: int, origin: int, checksum: int, arity: int) -> Places:
    """Return each peer's children in the tree of a rumor; -1 where it has fewer than `arity`."""
    if n < 2:
        return np.full((n, arity), -1)
    step = tree_step(checksum, n)
    place = (np.arange(n, dtype=np.int64) - origin) % n
    position = place * pow(step, -1, n) % n
    child = arity * position[:, None] + np.arange(1, arity + 1)
    return np.where(child < n, (origin + child * step) % n, -1)
