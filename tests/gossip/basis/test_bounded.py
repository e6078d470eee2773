"""A map that forgets its oldest entry."""

from gossamer.gossip.basis import BoundedMap


def test_up_to_the_limit_nothing_is_forgotten() -> None:
    """A map with as many entries as its limit allows holds all of them, in order of writing."""
    kept = BoundedMap[str, int](3)
    assert [kept.keep(name, number) for number, name in enumerate("abc")] == [None] * 3
    assert list(kept.items()) == [("a", 0), ("b", 1), ("c", 2)]


def test_beyond_the_limit_the_oldest_is_forgotten_and_returned() -> None:
    """One entry more costs the oldest one, which the caller is given."""
    kept = BoundedMap[str, int](2)
    kept.keep("a", 0)
    kept.keep("b", 1)
    assert kept.keep("c", 2) == ("a", 0)
    assert list(kept) == ["b", "c"]


def test_an_entry_written_again_is_the_newest() -> None:
    """Writing a key anew costs no other entry, and saves the key from being forgotten next."""
    kept = BoundedMap[str, int](2)
    kept.keep("a", 0)
    kept.keep("b", 1)
    assert kept.keep("a", 2) is None
    assert kept.keep("c", 3) == ("b", 1)
    assert dict(kept) == {"a": 2, "c": 3}


def test_a_removed_entry_makes_room() -> None:
    """After a deletion another entry finds its place."""
    kept = BoundedMap[str, int](1)
    kept.keep("a", 0)
    del kept["a"]
    assert kept.keep("b", 1) is None
