"""What is too large is refused where it is registered; what is large travels by a stream."""

import pytest
from http_wire import open_peer_lab
from trio.testing import MockClock
from whole_peers import open_town, until

from gossamer.peers import METADATA_VALUE_LENGTH, RECORD_BYTES, BadInput, GossamerError
from gossamer.peers.registry._records import decode_record, encode_record

MEBIBYTE = 1 << 20


async def test_a_mebibyte_of_metadata_is_refused_by_the_python_api(
    autojump_clock: MockClock,
) -> None:
    """The sentence names the field, its limit and what was given; nothing was registered."""
    async with open_town() as town:
        peer = await town.start(1)
        before = peer.info()["root"]
        with pytest.raises(BadInput) as caught:
            peer.register("orders", port=80, metadata={"team": "x" * MEBIBYTE})
        assert caught.value.field == "metadata"
        assert str(caught.value) == (
            "metadata value of team must have at most 1024 characters, not 1048576"
        )
        assert peer.info()["root"] == before
        assert not peer.lookup("orders", all=True)


async def test_a_mebibyte_of_metadata_is_refused_over_http(autojump_clock: MockClock) -> None:
    """The body is thrown away unread; the sentence tells what a metadata value may be."""
    async with open_town() as town:
        peer = await town.start(1)
        async with open_peer_lab(peer) as lab:
            body = {"port": 80, "metadata": {"team": "x" * MEBIBYTE}}
            reply = await lab.connect().ask("PUT", "/v1/services/orders/instances/one", body)
            assert (reply.status, reply.json["field"]) == (413, "body")
            assert "metadata value 1024 characters" in reply.error
            body = {"port": 80, "metadata": {"team": "x" * (METADATA_VALUE_LENGTH + 1)}}
            reply = await lab.connect().ask("PUT", "/v1/services/orders/instances/one", body)
            assert (reply.status, reply.json["field"]) == (400, "metadata")
            assert "metadata value of team must have at most 1024 characters" in reply.error
        assert not peer.lookup("orders", all=True)


@pytest.mark.parametrize(("length", "fits"), [(1023, True), (1024, True), (1025, False)])
async def test_a_metadata_value_at_its_limit(
    length: int, fits: bool, autojump_clock: MockClock
) -> None:
    """One below the limit, at it, and above it."""
    async with open_town() as town:
        peer = await town.start(1)
        try:
            peer.register("orders", port=80, metadata={"team": "x" * length})
        except BadInput:
            assert not fits
        assert bool(peer.lookup("orders")) == fits


def _padded(size: int) -> dict[str, str]:
    """Return metadata with which a record takes so many bytes."""
    metadata = {f"k{number}": "x" * 1000 for number in range(8)}
    return {**metadata, "rest": "y" * size}


async def test_a_record_of_8_kib_travels_by_a_stream(autojump_clock: MockClock) -> None:
    """The largest that is accepted reaches the others by a fetch; a byte more is refused."""
    async with open_town() as town:
        first, second, third = await town.start_many(3)
        before = [peer.statistics()["exchanges_fetch"] for peer in (second, third)]
        rest = 0
        for rest in range(400):
            try:
                first.register("big", id="one", port=80, metadata=_padded(rest))
            except GossamerError:
                break
        assert 0 < rest < 399
        with pytest.raises(GossamerError, match=str(RECORD_BYTES)):
            first.register("big", id="one", port=80, metadata=_padded(rest))
        value = first._gossip.parts["p1"].records["i\nbig\none"]
        # The stamp is given after the check, and takes up to nine bytes.
        assert RECORD_BYTES <= len(value) < RECORD_BYTES + 9
        assert encode_record(decode_record(value)) == value
        await until(
            lambda: all(
                [dict(found.metadata) for found in peer.lookup("big")] == [_padded(rest - 1)]
                for peer in (second, third)
            ),
            10,
        )
        after = [peer.statistics()["exchanges_fetch"] for peer in (second, third)]
        assert all(new > old for old, new in zip(before, after, strict=True))
