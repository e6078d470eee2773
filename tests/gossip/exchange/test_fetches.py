"""Parts that are to be fetched from the peer that told of them."""

from cores import (
    EPOCH,
    NOW,
    Bench,
    address_of,
    converse,
    gossip,
)

from gossamer.gossip.messages import encode_head


def test_what_is_wanted_from_one_peer_is_bounded() -> None:
    """Of a flood of heads 64 are fetched at once and 1,024 wait; the rest is left to the roots."""
    bench = Bench()
    bench.meet("a", "b")
    for first in range(0, 1500, 10):
        heads = [encode_head(f"o{number}", EPOCH, 1) for number in range(first, first + 10)]
        bench.hear("a", updates=heads)
    calls = bench.calls("fetch")
    assert [call.address for call in calls] == [address_of("a")]
    assert len(bench.inside.fetches.waiting_from("a")) == 1024
    calls[0].fail("broken", bench.now)
    assert not bench.inside.fetches.waiting_from("a")


def test_what_comes_while_fetching_is_fetched_next() -> None:
    """Heads heard during a fetch are fetched together when it is done."""
    bench, other = Bench(), gossip("a")
    bench.meet("a", "b")
    for number in range(3):
        bench.hear("a", updates=[encode_head(f"o{number}", EPOCH, 1)])
    [call] = bench.calls("fetch")
    assert call.owners == ["o0"]  # type: ignore[attr-defined]
    converse(call, other.accept(bench.core.address, NOW), bench.now)
    [call] = bench.calls("fetch")
    assert call.owners == ["o1", "o2"]  # type: ignore[attr-defined]
