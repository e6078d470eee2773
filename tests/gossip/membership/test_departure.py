"""Leaving: told directly, until enough have acknowledged it or the time is over."""

from cores import ROOT, Bench, about

from gossamer.gossip import LeaveCompleted, MemberLeft, Status
from gossamer.gossip.messages import Ack, Leave, Ping

NAMES = [f"m{number}" for number in range(20)]


def _leaving(*names: str) -> Bench:
    bench = Bench(probe_interval=1000.0, probe_timeout=100.0)
    bench.meet(*names)
    bench.run(3)
    bench.sent()
    bench.core.leave(bench.now)
    return bench


def _acknowledge(bench: Bench, count: int) -> None:
    for item in bench.sent(Leave)[:count]:
        name = next(n for n, row in bench.core.members.items() if row.address == item.address)
        bench.hear(name, Ack(item.packet.messages[0].sequence, ROOT))


def test_eight_members_are_told_directly_and_at_once() -> None:
    """The farewell is in the outbox when `leave` returns, as the first update of each datagram."""
    bench = _leaving(*NAMES)
    told = bench.sent(Leave)
    assert len({item.address for item in told}) == len(told) == 8
    farewell = about("me", Status.LEFT, incarnation=1).encode()
    assert all(item.packet.updates[0] == farewell for item in told)


def test_three_acknowledgements_are_enough() -> None:
    """With the third the departure is complete, once, and nobody is told any more."""
    bench = _leaving(*NAMES)
    _acknowledge(bench, 2)
    assert not bench.events(LeaveCompleted)
    bench.run(0.051)
    _acknowledge(bench, 2)
    assert [event.acknowledged for event in bench.events(LeaveCompleted)] == [3]
    bench.run(3)
    assert not bench.sent(Leave)
    assert not bench.events(LeaveCompleted)


def test_in_a_small_mesh_all_have_to_acknowledge() -> None:
    """Of one other member one acknowledgement is asked for."""
    bench = _leaving("a")
    _acknowledge(bench, 1)
    assert [event.acknowledged for event in bench.events(LeaveCompleted)] == [1]


def test_who_did_not_answer_is_told_again() -> None:
    """Every 50 ms those that have not acknowledged are told again, and nobody else."""
    bench = _leaving("a", "b", "c")
    _acknowledge(bench, 1)
    bench.run(0.051)
    assert len(bench.sent(Leave)) == 2


def test_without_an_answer_it_ends_in_time() -> None:
    """After `leave_timeout` the departure is given up, with what was acknowledged by then."""
    bench = _leaving("a", "b", "c")
    _acknowledge(bench, 1)
    bench.run(0.99)
    assert not bench.events(LeaveCompleted)
    bench.run(0.02)
    assert [event.acknowledged for event in bench.events(LeaveCompleted)] == [1]
    assert bench.inside.departure.unanswered == 0


def test_alone_there_is_nobody_to_tell() -> None:
    """A mesh of one is left at once."""
    bench = Bench()
    bench.core.leave(bench.now)
    bench.run(1.1)
    assert [event.acknowledged for event in bench.events(LeaveCompleted)] == [0]
    assert not bench.sent()


def test_an_acknowledgement_has_to_come_from_whom_it_was_asked() -> None:
    """Another peer's answer, a made up number or a repeated one count for nothing."""
    bench = _leaving("a", "b", "c", "d")
    sequences = {}
    for item in bench.sent(Leave):
        name = next(n for n, row in bench.core.members.items() if row.address == item.address)
        sequences[name] = item.packet.messages[0].sequence
    for sequence in (sequences["b"], 12345):
        bench.hear("a", Ack(sequence, ROOT))
    for _ in range(3):
        bench.hear("c", Ack(sequences["c"], ROOT))
    assert list(bench.inside.departure.acknowledged) == ["c"]


def test_leaving_twice_is_leaving_once() -> None:
    """A second call says nothing and raises no incarnation."""
    bench = _leaving("a", "b")
    bench.sent()
    bench.core.leave(bench.now)
    assert not bench.sent()
    assert bench.core.incarnation == 1


def test_who_asks_meanwhile_is_answered_with_the_farewell() -> None:
    """While draining, a ping is acked and the asker learns that the peer has left."""
    bench = _leaving("a", "b")
    bench.sent()
    bench.hear("a", Ping(9, "me"))
    [ack] = bench.sent(Ack)
    assert ack.packet.updates[0] == about("me", Status.LEFT, incarnation=1).encode()


def test_a_farewell_is_acknowledged_and_believed() -> None:
    """Told Leave, a peer acks at once and lists the sender as left."""
    bench = Bench()
    bench.meet("a", "b")
    farewell = about("a", Status.LEFT, incarnation=1).encode()
    bench.hear("a", Leave(33), updates=[farewell])
    [ack] = bench.sent(Ack)
    assert ack.told(Ack).sequence == 33
    assert [event.member.name for event in bench.events(MemberLeft)] == ["a"]


def test_the_root_tells_nothing_of_who_has_left() -> None:
    """After leaving, the peer's own root is that of the mesh without it."""
    bench = _leaving("a", "b")
    other = Bench("a")
    other.meet("b")
    assert bench.core.root[:8] == other.core.root[:8]
