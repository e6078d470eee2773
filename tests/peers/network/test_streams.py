"""Frames over streams, and the bounds on streams that strangers open."""

from collections import deque

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from whole_peers import PORT, alive, open_town, schedule_by_seed, until

from gossamer.gossip import FRAME_LIMIT
from gossamer.peers.network import converse
from gossamer.peers.network._frames import FrameStream, Oversize
from gossamer.peers.runtime._driver import INBOUND_LIMIT


@pytest.fixture(autouse=True)
def _scheduling(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_by_seed(monkeypatch, 1)


class Script:
    """An exchange that answers each frame with the next of its lines."""

    def __init__(self, *lines: list[bytes], deadline: float = 10.0) -> None:
        self._lines = deque(lines)
        self.outbox: list[bytes] = self._lines.popleft() if lines else []
        self.deadline = trio.current_time() + deadline
        self.heard: list[bytes] = []
        self.written = 0
        self.failure: str | None = None

    @property
    def finished(self) -> bool:
        return not self._lines or self.failure is not None

    def moved(self, size: int) -> None:
        self.written += size

    def receive(self, frame: bytes, now: float) -> None:
        self.heard.append(frame)
        self.outbox += self._lines.popleft()

    def fail(self, reason: str, now: float) -> None:
        self.failure = reason


async def run(script: Script, stream: trio.abc.Stream) -> None:
    async with stream:
        await converse(script, stream, lambda: None)  # type: ignore[arg-type]


async def test_frames_arrive_whole_however_they_are_cut(autojump_clock: MockClock) -> None:
    """TCP gives bytes in any pieces; the frames are what was sent."""
    near, far = memory_stream_pair()
    frames = [b"", b"a", b"b" * 70_000, b"c" * FRAME_LIMIT]
    wire = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)

    async def send() -> None:
        for start in range(0, len(wire), 50_021):
            await near.send_all(wire[start : start + 50_021])
        await near.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        reader = FrameStream(far)
        assert [await reader.receive() for _ in frames] == frames
        assert await reader.receive() is None


async def test_a_frame_beyond_the_limit_is_refused_before_it_is_read() -> None:
    """Four bytes decide; nothing of the frame is kept in memory."""
    near, far = memory_stream_pair()
    await near.send_all((FRAME_LIMIT + 1).to_bytes(4, "big"))
    with pytest.raises(Oversize):
        await FrameStream(far).receive()


async def test_two_sides_converse_until_both_have_finished(autojump_clock: MockClock) -> None:
    """The last frame of a side that is finished is still written."""
    near, far = memory_stream_pair()
    asking = Script([b"hello"], [b"and", b"this"], [])
    answering = Script([], [b"yes"], [], [b"done"])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, asking, near)
        nursery.start_soon(run, answering, far)
    assert asking.heard == [b"yes", b"done"]
    assert answering.heard == [b"hello", b"and", b"this"]
    assert asking.failure is answering.failure is None


@pytest.mark.parametrize(
    ("wire", "failure"),
    [
        (b"", "closed"),
        (b"\0\0", "closed"),
        (b"\0\0\0\5abc", "closed"),
        (b"\xff\xff\xff\xff", "oversize"),
    ],
)
async def test_a_stream_that_ends_badly_is_told_to_the_core(wire: bytes, failure: str) -> None:
    """The core hears how it ended, once."""
    near, far = memory_stream_pair()
    script = Script([], [])
    if wire:
        await near.send_all(wire)
    await near.send_eof()
    await run(script, far)
    assert script.failure == failure


async def test_silence_ends_at_the_deadline_of_the_exchange(autojump_clock: MockClock) -> None:
    """Neither a mute reader nor a mute writer holds an exchange longer than it wants."""
    near, far = memory_stream_pair()
    script = Script([], [], deadline=3.0)
    began = trio.current_time()
    await run(script, far)
    assert script.failure == "timeout"
    assert trio.current_time() - began == pytest.approx(3.0)
    await near.aclose()


async def test_a_stream_that_breaks_is_told_to_the_core(autojump_clock: MockClock) -> None:
    """A write to a peer that has gone fails the conversation, and does not raise."""
    near, far = memory_stream_pair()
    await trio.aclose_forcefully(near)
    script = Script([b"hello"], [])
    await run(script, far)
    assert script.failure in ("broken", "closed")


async def test_silent_streams_of_one_host_leave_places_to_others(
    autojump_clock: MockClock,
) -> None:
    """A host that opens streams and says nothing gets half of the places; others are served."""
    async with open_town() as town:
        peer = await town.start(1)
        stranger = await town.network.host("10.0.0.66").bind("10.0.0.66", 0)
        streams = []
        half = INBOUND_LIMIT // 2
        for _ in range(half + 5):
            streams.append(await stranger.connect(("10.0.0.1", PORT)))
            await trio.sleep(0.01)

        counters = peer.statistics()
        assert counters["streams_accepted"] == half
        assert counters["streams_refused"] == 5
        began = trio.current_time()
        other = await town.start(2)
        await until(lambda: alive(peer) == 2, 1)

        assert trio.current_time() - began < 1  # while the silent ones still have their time
        assert alive(other) == 2
        for stream in streams:
            await stream.aclose()
        await stranger.aclose()


async def test_garbage_on_a_stream_is_counted_and_changes_nothing(
    autojump_clock: MockClock,
) -> None:
    """A stranger that speaks another protocol is hung up on."""
    async with open_town() as town:
        peer = await town.start(1)
        stranger = await town.network.host("10.0.0.66").bind("10.0.0.66", 0)
        before = peer.info()["root"]
        for wire in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\0\0\0",
            b"\0\0\0\4abcd",
            b"\0\0\1\0" + bytes(256),
        ):
            stream = await stranger.connect(("10.0.0.1", PORT))
            await stream.send_all(wire)
            with trio.fail_after(30):
                while await stream.receive_some():
                    pass
            await stream.aclose()

        assert peer.info()["root"] == before
        assert alive(peer) == 1
        await stranger.aclose()
