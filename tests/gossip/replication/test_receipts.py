"""Receipts: knowing that others hold what was published."""

from cores import EPOCH, Bench, Link, about, delta, gossip

from gossamer.gossip import Status
from gossamer.gossip.messages import Held, Hold, encode_head

NAMES = ("a", "b", "c", "d", "e")


def _bench() -> Bench:
    bench = Bench(probe_interval=1000.0, probe_timeout=100.0)
    bench.meet(*NAMES)
    bench.core.publish("k", b"v", bench.now)
    bench.run(3)
    bench.sent()
    return bench


def _name(bench: Bench, address: object) -> str:
    return next(name for name, row in bench.core.members.items() if row.address == address)


def test_a_receipt_fills_as_members_answer() -> None:
    """One more than wanted are asked; with the last answer that is wanted it is complete."""
    bench = _bench()
    receipt = bench.core.confirm(2, bench.now)
    asked = bench.sent(Hold)
    assert len({item.address for item in asked}) == len(asked) == 3
    assert all(item.told(Hold).version == 1 for item in asked)
    for item in asked[:2]:
        assert not receipt.complete
        name = _name(bench, item.address)
        for _ in range(2):
            bench.hear(name, Held(item.packet.messages[0].sequence))
    assert receipt.complete
    assert len(receipt.holders) == 2
    bench.run(1)
    assert not bench.sent(Hold)


def test_the_silent_are_asked_again() -> None:
    """Every 50 ms others are asked, never those that have answered, until it is cancelled."""
    bench = _bench()
    receipt = bench.core.confirm(3, bench.now)
    first = bench.sent(Hold)[0]
    bench.hear(_name(bench, first.address), Held(first.packet.messages[0].sequence))
    bench.run(1.01)
    again = bench.sent(Hold)
    assert len(again) == 20 * 3
    assert first.address not in {item.address for item in again}
    receipt.cancelled = True
    bench.run(1)
    assert not bench.sent(Hold)
    assert len(bench.inside.receipts) == 0


def test_answers_of_strangers_count_for_nothing() -> None:
    """Only members can hold; neither a stranger nor an answer to no question changes anything."""
    bench = _bench()
    receipt = bench.core.confirm(1, bench.now)
    sequence = bench.sent(Hold)[0].packet.messages[0].sequence
    assert isinstance(sequence, int)
    bench.hear("stranger", Held(sequence))
    bench.hear("a", Held(sequence + 1))
    assert not receipt.holders


def test_a_question_is_answered_by_who_holds() -> None:
    """Asked for a version it holds, or an older one, a peer says yes; else it says nothing."""
    bench = _bench()
    bench.hear("a", updates=[delta("a", 0, ("x", b"1"), ("y", b"2"))])
    bench.sent()
    for version, expected in ((1, 1), (2, 1), (3, 0)):
        bench.hear("a", Hold(50 + version, version))
        answers = bench.sent(Held)
        assert [item.packet.messages[0] for item in answers] == [Held(50 + version)] * expected
    bench.hear("b", Hold(9, 1))
    assert not bench.sent(Held)


def test_a_question_is_about_the_askers_own_life() -> None:
    """The part of an older life, however high its version, does not count for the newer."""
    bench = _bench()
    bench.hear("a", updates=[delta("a", 0, ("x", b"1"))])
    bench.hear("a", updates=[about("a", epoch=EPOCH + 1).encode()], epoch=EPOCH + 1)
    bench.sent()
    bench.hear("a", Hold(1, 1), epoch=EPOCH + 1)
    assert not bench.sent(Held)


def test_a_receipt_outlives_a_new_epoch() -> None:
    """With the epoch raised the versions begin anew, and the question follows them."""
    bench = _bench()
    for number in range(9):
        bench.core.publish("k", bytes([number]), bench.now)
    receipt = bench.core.confirm(1, bench.now)
    bench.hear("a", updates=[encode_head("me", EPOCH + 1, 1)])
    bench.sent()
    bench.run(0.051)
    [question, *_] = bench.sent(Hold)
    assert question.packet.epoch == EPOCH + 2
    assert question.told(Hold).version == bench.core.parts["me"].version == 1
    assert receipt.version == 10


def test_receipts_are_bounded() -> None:
    """The 1,025th open receipt cancels the oldest, counted."""
    bench = _bench()
    receipts = [bench.core.confirm(5, bench.now) for _ in range(1024)]
    assert bench.counts("receipts_given_up") == (0,)
    assert not receipts[0].cancelled
    bench.core.confirm(5, bench.now)
    assert bench.counts("receipts_given_up") == (1,)
    assert [receipt.cancelled for receipt in receipts[:2]] == [True, False]
    assert len(bench.inside.receipts) == 1024


def test_nothing_wanted_is_complete() -> None:
    """A receipt of zero others asks nobody but is complete from the start."""
    bench = _bench()
    assert bench.core.confirm(0, bench.now).complete
    assert not bench.sent(Hold)
    assert len(bench.inside.receipts) == 0


def test_between_real_cores() -> None:
    """What was published just now is held by two others within 100 ms, and by no dead member."""
    cores = [gossip(name, seed=number) for number, name in enumerate(("a", "b", "c"))]
    link = Link(*cores)
    link.join()
    cores[0].publish("k", b"v", link.now)
    receipt = cores[0].confirm(2, link.now)
    link.run(0.1)
    assert receipt.complete
    assert list(receipt.holders) in (["b", "c"], ["c", "b"])
    assert cores[1].members["a"].status is Status.ALIVE
