import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, strategies as st
from keys import key, ring, sealer

from gossamer.gossip import PLAIN
from gossamer.gossip.sealing import ChecksumSeal, ForeignKey, Refused
from gossamer.gossip.sealing.keyed_seal import KeyedSeal

_bodies = st.binary(max_size=80)
_epochs = st.integers(0, (1 << 64) - 1)
ONE, TWO = key(1), key(2)
# Where the header ends, and the fields after it.
FINGERPRINT, SALT, COUNTER, BODY = 21, 25, 41, 45


def hear(seal: KeyedSeal | ChecksumSeal, data: bytes) -> tuple[int, bytes]:
    """Open a datagram that is meant for who holds the seal."""
    opened = seal.open(data)
    seal.once(data)
    return opened


def refusal(seal: KeyedSeal | ChecksumSeal, data: bytes) -> str:
    """Return the reason for which a datagram is refused."""
    with pytest.raises(Refused) as caught:
        hear(seal, data)
    return caught.value.reason


@given(_bodies, _epochs)
def test_what_is_sealed_is_opened_and_hidden(body: bytes, to_epoch: int) -> None:
    """A holder of the key opens datagrams and frames; the sealed bytes hide the body."""
    for name in ("", "_frame"):
        data = getattr(sealer(ring(ONE)), f"seal{name}")(body, to_epoch)

        assert getattr(sealer(ring(ONE), seed=2), f"open{name}")(data) == (to_epoch, body)
        assert len(data) == len(body) + KeyedSeal.overhead
        assert len(body) < 4 or body not in data


def test_the_format_is_the_one_that_is_written_down() -> None:
    """Salt, derived key, nonce, and what the tag covers are as the module's text has them."""
    data = sealer(ring(ONE), cluster="c").seal(b"body", 7)

    assert data[2:5] == bytes([1, 1, 1])
    assert data[FINGERPRINT:SALT] == ONE.fingerprint
    assert data[COUNTER:BODY] == bytes(4)
    derived = HKDF(SHA256(), 32, data[SALT:COUNTER], b"gossamer datagram").derive(ONE.secret)
    assert AESGCM(derived).decrypt(bytes(12), data[BODY:], data[:BODY] + b"c") == b"body"


@given(_bodies, st.data())
def test_not_one_bit_can_change_unnoticed(body: bytes, data: st.DataObject) -> None:
    """Any flipped bit, the header's included, is refused."""
    envelope = bytearray(sealer(ring(ONE)).seal(body, 7))
    bit = data.draw(st.integers(0, 8 * len(envelope) - 1))
    envelope[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Refused):
        sealer(ring(ONE, plain=True)).open(bytes(envelope))


@given(st.integers(0, 200))
def test_a_cut_envelope_is_refused(cut: int) -> None:
    """One that lost its end is truncated where fields are missing, else not authentic."""
    envelope = sealer(ring(ONE)).seal(bytes(50), 7)[:cut]
    if cut < len(bytes(50)) + KeyedSeal.overhead:
        reason = refusal(sealer(ring(ONE)), envelope)
        assert reason == ("truncated" if cut < KeyedSeal.overhead else "checksum")


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    """Nothing but `Refused` is raised, also behind a right header."""
    header = sealer(ring(ONE)).seal(b"", 7)[:BODY]

    for each in (data, header + data):
        with pytest.raises(Refused):
            sealer(ring(ONE)).open(each)


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        pytest.param(0, "garbage", id="magic"),
        pytest.param(2, "version", id="version"),
        pytest.param(3, "key", id="form"),
        pytest.param(4, "key", id="key id"),
        pytest.param(5, "cluster", id="cluster"),
        pytest.param(13, "checksum", id="epoch"),
        pytest.param(FINGERPRINT, "key", id="fingerprint"),
        pytest.param(SALT, "checksum", id="salt"),
        pytest.param(COUNTER, "checksum", id="counter"),
        pytest.param(BODY, "checksum", id="body"),
        pytest.param(-1, "checksum", id="tag"),
    ],
)
def test_each_field_has_its_reason(offset: int, reason: str) -> None:
    """A wrong key is told from damage, and both from a stranger's mesh."""
    envelope = bytearray(sealer(ring(ONE)).seal(b"body", 7))
    envelope[offset] ^= 0x40

    assert refusal(sealer(ring(ONE)), bytes(envelope)) == reason


def test_a_wrong_key_says_which_it_is() -> None:
    """An unknown id, another key of the same id, and no key at all are told apart."""
    cases = [
        (ring(TWO), ring(ONE), (2, False)),
        (ring(key(1, "other")), ring(ONE), (1, True)),
        (ring(ONE, use=PLAIN, plain=True), ring(ONE), (0, False)),
    ]
    for theirs, ours, expected in cases:
        with pytest.raises(ForeignKey) as caught:
            sealer(ours).open(sealer(theirs).seal(b"body", 7))
        assert (caught.value.key_id, caught.value.held) == expected
    with pytest.raises(ForeignKey) as caught:
        ChecksumSeal("default").open(sealer(ring(TWO)).seal(b"body", 7))
    assert caught.value.key_id == 2


def test_the_cluster_is_bound_in_full() -> None:
    """Another cluster's hash in the header does not carry an envelope over, nor does a frame."""
    ours, theirs = (sealer(ring(ONE), cluster=name) for name in ("ours", "theirs"))
    envelope = theirs.seal(b"body", 7)
    forged = envelope[:5] + ours.seal(b"", 7)[5:13] + envelope[13:]

    assert refusal(ours, envelope) == "cluster"
    assert refusal(ours, forged) == "checksum"
    assert refusal(ours, sealer(ring(ONE), cluster="ours").seal_frame(b"body", 7)) == "checksum"


def test_a_ring_accepts_all_its_keys_and_uses_one() -> None:
    """Keys are told by their ids; a removed one is foreign from the next datagram on."""
    receiver = sealer(ring(ONE, TWO))
    first, second = sealer(ring(ONE), seed=3), sealer(ring(TWO), seed=4)

    assert receiver.open(first.seal(b"1", 0)) == (0, b"1")
    assert receiver.open(second.seal(b"2", 0)) == (0, b"2")
    receiver.ring = ring(TWO)
    assert refusal(receiver, first.seal(b"1", 0)) == "key"
    assert receiver.open(second.seal(b"2", 0)) == (0, b"2")
    assert receiver.seal(b"", 0)[4] == 2


def test_plain_text_passes_where_the_ring_says_so_and_nowhere_else() -> None:
    """On the way to keys plain text is accepted, sent, or neither."""
    plain = ChecksumSeal("default")
    sending = sealer(ring(ONE, use=PLAIN, plain=True))
    accepting = sealer(ring(ONE, plain=True))

    assert sending.seal(b"body", 7) == plain.seal(b"body", 7)
    assert plain.open(sending.seal_frame(b"body", 7)) == (7, b"body")
    assert accepting.open(plain.seal(b"body", 7)) == (7, b"body")
    assert sending.open(accepting.seal(b"body", 7)) == (7, b"body")
    assert refusal(sealer(ring(ONE)), plain.seal(b"body", 7)) == "key"


# Nonces


@given(st.integers(1, 5), st.lists(st.sampled_from(["datagram", "frame", "one", "two", "plain"])))
def test_no_nonce_is_used_twice_under_a_key(salt_envelopes: int, actions: list[str]) -> None:
    """Whatever is sealed and whichever keys are used in turn, salt and counter are new."""
    seal = sealer(ring(ONE, TWO), salt_envelopes=salt_envelopes)
    used: list[tuple[str, int, bytes]] = []
    rings = {
        "one": ring(ONE, TWO),
        "two": ring(ONE, TWO, use=2),
        "plain": ring(ONE, TWO, use=0, plain=True),
    }
    for action in [*actions, "one", "datagram", "frame"]:
        if action in rings:
            seal.ring = rings[action]
        elif seal.ring.use != PLAIN:
            make = seal.seal if action == "datagram" else seal.seal_frame
            data = make(b"same", 0)
            used.append((action, data[4], data[SALT:BODY]))

    assert len(set(used)) == len(used)


def test_a_salt_is_drawn_anew_before_its_counter_comes_round() -> None:
    """The last counter of a salt is used once, and the next envelope has another salt."""
    seal = sealer(ring(ONE), salt_envelopes=3)
    opener = sealer(ring(ONE), seed=2)
    sent = [seal.seal(bytes([number]), 0) for number in range(7)]

    assert [data[COUNTER:BODY][-1] for data in sent] == [0, 1, 2, 0, 1, 2, 0]
    assert len({data[SALT:COUNTER] for data in sent}) == 3
    assert [opener.open(data)[1][0] for data in sent] == list(range(7))


def test_a_restart_draws_another_salt() -> None:
    """Two lives of a process share the key and no nonce, though both count from 0."""
    one, other = sealer(ring(ONE), seed=1), sealer(ring(ONE), seed=2)
    first, second = one.seal(b"same", 0), other.seal(b"same", 0)

    assert first[COUNTER:BODY] == second[COUNTER:BODY]
    assert first[SALT:COUNTER] != second[SALT:COUNTER]


# Replays


def test_a_replayed_datagram_is_refused_and_a_frame_is_not() -> None:
    """A datagram is heard once; a frame is bound to its conversation instead."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE), seed=2)
    datagram, frame = seal.seal(b"d", 0), seal.seal_frame(b"f", 0)

    assert hear(opener, datagram) == (0, b"d")
    assert refusal(opener, datagram) == "replay"
    assert opener.open_frame(frame) == opener.open_frame(frame) == (0, b"f")


@given(st.permutations(range(60)))
def test_datagrams_may_come_in_any_order(order: list[int]) -> None:
    """Each of sixty is opened once, however the network shuffles them, and never again."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE), seed=2)
    sent = [seal.seal(bytes([number]), 0) for number in range(60)]

    assert [hear(opener, sent[number])[1][0] for number in order] == order
    assert {refusal(opener, data) for data in sent} == {"replay"}


def test_what_is_older_than_the_memory_is_refused() -> None:
    """With hundreds of later ones heard, a datagram cannot be told from a replay."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE), seed=2)
    sent = [seal.seal(b"", 0) for _ in range(1000)]
    late = sent.pop(0)
    for data in sent:
        hear(opener, data)

    assert refusal(opener, late) == "replay"
    assert {refusal(opener, data) for data in sent} == {"replay"}


def test_what_is_not_authentic_leaves_nothing_behind() -> None:
    """Forged salts push out none that was heard, and forged counters use up none."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE), seed=2)
    heard, expected = seal.seal(b"heard", 0), seal.seal(b"expected", 0)
    hear(opener, heard)
    for number in range(5000):
        forged = heard[:SALT] + number.to_bytes(16) + heard[COUNTER:]
        assert refusal(opener, forged) == "checksum"
    damaged = expected[:-1] + bytes([expected[-1] ^ 1])

    assert refusal(opener, damaged) == "checksum"
    assert refusal(opener, heard) == "replay"
    assert hear(opener, expected) == (0, b"expected")


def test_the_memory_of_salts_is_bounded() -> None:
    """The salt that was silent longest is forgotten for the one beyond the limit."""
    opener = sealer(ring(ONE), seed=2)
    sent = [sealer(ring(ONE), seed=100 + number).seal(b"", 0) for number in range(16_385)]
    for data in sent[:16_384]:
        hear(opener, data)

    assert refusal(opener, sent[0]) == "replay"
    hear(opener, sent[16_384])
    assert refusal(opener, sent[0]) == "replay"
    assert hear(opener, sent[1]) == (0, b"")


@given(st.lists(st.integers(0, 400), max_size=300))
def test_no_counter_is_heard_twice_and_none_in_the_window_is_lost(counters: list[int]) -> None:
    """As by a model that remembers all: what is new is heard if fewer than 128 are ahead."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE), seed=2)
    sent = [seal.seal(b"", 0) for _ in range(401)]
    heard: set[int] = set()
    for counter in counters:
        new = counter not in heard and counter > max(heard, default=-1) - 128
        if new:
            hear(opener, sent[counter])
            heard.add(counter)
        else:
            assert refusal(opener, sent[counter]) == "replay"


def test_a_key_that_comes_back_brings_no_replays() -> None:
    """What was heard under a key stays refused after it was removed and added again."""
    seal, opener = sealer(ring(ONE)), sealer(ring(ONE, TWO), seed=2)
    heard = seal.seal(b"heard", 0)
    hear(opener, heard)
    opener.ring = ring(TWO)
    assert refusal(opener, heard) == "key"
    opener.ring = ring(ONE, TWO)
    assert refusal(opener, heard) == "replay"
