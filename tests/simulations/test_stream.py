import random

import pytest

from gossamer.simulations import (
    Address,
    ConstantLatency,
    Fabric,
    Silence,
    StreamEnd,
    UniformLatency,
    VirtualClock,
    dial,
)

A: Address = ("10.0.0.1", 40_000)
B: Address = ("10.0.0.2", 7940)


class Side:
    """Notes what a stream says, and when."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.said: list[str | bytes] = []
        self.at: list[float] = []

    def _note(self, word: str | bytes) -> None:
        self.said.append(word)
        self.at.append(round(self._clock.now, 6))

    def opened(self) -> None:
        self._note("opened")

    def received(self, data: bytes) -> None:
        self._note(data)

    def ended(self) -> None:
        self._note("ended")

    def broken(self, reason: str) -> None:
        self._note(reason)


class Server:
    def __init__(self, clock: VirtualClock) -> None:
        self.side = Side(clock)
        self.ends: list[StreamEnd] = []
        self.ready = True

    def receive(self, data: bytes, sender: Address) -> None:
        raise AssertionError("no datagrams here")

    def unreachable(self, address: Address) -> None:
        raise AssertionError(f"nobody sends datagrams to {address}")

    def accept(self, end: StreamEnd) -> bool:
        if self.ready:
            end.handler = self.side
            self.ends.append(end)
        return self.ready


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fabric(clock: VirtualClock) -> Fabric:
    return Fabric(clock, random.Random(3), latency=ConstantLatency(0.1))


@pytest.fixture
def server(fabric: Fabric, clock: VirtualClock) -> Server:
    server = Server(clock)
    fabric.attach(B, server)
    return server


@pytest.fixture
def client(clock: VirtualClock) -> Side:
    return Side(clock)


def test_a_conversation(fabric: Fabric, clock: VirtualClock, server: Server, client: Side) -> None:
    """Each piece takes one latency, and each side hears the other's end."""
    near = dial(fabric, A, B, client)
    clock.run_for(0.2)
    near.send(b"question")
    clock.run_for(0.1)
    server.ends[0].send(b"answer")
    server.ends[0].finish()
    clock.run_for(0.1)
    near.finish()
    clock.run_for(0.1)

    assert (client.said, client.at) == (["opened", b"answer", "ended"], [0.2, 0.4, 0.4])
    assert (server.side.said, server.side.at) == ([b"question", "ended"], [0.3, 0.5])
    assert (server.ends[0].local, server.ends[0].remote) == (B, A)


def test_where_nobody_listens_the_knock_is_refused(
    fabric: Fabric, clock: VirtualClock, client: Side
) -> None:
    """A refusal takes one round trip."""
    dial(fabric, A, B, client)
    clock.run_for(1.0)

    assert (client.said, client.at) == (["refused"], [0.2])


def test_across_a_cut_there_is_silence_and_after_it_the_stream_opens(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """Knocks are repeated after 1, 2 and 4 seconds; nobody is told meanwhile."""
    with fabric.cut([A[0]], [B[0]]):
        dial(fabric, A, B, client)
        clock.run_until(6.0)
        assert client.said == []
    clock.run_until(10.0)

    assert (client.said, client.at) == (["opened"], [7.2])


def test_a_dialer_that_gave_up_stays_away(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """A knock is not repeated for one who has reset the stream."""
    with fabric.cut([A[0]], [B[0]]):
        near = dial(fabric, A, B, client)
        near.reset()
        sent = fabric.sent
    clock.run_for(300.0)

    assert (client.said, server.ends, fabric.sent) == ([], [], sent)


def test_data_goes_on_when_a_cut_heals(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """Nothing that was sent into a cut is lost to the stream, and the order stays."""
    near = dial(fabric, A, B, client)
    clock.run_for(1.0)
    near.send(b"1")
    with fabric.cut([A[0]], [B[0]]):
        near.send(b"2")
        clock.run_for(3.0)
        assert server.side.said == []
    near.send(b"3")
    clock.run_for(10.0)

    assert server.side.said == [b"1", b"2", b"3"]


def test_pieces_that_overtake_are_put_in_order(clock: VirtualClock, client: Side) -> None:
    """Latency that varies does not reorder a stream, in either direction."""
    fabric = Fabric(clock, random.Random(3), latency=UniformLatency(0.1, 0.9))
    server = Server(clock)
    fabric.attach(B, server)
    near = dial(fabric, A, B, client)
    clock.run_for(2.0)
    for number in range(100):
        near.send(bytes([number]))
        server.ends[0].send(bytes([number]))
    near.finish()
    clock.run_for(2.0)

    expected = [bytes([number]) for number in range(100)]
    assert server.side.said == [*expected, "ended"]
    assert client.said == ["opened", *expected]


def test_a_reset_is_heard_once_and_ends_all(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """The process at the other end died: broken, and nothing after it."""
    near = dial(fabric, A, B, client)
    clock.run_for(1.0)
    server.ends[0].reset()
    server.ends[0].reset()
    clock.run_for(1.0)

    assert client.said == ["opened", "reset"]
    assert near.gone
    with pytest.raises(RuntimeError, match="finished"):
        near.send(b"too late")


def test_power_loss_is_silent(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """A machine that vanished tells nobody, and sends nothing again later."""
    dial(fabric, A, B, client)
    clock.run_for(1.0)
    with fabric.add(Silence([B[0]])):
        server.ends[0].send(b"never")
        server.ends[0].vanish()
        clock.run_for(1.0)
    clock.run_for(100.0)

    assert client.said == ["opened"]


def test_who_leaves_is_deaf_and_what_it_said_arrives(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """`leave` delivers what was sent; a peer that then sends to the other side is reset."""
    near = dial(fabric, A, B, client)
    near.send(b"goodbye")
    near.leave()
    clock.run_for(1.0)
    server.ends[0].send(b"are you there")
    clock.run_for(1.0)
    assert server.side.said == [b"goodbye", "ended", "reset"]


def test_a_full_backlog_lets_the_knock_wait(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """A port that answers False is asked again a second later."""
    server.ready = False
    dial(fabric, A, B, client)
    clock.run_until(0.5)
    assert client.said == []
    server.ready = True
    clock.run_until(2.0)

    assert (client.said, client.at) == (["opened"], [1.3])


def test_pieces_are_not_repeated_for_ever(
    fabric: Fabric, clock: VirtualClock, server: Server, client: Side
) -> None:
    """Across a cut that stays the network falls silent within minutes."""
    near = dial(fabric, A, B, client)
    clock.run_for(1.0)
    fabric.cut([A[0]], [B[0]])
    near.send(b"lost")
    clock.run_for(600.0)

    assert clock.pending == 0
