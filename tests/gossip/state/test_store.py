from functools import reduce
from operator import xor

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gossamer.gossip.state import BUCKETS, Store, bucket_of
from gossamer.gossip.state._part import part_fingerprint

# Two of these fall into one bucket, so that a bucket holds more than one part's share.
_SHARED = next(
    str(number) for number in range(1, 100_000) if bucket_of(str(number)) == bucket_of("0")
)
_owners = st.sampled_from(["0", _SHARED, "a", "b"])
_values = st.one_of(st.none(), st.just(b"x"))
_operations = st.lists(st.tuples(st.sampled_from("kl"), _values), max_size=3)


def check(store: Store) -> None:
    """Compare root and buckets with what the parts alone come to."""
    prints = {part.owner: part_fingerprint(part.owner, part.epoch, part.version) for part in store}
    buckets = [0] * BUCKETS
    for owner, value in prints.items():
        buckets[bucket_of(owner)] ^= value
    assert store.root == reduce(xor, prints.values(), 0)
    assert list(store.buckets) == buckets


class AnyStore(RuleBasedStateMachine):
    """Whatever is done to a store, its root and buckets are those of its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()

    @rule(owner=_owners, epoch=st.integers(1, 3), operations=_operations)
    def append(self, owner: str, epoch: int, operations: list[tuple[str, bytes | None]]) -> None:
        """The owner writes."""
        self.store.append(self.store.open(owner, epoch), operations)

    @rule(owner=_owners, since=st.integers(0, 6), operations=_operations)
    def merge(self, owner: str, since: int, operations: list[tuple[str, bytes | None]]) -> None:
        """A delta comes, perhaps across a gap."""
        self.store.merge(self.store.open(owner, 1), since, operations)

    @rule(owner=_owners, epoch=st.integers(1, 3), version=st.integers(0, 9))
    def replace(self, owner: str, epoch: int, version: int) -> None:
        """A snapshot comes."""
        self.store.replace(self.store.open(owner, 1), epoch, version, {"k": b"y"})

    @rule(owner=_owners)
    def drop(self, owner: str) -> None:
        """A part is forgotten."""
        if self.store.get(owner) is not None:
            self.store.drop(owner)

    @invariant()
    def is_sound(self) -> None:
        """Nothing was computed anew, and nothing is off."""
        check(self.store)


def test_root_and_buckets_equal_their_recomputation() -> None:
    """Whatever is appended, merged, replaced or dropped, the fingerprints are the true ones."""
    run_state_machine_as_test(AnyStore, settings=settings(max_examples=60, stateful_step_count=25))


def test_a_part_is_opened_once() -> None:
    """The first epoch asked for makes the part; later ones get the same part as it is."""
    store = Store()
    part = store.open("o", 3)
    store.append(part, [("k", b"v")])

    assert store.open("o", 9) is part
    assert part.head == (3, 1)
    assert (len(store), list(store), dict(store.parts)) == (1, [part], {"o": part})


def test_a_dropped_part_leaves_nothing() -> None:
    """After a drop the root is what it was before the part came, and an empty one can be made."""
    store = Store()
    store.append(store.open("other", 1), [("k", b"v")])
    before = store.root, list(store.buckets)
    part = store.open("o", 3)
    store.append(part, [("k", b"v")])

    assert store.drop("o") is part
    assert (store.root, list(store.buckets)) == before
    assert store.get("o") is None
    assert store.open("o", 4).head == (4, 0)


def test_stores_agree_by_heads_alone() -> None:
    """A replica brought up by a snapshot has the root of one brought up by operations."""
    one, other = Store(), Store()
    one.append(one.open("o", 3), [("k", b"1"), ("k", b"2")])
    assert one.root != other.root

    other.replace(other.open("o", 1), 3, 2, {"k": b"2"})

    assert one.root == other.root
    assert list(one.buckets) == list(other.buckets)


def test_a_merge_across_a_gap_leaves_the_root() -> None:
    """A delta that cannot be applied changes no fingerprint."""
    store = Store()
    part = store.open("o", 3)
    store.append(part, [("k", b"v")])
    before = store.root

    assert store.merge(part, 2, [("k", b"w")]) is None
    assert store.root == before
