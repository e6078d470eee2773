"""Updates of kinds that only later versions understand."""

import pytest
from cores import EPOCH, Bench, about, gossip
from hypothesis import given, strategies as st

from gossamer.gossip.basis import encode
from gossamer.gossip.dissemination import UnknownUpdates
from gossamer.gossip.messages import LaterUpdate, decode_update


def _later(number: int, *, kind: int = 5, origin: str = "z", epoch: int = EPOCH) -> bytes:
    return encode([kind, origin, epoch, number, "what only later versions understand", [b"x"]])


def _bench() -> Bench:
    bench = Bench()
    bench.meet("a", "b")
    return bench


def _passed_on(bench: Bench, *updates: bytes) -> list[bytes]:
    """Have a member tell updates; return those of them that are passed on."""
    bench.hear("a", updates=updates)
    bench.run(0.4)
    said = bench.updates()
    return [update for update in updates if update in said]


def test_an_unknown_update_is_passed_on_as_it_came() -> None:
    """It is no damage, and travels on to those who understand it."""
    bench = _bench()
    update = _later(1)

    assert _passed_on(bench, update) == [update]
    assert bench.counts("unknown", "refused_update") == (1, 0)


def test_an_unknown_update_is_passed_on_once() -> None:
    """Only what is above the last of its origin and kind, by epoch and number, travels on."""
    bench = _bench()
    assert _passed_on(bench, _later(5))
    assert not _passed_on(bench, _later(4))
    assert _passed_on(bench, _later(6))
    assert _passed_on(bench, _later(1, kind=6))
    assert _passed_on(bench, _later(1, origin="y"))
    assert _passed_on(bench, _later(1, epoch=EPOCH + 1))
    assert not _passed_on(bench, _later(7))
    assert bench.counts("unknown") == (7,)


def test_of_a_member_only_the_life_that_is_known_is_passed_on() -> None:
    """A forged epoch ahead of a member's own does not silence what the member says."""
    bench = _bench()
    bench.meet("z")
    assert not _passed_on(bench, _later(1 << 40, epoch=EPOCH + 1000))
    assert not _passed_on(bench, _later(1 << 40, epoch=EPOCH - 1))
    assert _passed_on(bench, _later(1))
    bench.hear("a", updates=[about("z", epoch=EPOCH + 1000).encode()])
    assert _passed_on(bench, _later(1, epoch=EPOCH + 1000))
    assert not _passed_on(bench, _later(2))


def test_a_later_number_takes_the_place_of_one_that_waits() -> None:
    """So what waits for an origin and a kind is one update, however many it tells."""
    bench = _bench()
    for number in range(50):
        bench.hear("a", updates=[_later(number)])
    assert bench.counts("rumors_unknown") == (1,)


def test_different_words_under_one_number_are_not_passed_on() -> None:
    """The first that is heard under a number stands for it."""
    bench = _bench()
    assert _passed_on(bench, encode([5, "z", EPOCH, 1, "one"]))
    assert not _passed_on(bench, encode([5, "z", EPOCH, 1, "other"]))


def test_an_unknown_update_of_an_implausible_epoch_is_not_passed_on() -> None:
    """It would keep all that its origin says from being passed on for good."""
    bench = _bench()
    assert not _passed_on(bench, _later(1, epoch=EPOCH + 2 * 86_400_000))
    assert _passed_on(bench, _later(1))
    assert bench.counts("refused_epoch_ahead") == (1,)


def test_an_unknown_update_of_an_own_earlier_life_is_not_passed_on() -> None:
    """A peer that was a later version before does not repeat what it does not understand now."""
    bench = _bench()
    assert not _passed_on(bench, _later(1, origin="me"))
    assert bench.counts("unknown") == (1,)


def test_unknown_updates_leave_known_ones_their_share() -> None:
    """However many are told, an update about a member is in the next datagrams."""
    bench = _bench()
    for first in range(0, 600, 20):
        origins = [f"z{number}" for number in range(first, first + 20)]
        bench.hear("a", updates=[_later(1, origin=origin) for origin in origins])
    known = about("x").encode()
    bench.hear("b", updates=[known])
    bench.run(0.6)

    assert known in bench.updates()


def test_what_is_kept_of_unknown_updates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The origin that was silent longest is forgotten, and no more than the limit is kept."""
    monkeypatch.setattr("gossamer.gossip.dissemination._unknown._ORIGINS_LIMIT", 3)
    core = gossip("me")
    unknown = UnknownUpdates(core.inside.context, core.inside.spread)
    for number in range(5):
        unknown.hear(LaterUpdate(5, f"o{number}", EPOCH, 1), b"", "a", 1000.0)
        assert len(unknown) <= 3


@pytest.mark.parametrize(
    "items",
    [
        [5], [5, "z", EPOCH], [5, "", EPOCH, 1], [5, "z\\n", EPOCH, -1], [5, "z" * 129, EPOCH, 1],
        [5, b"z", EPOCH, 1], [5, "z", -1, 1], [5, "z", 1 << 48, 1], [5, "z", EPOCH, 1 << 64],
        [5, "z", EPOCH, None], [256, "z", EPOCH, 1], [3, "z", EPOCH, 1], [4, "z", EPOCH, 1],
        [-1, "z", EPOCH, 1], [True, "z", EPOCH, 1],
    ],
    ids=repr,
)  # fmt: skip
def test_what_has_not_the_shape_of_a_later_update_is_refused(items: list[object]) -> None:
    """An update without kind, origin, epoch and number is damage, and so is an entry's kind."""
    bench = _bench()
    assert not _passed_on(bench, encode(items))
    assert bench.counts("unknown", "refused_update") == (0, 1)


@given(
    st.integers(5, 255),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    st.integers(0, 1 << 47),
    st.integers(0, (1 << 64) - 1),
    st.lists(
        st.one_of(st.none(), st.binary(max_size=9), st.lists(st.text(max_size=3))), max_size=4
    ),
)
def test_a_later_update_is_read_by_its_beginning(
    kind: int, origin: str, epoch: int, number: int, further: list[object]
) -> None:
    """Kind, origin, epoch and number are read, whatever follows."""
    update = decode_update(encode([kind, origin, epoch, number, *further]))
    assert update == LaterUpdate(kind, origin, epoch, number)
