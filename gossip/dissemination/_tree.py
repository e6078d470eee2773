"""The tree along which a rumor reaches all members in a few hops.

Each peer computes the tree alone, from the sorted names of the living members and from the rumor,
so peers need no agreement.
The origin is the root of the tree.
The peer at position p passes the rumor on to the positions arity * p + 1 .. arity * p + arity.
Positions count the members from the origin on, in steps that depend on the rumor.
So every rumor has its own tree, and no peer is an inner node of all trees.
If the views of peers differ, the tree misses some peers; random sends, rounds and repair find them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import gcd
from zlib import crc32


def children(
    ring: Sequence[str], own_name: str, origin: str, payload: bytes, arity: int
) -> list[str]:
    """Return the names to which `own_name` passes on the rumor `payload` that `origin` began.

    `ring` are the sorted names of the living members; `own_name` is one of them.
    """
    n = len(ring)
    if n < 2:
        return []
    # An origin that is not in the ring takes the place where it would be.
    start = bisect_left(ring, origin) % n
    place = (bisect_left(ring, own_name) - start) % n
    step = _step(payload, n)
    position = place * pow(step, -1, n) % n
    first = arity * position + 1
    return [ring[(start + child * step) % n] for child in range(first, min(first + arity, n))]


def _step(payload: bytes, n: int) -> int:
    """Return a number that has no divisor in common with `n`, chosen by the rumor."""
    step = 1 + crc32(payload) % (n - 1) if n > 2 else 1
    while gcd(step, n) != 1:
        step = step % (n - 1) + 1
    return step
