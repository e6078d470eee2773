"""The tree by which a rumor reaches everybody in a few hops.

Each peer computes it alone from the sorted names of the living members and the rumor itself, so
nobody agrees on anything: the origin is the root, and the peer at position p passes the rumor on
to the positions arity * p + 1 .. arity * p + arity.
Positions are the members' places counted from the origin in steps that depend on the rumor, so
that every rumor has another tree and nobody is an inner node of all of them.
Where views differ the tree misses a few; random sends, ticks and repair find those.
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
    # An origin that we do not list takes the place where it would stand.
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
