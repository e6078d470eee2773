from collections import Counter
from math import inf

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.dissemination._rumors import Rumor, RumorQueue, transmissions

_SIZE = 100
_OVERHEAD = 3
_COST = _SIZE + _OVERHEAD


def rumor(key: str, size: int = _SIZE) -> Rumor:
    """Return a rumor whose payload tells its key."""
    return Rumor(key, key.encode().ljust(size, b"."), "origin", "teller")


def take(queue: RumorQueue, room: int = 10 * _COST, limit: int = 9) -> list[str]:
    """Return the keys of what the queue gives into `room`."""
    return [payload.rstrip(b".").decode() for payload in queue.take(room, limit, _OVERHEAD)]


def queue_of(*keys: str, limit: int = 100) -> RumorQueue:
    """Return a queue that took in these rumors one after another."""
    queue = RumorQueue(limit)
    for key in keys:
        queue.add(rumor(key))
    return queue


@pytest.mark.parametrize(
    ("multiplier", "members", "expected"),
    [(4, 1, 8), (4, 9, 8), (4, 10, 8), (4, 99, 8), (4, 100, 12), (4, 128, 12), (4, 999, 12),
     (4, 1000, 16), (4, 10_000, 20), (1, 1000, 4), (2, 99, 4)],
)  # fmt: skip
def test_sends_follow_the_law_with_a_floor_for_small_meshes(
    multiplier: int, members: int, expected: int
) -> None:
    """The multiplier counts once per power of ten above the members, and twice at the least."""
    assert transmissions(multiplier, members) == expected


def test_the_newest_goes_first() -> None:
    """Of rumors that were never sent, the last that came is the first to go."""
    assert take(queue_of("a", "b", "c")) == ["c", "b", "a"]


def test_the_least_sent_goes_first() -> None:
    """A rumor that was sent once waits behind those that were not, however old they are."""
    queue = queue_of("a", "b")
    assert take(queue, _COST) == ["b"]

    assert take(queue, 2 * _COST) == ["a", "b"]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 5)),
            st.tuples(st.just("discard"), st.integers(0, 5)),
            st.tuples(st.just("take"), st.integers(0, 7)),
        ),
        max_size=40,
    ),
    st.integers(1, 4),
)
def test_whatever_is_done_the_least_sent_go_first(
    actions: list[tuple[str, int]], limit: int
) -> None:
    """Each take fills its room with those sent least, and none is sent more often than allowed."""
    queue = RumorQueue(100)
    sends: dict[str, int] = {}

    for action, number in actions:
        match action:
            case "add":
                queue.add(rumor(str(number)))
                sends[str(number)] = 0
            case "discard":
                queue.discard(str(number))
                sends.pop(str(number), None)
            case _:
                taken = take(queue, number * _COST, limit)
                expected = sorted(sends.values())[:number]
                assert [sends[key] for key in taken] == expected
                assert len(set(taken)) == len(taken)
                for key in taken:
                    sends[key] += 1
                    if sends[key] == limit:
                        del sends[key]
        assert len(queue) == len(sends)


def test_a_rumor_is_forgotten_at_its_limit() -> None:
    """Each rumor goes out as often as the limit says, no more and no less."""
    queue = queue_of("a", "b", "c")

    sent = Counter(key for _ in range(20) for key in take(queue, 2 * _COST, limit=4))

    assert sent == {"a": 4, "b": 4, "c": 4}
    assert len(queue) == 0


def test_a_key_has_one_slot() -> None:
    """Newer updates of the same thing take the place of older ones and start anew."""
    queue = queue_of("a", "b")
    take(queue)
    newer = rumor("a", 50)

    queue.add(newer)

    assert len(queue) == 2
    assert queue.take(50 + _OVERHEAD, 9, _OVERHEAD) == [newer.payload]


def test_discarding_forgets_one_key_only() -> None:
    """A discarded rumor is not sent, and a key that is not there does no harm."""
    queue = queue_of("a", "b")

    queue.discard("a")
    queue.discard("nobody")

    assert take(queue) == ["b"]


def test_clearing_forgets_all() -> None:
    """After clearing nothing is sent, and the queue works as before."""
    queue = queue_of("a", "b")
    take(queue)

    queue.clear()

    assert (len(queue), take(queue)) == (0, [])
    queue.add(rumor("c"))
    assert take(queue) == ["c"]


def test_the_queue_is_bounded_at_entry() -> None:
    """At the limit the most often sent makes room, the oldest of them first, and is counted."""
    queue = queue_of("a", "b", "c", limit=3)
    assert take(queue, _COST) == ["c"]

    queue.add(rumor("d"))
    assert (len(queue), queue.dropped) == (3, 1)
    queue.add(rumor("e"))
    assert (len(queue), queue.dropped) == (3, 2)

    assert take(queue) == ["e", "d", "b"]


def test_replacing_at_the_bound_drops_nothing() -> None:
    """A rumor whose key is there needs no further slot."""
    queue = queue_of("a", "b", "c", limit=3)

    queue.add(rumor("b"))

    assert (len(queue), queue.dropped) == (3, 0)


def test_a_rumor_that_does_not_fit_lets_smaller_ones_pass() -> None:
    """Room is counted with the overhead, and what is too large does not block the rest."""
    queue = RumorQueue(9)
    queue.add(rumor("exact", 70))
    queue.add(rumor("large", 71))

    assert take(queue, 70 + _OVERHEAD) == ["exact"]
    assert take(queue, 70 + _OVERHEAD - 1) == []
    assert take(queue, 71 + _OVERHEAD) == ["large"]


def test_sends_beside_the_queue_count() -> None:
    """A rumor sent at once to several falls behind by as many, and leaves at the limit."""
    queue = queue_of("b")
    first = rumor("a")
    queue.add(first)

    queue.sent(first, 3, 9)
    assert take(queue, _COST) == ["b"]
    queue.sent(first, 6, 9)

    assert take(queue) == ["b"]
    assert first.sends == 9


def test_sends_of_a_replaced_rumor_do_not_count() -> None:
    """What happens to older updates leaves the newer ones in their place alone."""
    queue = RumorQueue(9)
    older, newer = rumor("a"), rumor("a")
    queue.add(older)
    queue.add(newer)

    queue.sent(older, 9, 9)

    assert (len(queue), newer.sends) == (1, 0)


def test_quenching_forgets_what_showed_by_then() -> None:
    """Rumors that roots told of before the moment are forgotten, others stay in their order."""
    queue = RumorQueue(10)
    for key, shows_since in (("old", 1.0), ("at", 2.0), ("new", 3.0), ("never", inf)):
        kept = rumor(key)
        kept.shows_since = shows_since
        queue.add(kept)
    queue.quench(2.0)
    assert take(queue) == ["never", "new", "at"]
    queue.quench(9.0)
    assert take(queue) == ["never"]
