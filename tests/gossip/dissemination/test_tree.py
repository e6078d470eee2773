from collections import Counter
from math import gcd

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.dissemination._tree import children


def ring_of(n: int) -> list[str]:
    """Return the sorted names of `n` members."""
    return [f"peer-{number:03}" for number in range(n)]


def hops(ring: list[str], root: str, origin: str, payload: bytes, arity: int) -> dict[str, int]:
    """Return after how many hops each member has the rumor that `root` passes on first."""
    reached = {root: 0}
    wave = [root]
    while wave:
        coming = []
        for name in wave:
            for child in children(ring, name, origin, payload, arity):
                assert child not in reached, f"{child} is told twice"
                reached[child] = reached[name] + 1
                coming.append(child)
        wave = coming
    return reached


@pytest.mark.parametrize("arity", [1, 2, 3, 5])
def test_each_member_is_reached_exactly_once(arity: int) -> None:
    """In meshes of 2 to 150 members, from any origin, all but the origin are told once."""
    for n in range(2, 151):
        ring = ring_of(n)
        origin = ring[n * n // 3 % n]
        payload = n.to_bytes(2)
        told = Counter(
            child for name in ring for child in children(ring, name, origin, payload, arity)
        )
        assert told == Counter(set(ring) - {origin})
        assert set(hops(ring, origin, origin, payload, arity)) == set(ring)


@given(st.integers(2, 150), st.data(), st.binary(max_size=8), st.integers(1, 6))
def test_any_rumor_spans_the_mesh_in_the_fewest_hops(
    n: int, data: st.DataObject, payload: bytes, arity: int
) -> None:
    """Each wave is `arity` times the last, so the deepest member is no deeper than it must be."""
    ring = ring_of(n)
    origin = data.draw(st.sampled_from(ring))

    reached = hops(ring, origin, origin, payload, arity)

    assert set(reached) == set(ring)
    depth, within = 0, 1
    while within < n:
        depth += 1
        within += arity**depth
    assert max(reached.values()) == depth


@given(st.integers(2, 150), st.text(max_size=8), st.binary(max_size=8))
def test_an_origin_that_is_not_listed_still_has_a_tree(n: int, origin: str, payload: bytes) -> None:
    """The member that stands where the origin would stand acts as the root for all others."""
    ring = ring_of(n)
    root = min((name for name in ring if name >= origin), default=ring[0])

    assert set(hops(ring, root, origin, payload, 3)) == set(ring)


def test_nobody_passes_a_rumor_on_to_itself_alone() -> None:
    """A mesh of one has nobody to tell, whichever peer is the origin."""
    assert children(["a"], "a", "a", b"", 3) == []
    assert children(["a"], "a", "elsewhere", b"", 3) == []


def inner_of(ring: list[str]) -> Counter[str]:
    """Return in how many of 200 rumors of one origin each member passes something on."""
    inner: Counter[str] = Counter()
    for number in range(200):
        payload = number.to_bytes(1)
        inner.update(name for name in ring if children(ring, name, ring[0], payload, 3))
    return inner


@pytest.mark.parametrize("n", [5, 6, 12, 30, 40])
def test_nobody_but_the_origin_works_for_all_rumors(n: int) -> None:
    """Whatever the number of members, each but the origin is a leaf for some rumors."""
    ring = ring_of(n)
    inner = inner_of(ring)

    assert inner.pop(ring[0]) == 200
    assert max(inner.values()) < 200


def test_everybody_takes_a_share_where_all_steps_do() -> None:
    """In a mesh of a prime number of members, each is an inner node for some rumors."""
    ring = ring_of(41)

    assert set(inner_of(ring)) == set(ring)


def test_steps_that_share_a_divisor_with_the_mesh_are_not_taken() -> None:
    """In a mesh of 30, most steps would reach only a part of it; no rumor gets one of these."""
    ring = ring_of(30)
    seen = set()
    for number in range(256):
        (child,) = children(ring, ring[0], ring[0], bytes([number]), 1)
        seen.add(ring.index(child))

    assert seen == {step for step in range(30) if gcd(step, 30) == 1}
