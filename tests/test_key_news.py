"""What peers say of their keys."""

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip import Malformed, encode
from gossamer.peers._key_news import (
    PLAIN_NAMED,
    REMOVALS_LIMIT,
    Decisions,
    KeyNews,
    decode_key_news,
)

_named = st.one_of(
    st.just(PLAIN_NAMED), st.tuples(st.integers(1, 255), st.binary(min_size=4, max_size=4))
)
_stamps = st.integers(0, 1 << 60)
_decisions = st.builds(
    Decisions,
    st.one_of(st.none(), st.tuples(_stamps, _named)),
    st.dictionaries(_named, st.tuples(_stamps, st.booleans()), max_size=5),
)


@st.composite
def _news(draw: st.DrawFn) -> KeyNews:
    accepts = dict(draw(st.lists(_named, min_size=1, max_size=5)))
    return KeyNews(accepts, draw(st.sampled_from(sorted(accepts))), draw(_decisions))


@given(_news())
def test_what_is_told_is_heard(news: KeyNews) -> None:
    """All that a peer says arrives as it was."""
    assert decode_key_news(news.encode()) == news


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    """Nothing but `Malformed` is raised."""
    with pytest.raises(Malformed):
        decode_key_news(data)


_anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 300), st.binary(max_size=5), st.just("x")),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(_anything, min_size=5, max_size=5))
def test_well_formed_values_in_other_places_are_refused(items: list[object]) -> None:
    """What passes says what it means and would be written the same again."""
    data = encode(items)
    try:
        news = decode_key_news(data)
    except Malformed:
        return
    assert news.use in news.accepts
    assert decode_key_news(news.encode()) == news


@given(_decisions, _decisions, _decisions)
def test_decisions_merge_in_any_order(a: Decisions, b: Decisions, c: Decisions) -> None:
    """Merging is commutative, associative and idempotent: all peers come to the same."""
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b).merge(b) == a.merge(b)


def test_the_memory_of_removals_is_bounded() -> None:
    """The earliest removals are forgotten."""
    decisions = Decisions()
    for number in range(3 * REMOVALS_LIMIT):
        decisions = decisions.removing(number, (1, number.to_bytes(4)), True)

    assert len(decisions.removals) == REMOVALS_LIMIT
    assert min(stamp for stamp, _ in decisions.removals.values()) == 2 * REMOVALS_LIMIT
    news = KeyNews({1: bytes(4)}, 1, decisions)
    assert decode_key_news(news.encode()) == news
