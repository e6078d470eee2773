"""Bytes that the first version wrote are understood by this one."""

from random import Random

import pytest
from cores import Bench, gossip, open_exchange
from keys import key, ring
from recorded import EPOCH, ROOT, forms, recorded

from gossamer.gossip.basis import array, decode, encode
from gossamer.gossip.messages import (
    LAST_KIND,
    Ack,
    Delta,
    Dropped,
    Gone,
    Head,
    Held,
    Hold,
    Leave,
    Message,
    Nack,
    NotMe,
    Packet,
    Piece,
    Ping,
    PingReq,
    Relayed,
    decode_body,
    decode_entry,
    decode_update,
    encode_body,
    encode_delta,
    encode_head,
)
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.gossip.sealing.keyed_seal import KeyedSeal
from gossamer.gossip.state import MemberUpdate, Status

_MESSAGES: dict[str, Message] = {
    "ping": Ping(7, "b"),
    "ping of anybody": Ping(8, ""),
    "ack": Ack(7, ROOT),
    "ping-req": PingReq(9, "c", EPOCH, ("10.0.0.3", 7940), 450),
    "nack": Nack(9, ROOT),
    "not me": NotMe(8),
    "leave": Leave(10),
    "relayed": Relayed(9, ROOT),
    "hold": Hold(11, 3),
    "held": Held(11),
    "gone": Gone(9),
}


def _about_x(status: Status, accuser: str = "", *, definite: bool = False) -> MemberUpdate:
    return MemberUpdate("x", EPOCH, 2, status, ("10.0.0.9", 7940), "z1", 99, accuser, definite)


_UPDATES = {
    "x is alive": _about_x(Status.ALIVE),
    "x is suspect": _about_x(Status.SUSPECT, "j"),
    "x is dead": _about_x(Status.DEAD, "j"),
    "x is definitely dead": _about_x(Status.DEAD, "j", definite=True),
    "x is left": _about_x(Status.LEFT),
    "o's operations after 4: k is v, l is gone": Delta("o", EPOCH, 4, [("k", b"v"), ("l", None)]),
    "o stands at 9": Head("o", EPOCH, 9),
}
_ENTRIES = {
    "o's operations from the start: k is v": Delta("o", EPOCH, 0, [("k", b"v")]),
    "o's part at 70 as a whole: k is v, l is ten w": Piece(
        "o", EPOCH, 70, more=False, records={"k": b"v", "l": b"w" * 10}
    ),
    "o's part at 71, a piece with more to come: k is v": Piece(
        "o", EPOCH, 71, more=True, records={"k": b"v"}
    ),
    "o's part was dropped": Dropped("o", EPOCH),
}


def _seal() -> KeyedSeal:
    """Return a seal with the key that was used, and another salt."""
    rng = Random(2)
    return KeyedSeal("default", ring(key(1)), salt=lambda: rng.randbytes(16))


@pytest.mark.parametrize("name", list(_MESSAGES))
def test_messages_say_what_they_said(name: str) -> None:
    """Each kind of message is read, and written, as it was."""
    body = recorded("body")[f"a says: {name}"]
    assert decode_body(body) == Packet("a", EPOCH, [_MESSAGES[name]], [])
    assert encode_body("a", EPOCH, [_MESSAGES[name]], []) == body


def test_updates_in_a_body_are_those_that_were_recorded() -> None:
    """The updates that ride on a body come out of it byte by byte."""
    updates = recorded("update")
    body = recorded("body")["a says: ping, and tells two updates"]
    packet = decode_body(body)
    assert packet.messages == [Ping(7, "b")]
    assert packet.updates == [updates["x is alive"], updates["o stands at 9"]]
    assert len(recorded("body")) == len(_MESSAGES) + 1


@pytest.mark.parametrize("says", list(_UPDATES))
def test_updates_say_what_they_said(says: str) -> None:
    """Each kind of update, and each status of a member, is read and written as it was."""
    data, expected = recorded("update")[says], _UPDATES[says]
    assert decode_update(data) == expected
    match expected:
        case MemberUpdate():
            assert expected.encode() == data
        case Delta(owner, epoch, since, operations):
            assert encode_delta(owner, epoch, since, operations) == data
        case Head(owner, epoch, version):
            assert encode_head(owner, epoch, version) == data
    assert recorded("update").keys() == _UPDATES.keys()


@pytest.mark.parametrize("says", list(_ENTRIES))
def test_entries_say_what_they_said(says: str) -> None:
    """Each kind of entry of an exchange is read as it was."""
    assert decode_entry(recorded("entry")[says]) == _ENTRIES[says]
    assert recorded("entry").keys() == _ENTRIES.keys()


@pytest.mark.parametrize("says", list(recorded("datagram without a key")))
def test_datagrams_without_a_key_are_opened(says: str) -> None:
    """Envelope, life and body are those that were written."""
    to_epoch, body = ChecksumSeal("default").open(recorded("datagram without a key")[says])
    assert to_epoch == (0 if "any life" in says else EPOCH)
    assert body == recorded("body")["a says: ping"]
    assert (
        ChecksumSeal("default").seal(body, to_epoch) in recorded("datagram without a key").values()
    )


def test_a_datagram_with_a_key_is_opened() -> None:
    """A holder of the key reads a datagram that was sealed with it."""
    [datagram] = recorded("datagram with a key").values()
    assert _seal().open(datagram) == (EPOCH, recorded("body")["a says: ping"])


def test_frames_are_opened() -> None:
    """With a key a frame is bound to what was heard before it, and without to nothing."""
    done = recorded("frame")["done"]
    [plain], [keyed] = (recorded(f"frame with{form}").values() for form in ("out a key", " a key"))
    assert ChecksumSeal("default").open_frame(plain, b"") == (EPOCH, done)
    assert _seal().open_frame(keyed, b"x" * 16) == (EPOCH, done)


def test_every_kind_of_frame_was_recorded() -> None:
    """All kinds that are known are among them."""
    kinds = {array(decode(frame))[0] for frame in recorded("frame").values()}
    assert kinds == set(range(LAST_KIND + 1))
    assert {"body", "update", "entry", "frame"} < forms()


@pytest.mark.parametrize("says", ["members", "want", "parts", "done"])
def test_frames_that_follow_a_question_are_taken(says: str) -> None:
    """A conversation goes on with each of them, and none is taken for damage."""
    bench = Bench()
    exchange = open_exchange(bench.core, "c", ("10.1.1.1", 1))
    exchange.receive(ChecksumSeal("default").seal(recorded("frame")[says], EPOCH), bench.now)
    assert bench.counts("refused_malformed", "refused_member", "unknown") == (0, 0, 0)
    assert exchange.finished == (says == "done")
    assert ("x" in bench.core.members) == (says == "members")


@pytest.mark.parametrize("says", ["heads of all", "heads of some buckets"])
def test_heads_are_taken_by_the_side_that_asked(says: str) -> None:
    """A peer that asked with the fingerprints of its buckets goes on with what differs."""
    seal = ChecksumSeal("default")
    bench = Bench()
    for number in range(300):
        bench.context.store.open(f"owner-{number}", EPOCH)
    bench.inside.exchanges.begin("heal", ("10.1.1.1", 1), bench.now)
    [call] = bench.calls()
    for name in ("hello", says):
        call.receive(seal.seal(recorded("frame")[name], EPOCH), bench.now)
    assert bench.counts("refused_malformed", "unknown") == (0, 0)
    assert not call.finished
    assert array(decode(seal.open(call.outbox[-1])[1]))[0] == 10  # it has said DONE


@pytest.mark.parametrize("says", ["ask with heads", "ask of owners", "ask with buckets"])
def test_questions_are_answered(says: str) -> None:
    """An opening and each form of the question lead to an exchange."""
    seal = ChecksumSeal("default")
    bench = Bench()
    bench.core.publish("k", b"v", bench.now)
    called = bench.core.accept(("10.1.1.1", 1), bench.now)
    for name in ("open", says):
        called.receive(seal.seal(recorded("frame")[name], EPOCH), bench.now)
    assert not called.finished
    assert "x" in bench.core.members
    kinds = [array(decode(seal.open(frame)[1]))[0] for frame in called.outbox]
    assert kinds[0] == 5
    assert len(kinds) > 1


@pytest.mark.parametrize(
    ("says", "reason"),
    [("hello", None), ("busy", None), ("refused", "refused_by_others"),
     ("foreign", "keys_refused_by_others"), ("another", None)],
)  # fmt: skip
def test_answers_to_an_opening_are_understood(says: str, reason: str | None) -> None:
    """Each answer that can follow an opening does what it did."""
    seal = ChecksumSeal("default")
    bench = Bench()
    bench.core.join([("10.9.9.9", 1)], bench.now)
    [call] = bench.calls()
    opening = ["hello", "busy"] if says == "busy" else [says]
    for name in opening:
        call.receive(seal.seal(recorded("frame")[name], 0), bench.now)
    assert call.finished == (says != "hello")
    assert bench.counts("refused_malformed") == (0,)
    if reason is not None:
        assert bench.counts(reason) == (1,)


def test_a_probe_over_a_stream_and_its_answer_are_understood() -> None:
    """A peer of that name says yes in the words that were recorded."""
    seal = ChecksumSeal("default")
    core = gossip("b")
    called = core.accept(("10.1.1.1", 1), 1000.0)
    called.receive(seal.seal(recorded("frame")["probe"], EPOCH), 1000.0)
    assert [seal.open(frame)[1] for frame in called.outbox] == [recorded("frame")["probed"]]
    assert encode([2]) == recorded("frame")["another"]
