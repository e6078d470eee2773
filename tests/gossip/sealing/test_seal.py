import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.sealing import ChecksumSeal, Refused

_bodies = st.binary(max_size=80)
_epochs = st.integers(0, (1 << 64) - 1)


def refusal(seal: ChecksumSeal, data: bytes) -> str:
    """Return the reason for which `data` is refused."""
    with pytest.raises(Refused) as caught:
        seal.open(data)
    return caught.value.reason


def changed(data: bytes, offset: int, value: int) -> bytes:
    """Return `data` with one byte set."""
    return data[:offset] + bytes([value]) + data[offset + 1 :]


@given(_bodies, _epochs)
def test_what_is_sealed_is_opened(body: bytes, to_epoch: int) -> None:
    """The same cluster gets back the body and the epoch it is addressed to."""
    data = ChecksumSeal("c").seal(body, to_epoch)

    assert ChecksumSeal("c").open(data) == (to_epoch, body)
    assert len(data) == len(body) + ChecksumSeal.overhead


def test_one_seal_serves_many_envelopes() -> None:
    """Sealing and opening leave nothing behind that would change the next envelope."""
    seal = ChecksumSeal("c")
    first = seal.seal(b"first", 1)

    assert seal.seal(b"second", 2) == ChecksumSeal("c").seal(b"second", 2)
    assert seal.open(first) == (1, b"first")
    assert seal.seal(b"first", 1) == first


@given(_bodies, _epochs, st.data())
def test_refuses_any_flipped_bit(body: bytes, to_epoch: int, data: st.DataObject) -> None:
    """Not one bit of an envelope can change unnoticed."""
    seal = ChecksumSeal("c")
    envelope = bytearray(seal.seal(body, to_epoch))
    bit = data.draw(st.integers(0, 8 * len(envelope) - 1))
    envelope[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Refused):
        seal.open(bytes(envelope))


@given(_bodies, _epochs, st.data())
def test_refuses_a_cut_envelope(body: bytes, to_epoch: int, data: st.DataObject) -> None:
    """An envelope that lost its end is refused; within the header it is called truncated."""
    seal = ChecksumSeal("c")
    envelope = seal.seal(body, to_epoch)
    cut = data.draw(st.integers(0, len(envelope) - 1))

    reason = refusal(seal, envelope[:cut])

    assert reason == ("truncated" if cut < ChecksumSeal.overhead else "checksum")


@given(st.binary(max_size=100))
def test_refuses_what_is_no_envelope(data: bytes) -> None:
    """Arbitrary bytes are refused and raise nothing but Refused."""
    with pytest.raises(Refused):
        ChecksumSeal("c").open(data)


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        pytest.param(0, 0x00, "garbage", id="magic"),
        pytest.param(2, 0x02, "version", id="version"),
        pytest.param(3, 0x01, "key", id="form of tag"),
        pytest.param(4, 0x01, "key", id="key id"),
        pytest.param(5, 0x00, "cluster", id="cluster"),
        pytest.param(13, 0xFF, "checksum", id="epoch"),
        pytest.param(21, 0x00, "checksum", id="tag"),
        pytest.param(29, 0x00, "checksum", id="body"),
    ],
)
def test_each_field_has_its_reason(offset: int, value: int, reason: str) -> None:
    """What is wrong with an envelope is told from the field that is wrong."""
    seal = ChecksumSeal("c")
    envelope = seal.seal(b"body", 7)
    assert envelope[offset] != value

    assert refusal(seal, changed(envelope, offset, value)) == reason


def test_a_foreign_version_is_told_before_its_cluster() -> None:
    """A newer peer is reported as such, even if later versions write the cluster differently."""
    envelope = ChecksumSeal("other").seal(b"body", 7)

    assert refusal(ChecksumSeal("c"), changed(envelope, 2, 9)) == "version"


@given(st.text(max_size=20), st.text(max_size=20), _bodies)
def test_clusters_do_not_open_each_other(one: str, other: str, body: bytes) -> None:
    """An envelope opens in the cluster it was sealed for and in no other."""
    envelope = ChecksumSeal(one).seal(body, 0)

    if one == other:
        assert ChecksumSeal(other).open(envelope) == (0, body)
    else:
        assert refusal(ChecksumSeal(other), envelope) == "cluster"


def test_the_tag_is_bound_to_the_cluster_too() -> None:
    """Writing another cluster's hash into the header does not carry an envelope over."""
    ours, theirs = ChecksumSeal("ours").seal(b"body", 0), ChecksumSeal("theirs").seal(b"body", 0)

    forged = theirs[:5] + ours[5:13] + theirs[13:]

    assert refusal(ChecksumSeal("ours"), forged) == "checksum"
