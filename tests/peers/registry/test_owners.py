"""One instance under many owners: a bounded number compete, whatever order they came in."""

from itertools import permutations

import pytest
from cores import EPOCH, Bench, about
from hypothesis import given, strategies as st

from gossamer.gossip.basis import encode
from gossamer.gossip.messages import decode_entry
from gossamer.gossip.messages._entries import SNAPSHOT
from gossamer.peers import RegistryConfig
from gossamer.peers.model import ConfigError
from gossamer.peers.registry import Registry
from gossamer.peers.registry._entry import Entry
from gossamer.peers.registry._records import Record, encode_record

MOMENT = 1_700_000_000_000
KEY = "i\norders\none"


def _record(stamp: int, port: int = 80) -> Record:
    return Record(
        stamp, "UP", "10.0.0.1", port, (), (), 1, None, None, MOMENT, MOMENT, None, 0
    )  # fmt: skip


def _admit(entry: Entry, owners: dict[str, int], limit: int) -> None:
    for owner, stamp in owners.items():
        entry.admit(owner, _record(stamp), "me", limit)


@pytest.mark.parametrize(("count", "waiting"), [(2, 0), (3, 0), (4, 1)])
def test_as_many_owners_compete_as_the_limit_says(count: int, waiting: int) -> None:
    """One below the limit, at it, and above it; the own record is not counted."""
    entry = Entry()
    _admit(entry, {"me": 0, **{f"o{number}": number for number in range(count)}}, 3)
    assert len(entry.records) == 1 + count - waiting
    assert "me" in entry.records
    assert len(entry.waiting) == waiting


def test_the_order_of_arrival_does_not_matter() -> None:
    """The highest stamps compete, and between equal ones the last names."""
    stamps = {"a": 5, "b": 7, "c": 7, "d": 1, "me": 0}
    for order in permutations(stamps):
        entry = Entry()
        _admit(entry, {owner: stamps[owner] for owner in order}, 2)
        assert entry.records.keys() == {"b", "c", "me"}
        assert entry.waiting == [(1, "d"), (5, "a")]


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.integers(0, 5)))),
    st.integers(1, 4),
)
def test_what_competes_is_a_function_of_what_is_held(
    steps: list[tuple[str, int | None]], limit: int
) -> None:
    """However owners come, go and come again, the same compete as if all had come at once."""
    entry, held = Entry(), dict[str, int]()
    for owner, stamp in steps:
        if owner in held:
            promoted = entry.discard(owner, held.pop(owner), "me")
            if promoted is not None:
                entry.admit(promoted, _record(held[promoted]), "me", limit)
        if stamp is not None:
            held[owner] = stamp
            entry.admit(owner, _record(stamp), "me", limit)
    fresh = Entry()
    _admit(fresh, held, limit)
    assert entry.records.keys() == fresh.records.keys()
    assert entry.waiting == fresh.waiting


def _registry(limit: int) -> tuple[Bench, Registry]:
    bench = Bench()
    registry = Registry(
        bench.core, wall=lambda: MOMENT / 1000, config=RegistryConfig(owners_per_instance=limit)
    )
    return bench, registry


def _claim(bench: Bench, registry: Registry, owner: str, stamp: int, version: int = 1) -> None:
    """Have a living owner publish the instance with a stamp, or withdraw it with stamp 0."""
    bench.hear(owner, updates=[about(owner).encode()])
    records = [KEY, encode_record(_record(stamp, 1000 + stamp))] if stamp else []
    entry = decode_entry(encode([SNAPSHOT, owner, EPOCH, version, 0, records]))
    bench.inside.replicas.merge_snapshot(owner, EPOCH, version, entry.records, bench.now)  # type: ignore[union-attr]
    registry.handle_all(list(bench.core.events), bench.now)
    bench.core.events.clear()


def _shown(registry: Registry) -> list[tuple[str, int]]:
    return [(each.owner, each.port) for each in registry.lookup("orders")]


def test_the_next_owner_moves_up_when_one_goes() -> None:
    """Records that waited are shown when those above them were withdrawn, one after the other."""
    bench, registry = _registry(2)
    for number in (3, 1, 5, 2, 4):
        _claim(bench, registry, f"o{number}", number)
    assert registry.statistics()["refused_owners"] == 3
    for number in (5, 4, 3, 2, 1):
        assert _shown(registry) == [(f"o{number}", 1000 + number)]
        _claim(bench, registry, f"o{number}", 0, version=2)
    assert _shown(registry) == []
    assert not any(count for table, count in registry.kept().items() if table != "emptied")


def test_a_waiting_owner_that_withdraws_leaves_nothing() -> None:
    """What was never shown goes without a trace, and may come back higher."""
    bench, registry = _registry(1)
    _claim(bench, registry, "high", 9)
    _claim(bench, registry, "low", 1)
    _claim(bench, registry, "low", 0, version=2)
    assert _shown(registry) == [("high", 1009)]
    _claim(bench, registry, "low", 10, version=3)
    assert _shown(registry) == [("low", 1010)]
    _claim(bench, registry, "low", 0, version=4)
    assert _shown(registry) == [("high", 1009)]


def test_thousands_of_owners_cost_a_bounded_number_of_steps_each() -> None:
    """What one change of an instance looks at does not grow with its owners."""
    bench, registry = _registry(32)
    for number in range(2000):
        bench.now += 0.01
        _claim(bench, registry, f"o{number}", 1 + number % 1000)
    kept = registry.kept()
    assert (kept["entries"], kept["competing"], kept["waiting"]) == (1, 32, 2000 - 32)
    assert _shown(registry) == [("o999", 2000)] or _shown(registry) == [("o1999", 2000)]


def test_the_limit_is_at_least_one() -> None:
    """With none nothing would ever be shown."""
    with pytest.raises(ConfigError, match="owners_per_instance must be at least 1"):
        RegistryConfig(owners_per_instance=0)
