"""A member's tail is in all that a peer makes from what it knows of the member."""

from collections.abc import Iterable

from cores import EPOCH, NOW, SEAL, Bench, about, open_exchange

from gossamer.gossip import Exchange, Status, encode
from gossamer.gossip.basis import array, decode
from gossamer.gossip.messages import Ack, Members, Ping, decode_update
from gossamer.gossip.state import OWN_TAIL, TAIL_LIMIT, MemberUpdate

LATER = encode([3, "of a later version", [1, 2]])


def _bench() -> Bench:
    """Return a core that knows a member of this version and one of a later."""
    bench = Bench()
    bench.meet("a")
    bench.hear("x", updates=[about("x", tail=LATER).encode()])
    bench.run(0.05)
    bench.sent()
    return bench


def _of_x(updates: Iterable[bytes]) -> list[MemberUpdate]:
    found = [decode_update(update) for update in updates]
    return [item for item in found if isinstance(item, MemberUpdate) and item.name == "x"]


def _members(exchange: Exchange) -> list[MemberUpdate]:
    frames = [array(decode(SEAL.open(frame)[1])) for frame in exchange.outbox]
    return _of_x(
        row for frame in frames if frame[0] == Members.KIND for row in array(frame[1])
        if isinstance(row, bytes)
    )  # fmt: skip


def test_an_own_accusation_and_the_death_that_follows_keep_the_tail() -> None:
    """All that this peer tells when a member does not answer describes it in full."""
    bench = _bench()
    bench.inside.membership.accuse("x", bench.now)
    bench.run(40.0)
    told = _of_x(bench.updates())

    assert {item.status for item in told} == {Status.SUSPECT, Status.DEAD}
    assert {item.tail for item in told} == {LATER}


def test_an_accusation_without_the_tail_does_not_take_it_away() -> None:
    """A peer that lost the tail accuses; the accused is told, and exchanged, with its tail."""
    bench = _bench()
    bench.hear("a", updates=[about("x", Status.SUSPECT, tail=b"").encode()])
    bench.sent()
    bench.hear("x", Ping(1, "me"))

    [ack] = bench.sent(Ack)
    [accusation, *_] = _of_x(ack.packet.updates)
    assert (accusation.status, accusation.tail) == (Status.SUSPECT, LATER)
    [row] = _members(open_exchange(bench.core, "c", ("10.1.1.1", 1)))
    assert (row.status, row.tail) == (Status.SUSPECT, LATER)


def test_a_death_that_an_exchange_tells_becomes_a_suspicion_with_the_tail() -> None:
    """Hearsay is turned into an accusation; what it said of the member stays in it."""
    bench = _bench()
    exchange = open_exchange(bench.core, "c", ("10.1.1.1", 1))
    dead = about("x", Status.DEAD, tail=LATER)
    exchange.receive(SEAL.seal(encode([Members.KIND, [dead.encode()], [0]]), EPOCH), NOW)
    bench.run(1.0)

    told = _of_x(bench.updates())
    assert {(item.status, item.tail) for item in told} == {(Status.SUSPECT, LATER)}


def test_the_obituary_of_a_forgotten_life_keeps_the_tail() -> None:
    """A peer that lists a life that is over is told so, with all that it said of the life."""
    bench = Bench()
    bench.meet("a")
    bench.hear("a", updates=[about("x", Status.LEFT, tail=LATER).encode()])
    bench.run(bench.core.config.left_for + 5.0)
    assert "x" not in bench.core.members

    exchange = open_exchange(bench.core, "c", ("10.1.1.1", 1))
    listed = about("x", tail=LATER).encode()
    exchange.receive(SEAL.seal(encode([Members.KIND, [listed], [0]]), EPOCH), bench.now)
    [obituary] = _members(exchange)
    assert (obituary.status, obituary.tail) == (Status.LEFT, LATER)


def test_a_rumor_with_a_tail_is_passed_on_as_it_came() -> None:
    """A peer between two of a later version hands on their words byte by byte."""
    bench = Bench()
    bench.meet("a", "b")
    told = about("x", tail=LATER).encode()
    bench.hear("a", updates=[told])
    bench.run(0.1)

    assert told in bench.updates()


def test_this_peer_tells_its_own_capabilities() -> None:
    """They stand behind the frozen items of all that it says of itself."""
    bench = Bench()
    [*frozen, tail] = array(decode(bench.core.own_update))

    assert len(frozen) == 10
    assert encode([tail]) == OWN_TAIL


def test_two_of_the_longest_updates_go_in_two_datagrams() -> None:
    """What is to be told beside a ping goes ahead of it where both do not fit into one packet."""
    name = "n" * 128
    tail = encode([1, bytes(TAIL_LIMIT - 4)])
    assert len(tail) == TAIL_LIMIT
    bench = Bench(name="m" * 128, zone="z" * 64, packet_limit=1200)
    bench.context.me.tail = tail
    far = about(name, address=("h" * 60, 7940), zone="z" * 64, tail=tail, nonce=(1 << 64) - 1)
    bench.hear(name, updates=[far.encode()], sender=far.address)
    bench.run(0.05)
    bench.sent()
    far.status, far.accuser = Status.SUSPECT, "a" * 128
    bench.hear("a", updates=[about("a").encode(), far.encode()])
    bench.sent()
    bench.inside.contacts.contact(bench.core.members[name], [far.encode()])

    sent = [item for item in bench.sent() if item.address == far.address]
    assert [len(item.packet.messages) for item in sent] == [0, 1]
    assert far.encode() in sent[0].packet.updates
    assert bench.core.own_update in sent[1].packet.updates
    assert all(item.size <= 1200 for item in sent)
