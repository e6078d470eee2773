"""Hosts that are slow, or whose clock is wrong."""

from math import inf, nan
from typing import Any

import pytest

from gossamer.gossip import Status
from gossamer.simulations import Address, ConstantLatency, Mesh, SimulatedPeer, State, dial
from gossamer.simulations._inbox import BACKLOG, DATAGRAM_OVERHEAD, RECEIVE_BUFFER

STRANGER: Address = ("10.9.9.9", 5000)


@pytest.fixture
def mesh() -> Mesh:
    mesh = Mesh(1, latency=ConstantLatency(0.001))
    mesh.settle(3)
    return mesh


@pytest.fixture
def lonely() -> Mesh:
    """One peer that nobody else speaks to."""
    mesh = Mesh(1, latency=ConstantLatency(0.001))
    mesh.add()
    mesh.run_for(0.5)
    return mesh


class Watch:
    """Notes when a peer's core is told of datagrams and of the time."""

    def __init__(self, mesh: Mesh, peer: SimulatedPeer) -> None:
        self.heard: list[float] = []
        self.ticks: list[float] = []
        self.order: list[str] = []
        core: Any = peer.gossip
        receive, tick = core.receive, core.tick

        def note_receive(*arguments: Any) -> None:
            self.heard.append(mesh.now)
            self.order.append("receive")
            receive(*arguments)

        def note_tick(now: float) -> None:
            self.ticks.append(now)
            self.order.append("tick")
            tick(now)

        core.receive, core.tick = note_receive, note_tick


def flood(mesh: Mesh, peer: SimulatedPeer, count: int, size: int = 10) -> None:
    """Send `count` datagrams that mean nothing, and let them arrive."""
    for _ in range(count):
        mesh.fabric.send_datagram(STRANGER, peer.address, bytes(size))
    mesh.run_for(0.001)


def test_a_slow_process_takes_packets_in_one_by_one(lonely: Mesh) -> None:
    """Packets that came together are heard at the pace of the process, in their order."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(0.25)
    flood(lonely, peer, 4)
    began = lonely.now
    lonely.run_for(2.0)

    assert watch.heard == pytest.approx([began + 0.25 * turn for turn in (1, 2, 3, 4)])
    assert peer.waiting == (0, 0)


def test_a_slow_process_that_waits_is_not_late(lonely: Mesh) -> None:
    """A packet that finds the process idle takes one turn, however long it was slow before."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(0.1)
    lonely.run_for(10.0)
    flood(lonely, peer, 1)
    began = lonely.now
    lonely.run_for(1.0)

    assert watch.heard == [pytest.approx(began + 0.1)]


def test_timers_of_a_slow_process_are_late(lonely: Mesh) -> None:
    """Ticks come on time while nothing waits, and else behind the packets that wait."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(3.0)
    lonely.run_for(3.0)
    on_time = len(watch.ticks)
    assert on_time > 0

    watch.order.clear()
    flood(lonely, peer, 2)
    began = lonely.now
    lonely.run_for(7.0)
    # The timer fell due during the first packet, so it stands behind both.
    assert watch.order[:3] == ["receive", "receive", "tick"]
    assert watch.ticks[on_time] == pytest.approx(began + 6.0)


def test_the_buffer_of_a_slow_process_is_bounded(lonely: Mesh) -> None:
    """What finds the buffer full is dropped and counted; room comes back with each turn."""
    peer = lonely["p0"]
    fits = RECEIVE_BUFFER // (DATAGRAM_OVERHEAD + 256)
    peer.slow_down(1.0)
    flood(lonely, peer, fits + 5, 256)
    assert peer.buffer_overflows == 5

    lonely.run_for(1.5)
    flood(lonely, peer, 2, 256)
    assert peer.buffer_overflows == 6
    assert peer.waiting[1] <= RECEIVE_BUFFER


def test_the_backlog_of_a_slow_process_is_bounded(lonely: Mesh) -> None:
    """So many streams are accepted for it; later ones wait at the other side."""
    peer = lonely["p0"]
    peer.slow_down(100.0)
    ends = [
        dial(lonely.fabric, (STRANGER[0], 6000 + number), peer.address, _Deaf())
        for number in range(BACKLOG + 1)
    ]
    lonely.run_for(0.5)

    opened = [isinstance(end.handler, _Deaf) and end.handler.opens == 1 for end in ends]
    assert opened.count(True) == BACKLOG
    peer.speed_up()
    lonely.run_for(1.0)
    assert isinstance(ends[-1].handler, _Deaf)
    assert ends[-1].handler.opens == 1


class _Deaf:
    def __init__(self) -> None:
        self.opens = 0

    def opened(self) -> None:
        self.opens += 1

    def received(self, data: bytes) -> None:
        pass

    def ended(self) -> None:
        pass

    def broken(self, reason: str) -> None:
        pass


def test_speeding_up_takes_in_what_waits_at_once(lonely: Mesh) -> None:
    """All that waits is heard at that moment; later packets as they come, and no turn is left."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(0.5)
    flood(lonely, peer, 20)
    lonely.run_for(0.6)
    peer.speed_up()
    assert watch.heard[1:] == [lonely.now] * 19
    flood(lonely, peer, 1)
    assert watch.heard[-1] == lonely.now
    lonely.run_for(5.0)

    assert len(watch.heard) == 21
    peer.speed_up()


def test_a_slow_process_may_be_stopped_and_go_on(lonely: Mesh) -> None:
    """Nothing is heard while it is stopped; then the turns begin again, and the tick is last."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(0.25)
    flood(lonely, peer, 3)
    lonely.run_for(0.3)
    peer.pause()
    lonely.run_for(5.0)
    assert len(watch.heard) == 1

    watch.order.clear()
    peer.resume()
    began = lonely.now
    lonely.run_for(0.5)
    assert watch.heard[1:] == pytest.approx([began + 0.25, began + 0.5])
    assert watch.order == ["receive", "receive", "tick"]


def test_a_process_may_be_sped_up_while_it_is_stopped(lonely: Mesh) -> None:
    """It hears everything when it goes on, not before."""
    peer = lonely["p0"]
    watch = Watch(lonely, peer)
    peer.slow_down(0.25)
    flood(lonely, peer, 3)
    peer.pause()
    peer.speed_up()
    lonely.run_for(1.0)
    assert watch.heard == []

    peer.resume()
    assert watch.heard == [lonely.now] * 3


def test_slowness_belongs_to_the_host(lonely: Mesh) -> None:
    """What waited dies with its process; the one after it is as slow, and starts with nothing."""
    peer = lonely["p0"]
    peer.slow_down(1.0)
    flood(lonely, peer, 5)
    peer.crash()
    assert peer.waiting[0] == 0
    lonely.run_for(3.0)
    peer.restart()
    watch = Watch(lonely, peer)
    flood(lonely, peer, 1)
    began = lonely.now
    lonely.run_for(3.0)

    assert watch.heard == [pytest.approx(began + 1.0)]


def test_a_host_may_be_slow_before_it_starts() -> None:
    """Slowness needs no process."""
    mesh = Mesh(1, latency=ConstantLatency(0.001))
    peer = mesh.add(start=False)
    peer.slow_down(1.0)
    peer.speed_up()
    peer.slow_down(0.1)
    peer.start()
    mesh.run_for(1.0)

    assert peer.state is State.RUNNING


def test_a_slow_member_answers_late_and_is_refuted(mesh: Mesh) -> None:
    """A peer slower than a probe's time-out is suspected or kept, but all are alive in the end."""
    slow = mesh["p1"]
    slow.slow_down(0.3)
    slow.publish("key", b"late")
    mesh.run_for(20.0)
    slow.speed_up()
    mesh.run_until(mesh.complete, 30.0)
    mesh.run_until(mesh.converged, 30.0)

    assert mesh.seen(slow) == {"p0": Status.ALIVE, "p2": Status.ALIVE}
    assert mesh.record(slow, "key") == dict.fromkeys(["p0", "p1", "p2"], b"late")


def test_a_slow_run_repeats_itself() -> None:
    """The same seed and the same slowness give the same run."""

    def digest() -> str:
        mesh = Mesh(4)
        mesh.settle(8)
        mesh["p1"].slow_down(0.05)
        mesh.run_for(5.0)
        mesh["p1"].speed_up()
        mesh.run_for(5.0)
        return mesh.digest

    assert digest() == digest()


@pytest.mark.parametrize("seconds", [0.0, -1.0, inf, nan])
def test_impossible_slowness_is_refused(lonely: Mesh, seconds: float) -> None:
    """Nothing changes, and the message names the parameter and the way back."""
    peer = lonely["p0"]
    with pytest.raises(ValueError, match=r"seconds.*speed_up"):
        peer.slow_down(seconds)
    watch = Watch(lonely, peer)
    flood(lonely, peer, 1)
    assert watch.heard == [lonely.now]


def test_the_clock_on_the_wall_can_be_set_while_a_peer_runs(mesh: Mesh) -> None:
    """It shows the new time at once, on this host alone."""
    peer, other = mesh["p1"], mesh["p0"]
    right = other.wall()
    peer.skew = 3600.0
    assert (peer.wall(), other.wall()) == (right + 3600.0, right)
    peer.skew -= 7200.0
    assert (peer.wall(), peer.skew) == (right - 3600.0, -3600.0)


def test_the_protocol_does_not_look_at_the_wall() -> None:
    """Setting clocks while peers run changes nothing that they say or find."""

    def digest(skew: float) -> str:
        mesh = Mesh(2)
        mesh.settle(6)
        mesh.run_for(2.0)
        mesh["p1"].skew = skew
        mesh["p2"].publish("key", b"value")
        mesh.cut([mesh["p3"]], [mesh["p4"]])
        mesh.run_for(10.0)
        return mesh.digest

    assert digest(0.0) == digest(86_400.0) == digest(-86_400.0)


def test_epochs_come_from_the_wall_and_never_go_back(mesh: Mesh) -> None:
    """A restart takes the host's time for its epoch, unless that is behind the last one."""
    peer = mesh["p1"]
    peer.skew = 1000.0
    peer.restart()
    ahead = peer.gossip.epoch
    assert ahead == int(peer.wall() * 1000)
    peer.skew = -1000.0
    peer.restart()

    assert peer.gossip.epoch == ahead + 1


@pytest.mark.parametrize("skew", [inf, -inf, nan])
def test_an_impossible_skew_is_refused(mesh: Mesh, skew: float) -> None:
    """The clock stays as it was."""
    with pytest.raises(ValueError, match="skew"):
        mesh["p1"].skew = skew
    with pytest.raises(ValueError, match="skew"):
        mesh.add(skew=skew)
    assert mesh["p1"].skew == 0.0
