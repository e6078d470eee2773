import pytest
from hypothesis import given, strategies as st
from keys import key, ring

from gossamer.gossip import PLAIN, ConfigError, Key, KeyRing

ONE, TWO = key(1), key(2)


def test_a_ring_is_changed_by_making_another() -> None:
    """Adding, using and removing leave the old ring as it was."""
    old = ring(ONE)
    new = old.adding([TWO]).using(2).without(1)

    assert old == KeyRing((ONE,), 1)
    assert new == KeyRing((TWO,), 2)
    assert old.adding([ONE]) == old
    assert new.without(9) == new
    assert ring(ONE, plain=True).without(PLAIN) == old


def test_what_is_accepted_is_told_by_id_and_fingerprint() -> None:
    """Plain text has the id 0 and no fingerprint; no two secrets share one here."""
    accepted = ring(ONE, TWO, plain=True).accepted

    assert accepted == {0: b"", 1: ONE.fingerprint, 2: TWO.fingerprint}
    assert len(ONE.fingerprint) == 4
    assert ONE.fingerprint != TWO.fingerprint
    assert key(1, "other").fingerprint != ONE.fingerprint


def test_a_key_shows_nothing_of_itself() -> None:
    """Neither a key nor a ring has its secret in what a log or a traceback prints."""
    secret = Key(7, b"\x41" * 32)
    for text in (repr(secret), str(secret), repr(ring(secret))):
        assert "AAAA" not in text
        assert "secret" not in text


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Key(0, bytes(32)), "from 1 to 255, not 0"),
        (lambda: Key(256, bytes(32)), "from 1 to 255, not 256"),
        (lambda: Key(True, bytes(32)), "from 1 to 255, not True"),
        (lambda: Key(1, bytes(31)), "key 1 must have 32 bytes"),
        (lambda: KeyRing((), 1), "at least one key"),
        (lambda: KeyRing((ONE, ONE), 1), "key 1 is given twice"),
        (lambda: KeyRing((ONE,), 2), "use names key 2"),
        (lambda: KeyRing((ONE,), PLAIN), "plain text is not accepted"),
        (lambda: KeyRing(tuple(key(each) for each in range(1, 18)), 1), "at most 16 keys"),
        (lambda: ring(ONE).adding([key(1, "other")]), "has a different key 1"),
        (lambda: ring(ONE, TWO).without(1), "key 1 is in use here"),
        (lambda: ring(ONE, use=PLAIN, plain=True).without(PLAIN), "plain text is in use here"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(make: type, names: str) -> None:
    """A ring that exists can be used; each error says what is wrong and names no secret."""
    with pytest.raises(ConfigError, match=names):
        make()


def test_ids_and_numbers_at_their_limits_are_taken() -> None:
    """Ids 1 and 255, and sixteen keys."""
    ids = [1, 255, *range(2, 16)]
    assert len(KeyRing(tuple(key(each) for each in ids), 255).accepted) == 16


@given(st.lists(st.tuples(st.sampled_from(["add", "use", "remove", "plain"]), st.integers(0, 4))))
def test_whatever_is_done_a_ring_accepts_what_it_uses(steps: list[tuple[str, int]]) -> None:
    """A ring is never one that seals with what it would refuse."""
    held = ring(ONE)
    for step, number in steps:
        try:
            match step:
                case "add":
                    held = held.adding([key(max(number, 1))])
                case "use":
                    held = held.using(number)
                case "remove":
                    held = held.without(number)
                case _:
                    held = KeyRing(held.keys, held.use, plain=True)
        except ConfigError:
            continue
        assert held.use in held.accepted
        assert held.keys
