"""Deltas that wait for the one before them."""

from cores import EPOCH, NOW, context

from gossamer.gossip.kernel import Outcome
from gossamer.gossip.messages import Delta
from gossamer.gossip.replication._gaps import Gaps, Waiting


def _waiting(owner: str, since: int, teller: str = "t") -> Waiting:
    return Waiting(Delta(owner, EPOCH, since, [("k", b"v")]), b"", teller)


def test_what_waited_comes_back_in_order_and_once() -> None:
    """The delta that fills the gap has those behind it merged, whatever order they came in."""
    gaps = Gaps(context())
    for since in (3, 1, 2):
        assert gaps.wait(_waiting("o", since), NOW) is Outcome.UNCHANGED
    assert len(gaps) == 3
    assert [item.delta.since for item in gaps.end("o")] == [1, 2, 3]
    assert gaps.end("o") == []


def test_a_gap_that_nothing_fills_has_the_part_fetched() -> None:
    """After 150 ms the part is wanted from the peer that told of it last, and counted."""
    peer = context()
    wanted: list[tuple[str, str]] = []
    peer.signals.part_wanted.listen(lambda owner, teller, now: wanted.append((owner, teller)))
    gaps = Gaps(peer)
    gaps.wait(_waiting("o", 1, "a"), NOW)
    gaps.wait(_waiting("o", 2, "b"), NOW + 0.1)
    peer.timers.run(NOW + 0.149)
    assert not wanted
    peer.timers.run(NOW + 0.15)
    assert wanted == [("o", "b")]
    assert (peer.counters["gaps"], len(gaps)) == (1, 0)


def test_a_gap_that_was_filled_wants_nothing() -> None:
    """When the deltas were merged in time, their timer does nothing."""
    peer = context()
    gaps = Gaps(peer)
    gaps.wait(_waiting("o", 1), NOW)
    gaps.end("o")
    peer.timers.run(NOW + 1.0)
    assert peer.counters["gaps"] == 0


def test_owners_and_deltas_that_wait_are_bounded() -> None:
    """Of one owner 16 deltas wait; those of a 257th owner are declined."""
    peer = context()
    gaps = Gaps(peer)
    for since in range(20):
        gaps.wait(_waiting("o0", since + 1), NOW)
    assert len(gaps) == 16
    for number in range(1, 256):
        assert gaps.wait(_waiting(f"o{number}", 1), NOW) is Outcome.UNCHANGED
    assert gaps.wait(_waiting("one more", 1), NOW) is Outcome.DECLINED
    assert gaps.wait(_waiting("o1", 2), NOW) is Outcome.UNCHANGED
    assert peer.counters["refused_waiting"] == 1
