"""What an unkind network delivers: damaged, foreign, out of place, or well formed nonsense."""

import pytest
from cores import (
    EPOCH,
    ROOT,
    SEAL,
    Bench,
    Link,
    about,
    address_of,
    datagram,
    delta,
    gossip,
    held,
    without_notices,
)
from hypothesis import given, settings, strategies as st

from gossamer.gossip import Gossip, Status
from gossamer.gossip.basis import PROTOCOL, encode
from gossamer.gossip.messages import (
    Ack,
    Held,
    Hold,
    Leave,
    Message,
    Nack,
    NotMe,
    Ping,
    PingReq,
    Relayed,
)
from gossamer.gossip.sealing import ChecksumSeal, Refused

REASONS = [each.key for each in PROTOCOL if each.key.startswith("refused_")]


def _recorded() -> list[bytes]:
    """Return real datagrams of all kinds, as three cores that know one another send them."""
    cores = [gossip(name, seed=number) for number, name in enumerate(("a", "b", "c"))]
    link = Link(*cores)
    link.join()
    cores[0].publish("k", bytes(300), link.now)
    link.run(0.02)
    cores[0].publish("large", bytes(3000), link.now)
    cores[0].confirm(2, link.now)
    link.run(2)
    link.passes = lambda source, target: address_of("c") not in (source, target)
    link.run(12)
    link.passes = lambda source, target: True
    link.run(10)
    cores[1].leave(link.now)
    link.run(1)
    return list(dict.fromkeys(data for _, target, data in link.datagrams))


SAMPLES = _recorded()


def _state(core: Gossip) -> object:
    rows = {
        name: (row.epoch, row.incarnation, row.status, row.address, row.since)
        for name, row in core.members.items()
    }
    return core.root, rows, held(core), core.epoch, core.incarnation, core.health, core.conflict


def _refusals(core: Gossip) -> int:
    statistics = core.statistics()
    return sum(statistics[name] for name in REASONS)


def _victim() -> Bench:
    """Return a core that looks as c did to those that sent the samples."""
    bench = Bench("c")
    bench.meet("a", "b")
    bench.core.publish("mine", b"m", bench.now)
    bench.run(1)
    bench.sent()
    bench.events()
    bench.calls()
    return bench


VICTIM = _victim()


@settings(max_examples=300)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_changed_datagram_is_refused(sample: bytes, data: st.DataObject) -> None:
    """However a real datagram is damaged, it changes nothing, is answered by nobody and counted."""
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "swap"])):
            case "flip" if place < len(damaged):
                damaged[place] ^= data.draw(st.integers(1, 255))
            case "cut":
                del damaged[place:]
            case "insert":
                damaged[place:place] = data.draw(st.binary(min_size=1, max_size=8))
            case _:
                damaged[:] = damaged[place:] + damaged[:place]
    if bytes(damaged) == sample:
        return
    core = VICTIM.core
    before, refused = _state(core), _refusals(core)
    core.receive(bytes(damaged), ("10.66.6.6", 66), VICTIM.now)
    assert _state(core) == before
    assert _refusals(core) == refused + 1
    assert without_notices(core) == ([], [])
    assert not core.calls


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"Gs", "truncated"),
        (b"x" * 100, "garbage"),
        (b"x" * 1401, "oversize"),
        (datagram("a")[:-1], "checksum"),
        (datagram("a", cluster="other"), "cluster"),
        (b"Gs\x02" + datagram("a")[3:], "version"),
        (datagram("a")[:3] + b"\x01" + datagram("a")[4:], "key"),
        (SEAL.seal(encode(["a", EPOCH, [[256, 1]], []]), EPOCH), "message"),
        (SEAL.seal(encode(["a", EPOCH, []]), EPOCH), "malformed"),
        (datagram(""), "malformed"),
        (datagram("a", to_epoch=EPOCH - 1), "epoch"),
        (datagram("me"), "own_name"),
        (datagram("a", epoch=EPOCH - 1), "former_life"),
        (datagram("a", updates=[b"\xff"]), "update"),
    ],
)
def test_each_refusal_is_counted_by_its_reason(data: bytes, reason: str) -> None:
    """Exactly one counter tells why, and the state is as it was."""
    bench = Bench()
    bench.meet("a")
    before = _state(bench.core)
    bench.core.receive(data, address_of("a"), bench.now)
    assert _state(bench.core) == before
    counted = {name: n for name in REASONS if (n := bench.counts(name)[0])}
    assert counted == {f"refused_{reason}": 1}
    assert bench.counts("datagrams_received")[0] == 2


def test_the_largest_datagram_is_taken() -> None:
    """1,400 bytes are read, one more is not."""
    bench = Bench()
    bench.meet("a")
    filler = 1400 - len(datagram("a", [Ping(1, "me")], [bytes(300)])) + 300
    for extra, answers in ((0, 1), (1, 0)):
        data = datagram("a", [Ping(1, "me")], [bytes(filler + extra)])
        assert len(data) == 1400 + extra
        bench.core.receive(data, address_of("a"), bench.now)
        assert len(bench.sent(Ack)) == answers


def test_one_bad_update_spoils_none_beside_it() -> None:
    """Each update of a datagram is judged by itself, and the messages are answered."""
    bench = Bench()
    bench.meet("a")
    good = [about("x").encode(), delta("x", 0, ("k", b"v"))]
    bench.hear("a", Ping(1, "me"), updates=[b"", b"\xff", good[0], b"\x81\x09", good[1], b"\xa0"])
    assert "x" in bench.core.members
    assert bench.core.parts["x"].records == {"k": b"v"}
    assert len(bench.sent(Ack)) == 1
    assert bench.counts("refused_update") == (4,)


def test_messages_of_later_kinds_and_bad_ones_spoil_none_beside_them() -> None:
    """Each is counted for what it is, and the others are answered."""
    bench = Bench()
    bench.meet("a")
    told = [[10, 1], [0, 1, "me", "further"], [0, 2], [0, 3, "me"], [77, "x", [1, 2]]]
    body = encode(["a", EPOCH, told, [], "further", None])
    bench.core.receive(SEAL.seal(body, EPOCH), address_of("a"), bench.now)

    assert [item.told(Ack).sequence for item in bench.sent(Ack)] == [1, 3]
    assert bench.counts("unknown", "refused_message", "refused_malformed") == (2, 1, 0)


def test_a_reason_without_a_counter_is_counted_all_the_same() -> None:
    """A seal that refuses for a reason of its own makes nothing raise."""

    class Strict(ChecksumSeal):
        def open(self, data: bytes) -> tuple[int, bytes]:
            raise Refused("taste")

    bench = Bench(seal=Strict("default"))
    bench.hear("a", Ping(1, "me"))

    assert bench.counts("refused_other") == (1,)


def test_what_was_seen_lately_is_not_read_again() -> None:
    """The last 2,048 updates at least are known by their bytes, and never twice as many."""
    bench = Bench(sender_datagrams=5001, sender_updates=5001)
    bench.meet("a")
    bench.inside.listener._seen.clear()
    for number in range(5000):
        bench.hear("a", updates=[about(f"m{number}").encode()])
    seen = bench.inside.listener._seen | bench.inside.listener._seen_before
    assert 2048 <= len(seen) < 4096
    assert about("m0").encode() not in seen
    assert all(about(f"m{number}").encode() in seen for number in range(5000 - 2048, 5000))


def test_who_is_dead_and_speaks_is_told_so_but_not_each_time() -> None:
    """A member declared dead hears of it with its first word, then at most twice a second."""
    bench = Bench(probe_interval=1000.0, probe_timeout=100.0)
    bench.meet("a", "x")
    obituary = about("x", Status.DEAD, accuser="")
    bench.hear("a", updates=[about("x", Status.DEAD).encode()])
    bench.run(3)
    bench.sent()
    for _ in range(20):
        bench.hear("x", Ack(5, ROOT))
    told = [item for item in bench.sent() if obituary.encode() in item.packet.updates]
    assert [item.address for item in told] == [address_of("x")]
    bench.run(0.51)
    bench.hear("x", Ack(5, ROOT))
    assert [item.address for item in bench.sent()] == [address_of("x")]
    for number in range(1100):
        bench.inside.listener._may_tell(f"n{number}", bench.now)
    assert len(bench.inside.listener._told_at) == 1024


def test_a_life_that_is_over_is_told_of_the_later_one() -> None:
    """A datagram of an older epoch is ignored, and its sender is told of the newer epoch."""
    bench = Bench()
    bench.meet("a")
    later = about("a", epoch=EPOCH + 9)
    bench.hear("a", updates=[later.encode()], epoch=EPOCH + 9)
    bench.sent()
    bench.hear("a", Ping(1, "me"), epoch=EPOCH)
    [answer] = bench.sent()
    assert answer.packet.updates[0] == later.encode()
    assert answer.packet.messages == []


MESSAGES = st.one_of(
    st.builds(Ping, st.integers(0, 9), st.sampled_from(["me", "a", ""])),
    st.builds(Ack, st.integers(0, 9), st.just(ROOT)),
    st.builds(Nack, st.integers(0, 9), st.just(ROOT)),
    st.builds(Relayed, st.integers(0, 9), st.just(ROOT)),
    *(st.builds(kind, st.integers(0, 9)) for kind in (NotMe, Held, Leave)),
    st.builds(Hold, st.integers(0, 9), st.integers(0, 9)),
    st.builds(PingReq, st.integers(0, 9), st.sampled_from(["me", "a", "z"]),
              st.just(EPOCH), st.just(("10.0.0.9", 1)), st.integers(0, 600_000)),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["a", "z", "me"]), st.lists(MESSAGES, max_size=8)),
                max_size=30), st.lists(st.floats(0, 3), max_size=30))  # fmt: skip
def test_well_formed_messages_in_any_order(
    said: list[tuple[str, list[Message]]], pauses: list[float]
) -> None:
    """Messages that nobody asked for, of members, strangers and in our own name, do no harm."""
    bench = Bench()
    bench.meet("a", "b")
    bench.core.publish("k", b"v", bench.now)
    for (source, messages), pause in zip(said, [*pauses, *[0.1] * 30], strict=False):
        bench.hear(source, *messages)
        bench.run(pause)
    assert bench.core.epoch == EPOCH
    assert held(bench.core) == {"me": (EPOCH, 1, {"k": b"v"})}
    assert set(bench.core.members) == {"a", "b"}
    assert all(item.size <= 1400 for item in bench.sent())
