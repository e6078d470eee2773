"""The simulated process: what its kernel does for it, and what is a mistake to ask of it."""

from typing import Any

import pytest

from gossamer.gossip import ConfigError, Joined, MemberJoined, Status
from gossamer.simulations import (
    Address,
    ConstantLatency,
    Mesh,
    SimulatedPeer,
    State,
    dial,
    host_address,
)
from gossamer.simulations._inbox import BACKLOG, DATAGRAM_OVERHEAD, RECEIVE_BUFFER

STRANGER: Address = ("10.9.9.9", 5000)


@pytest.fixture
def mesh() -> Mesh:
    mesh = Mesh(1, latency=ConstantLatency(0.001))
    mesh.add_peers(3)
    mesh.run_until(mesh.complete, 5.0)
    return mesh


def test_peers_have_names_and_addresses_of_their_own(mesh: Mesh) -> None:
    """Without further words peers are p0, p1, ... at 10.0.0.1, 10.0.0.2, ..."""
    assert [peer.name for peer in mesh] == ["p0", "p1", "p2"]
    assert [peer.address for peer in mesh] == [host_address(number) for number in range(3)]
    assert host_address(255) == ("10.0.1.0", 7940)
    assert len(mesh) == 3
    with pytest.raises(ValueError, match="already"):
        mesh.add("p1")
    with pytest.raises(ConfigError):
        mesh.add("bad", probe_interval=0.0)
    assert len(mesh) == 3


def test_the_kernel_buffers_for_a_stopped_process(mesh: Mesh) -> None:
    """Datagrams wait up to the size of a socket's buffer; later ones are dropped and counted."""
    peer = mesh["p1"]
    before = peer.gossip.statistics()["datagrams_received"]
    peer.pause()
    fits = RECEIVE_BUFFER // (DATAGRAM_OVERHEAD + 256)
    for _ in range(fits + 7):
        mesh.fabric.send_datagram(STRANGER, peer.address, bytes(256))
    mesh.run_for(0.01)
    assert peer.gossip.statistics()["datagrams_received"] == before
    assert peer.buffer_overflows >= 7
    peer.resume()
    received = peer.gossip.statistics()["datagrams_received"] - before
    assert fits - 5 <= received <= fits + 5
    assert peer.waiting == (0, 0)


def test_a_stopped_process_hears_before_it_looks_at_the_clock(mesh: Mesh) -> None:
    """After going on, what waited is handed over before the first tick."""
    peer, other = mesh["p1"], mesh["p0"]
    order: list[str] = []
    core: Any = peer.gossip
    receive, tick = core.receive, core.tick

    def note_receive(*arguments: Any) -> None:
        order.append("receive")
        receive(*arguments)

    def note_tick(now: float) -> None:
        order.append("tick")
        tick(now)

    core.receive, core.tick = note_receive, note_tick
    peer.pause()
    other.publish("a", b"1")
    mesh.run_for(5.0)
    assert order == []
    peer.resume()

    first_tick = order.index("tick")
    assert "receive" in order[:first_tick]
    assert "receive" not in order[first_tick:]


def test_a_stopped_process_accepts_so_many_streams(mesh: Mesh) -> None:
    """The backlog of a stopped process is bounded; the rest are not answered."""

    class Caller:
        opened_count = 0

        def opened(self) -> None:
            Caller.opened_count += 1

        def received(self, data: bytes) -> None: ...

        def ended(self) -> None: ...

        def broken(self, reason: str) -> None: ...

    peer = mesh["p1"]
    peer.pause()
    for number in range(BACKLOG + 20):
        dial(mesh.fabric, (STRANGER[0], 6000 + number), peer.address, Caller())
    mesh.run_for(0.5)
    assert Caller.opened_count == BACKLOG
    peer.resume()
    mesh.run_for(2.0)
    assert Caller.opened_count == BACKLOG + 20
    mesh.run_for(60.0)
    assert mesh.complete()


def test_a_crash_resets_streams_and_frees_the_address(mesh: Mesh) -> None:
    """After a crash nobody listens, nothing is sent, and another process may have the address."""
    peer = mesh["p1"]
    peer.crash()
    sent = [mesh.fabric.ports.get(peer.address)]
    assert sent == [None]
    assert peer.state is State.CRASHED
    replacement = mesh.add("other", address=peer.address, seeds=[mesh["p0"].address])
    mesh.run_until(lambda: mesh["p0"].gossip.members.get("other") is not None, 2.0)
    assert replacement.running
    with pytest.raises(ValueError, match="taken"):
        peer.restart()


@pytest.mark.parametrize(
    "command",
    [
        SimulatedPeer.crash,
        SimulatedPeer.pause,
        SimulatedPeer.resume,
        SimulatedPeer.leave,
        lambda peer: peer.publish("a", b""),
        lambda peer: peer.withdraw("a"),
        lambda peer: peer.join([]),
    ],
)
def test_a_dead_process_takes_no_commands(mesh: Mesh, command: Any) -> None:
    """Commands to a process that is not there are mistakes, and change nothing."""
    mesh["p2"].crash()
    digest = mesh.digest
    with pytest.raises(RuntimeError, match="p2 is crashed"):
        command(mesh["p2"])
    assert mesh.digest == digest


def test_a_process_is_started_once(mesh: Mesh) -> None:
    """Starting what runs is a mistake; a peer that was never started has no core."""
    with pytest.raises(RuntimeError, match="runs already"):
        mesh["p0"].start()
    idle = mesh.add("idle", start=False)
    assert idle.state is State.NEW
    with pytest.raises(RuntimeError, match="never started"):
        _ = idle.gossip
    idle.start([mesh["p0"].address])
    mesh.run_until(mesh.complete, 2.0)


def test_epochs_follow_the_wall_clock_and_never_go_back(mesh: Mesh) -> None:
    """A new life has the host's Unix milliseconds for its epoch, or one more than its last."""
    peer = mesh.add("late", skew=100.0, start=False)
    mesh.run_for(2.0)
    peer.start([mesh["p0"].address])
    assert peer.gossip.epoch == int((mesh.wall + 100.0) * 1000)
    peer.skew = -100.0
    first = peer.gossip.epoch
    peer.restart()
    assert peer.gossip.epoch == first + 1
    peer.restart(keep_epoch=True)
    assert peer.gossip.epoch == first + 1


def test_run_until_has_a_limit(mesh: Mesh) -> None:
    """A condition that does not come raises at the limit, and names the seed."""
    began = mesh.now
    with pytest.raises(TimeoutError, match="seed 1"):
        mesh.run_until(lambda: False, 1.0)
    assert mesh.now == pytest.approx(began + 1.0)
    assert mesh.run_until(lambda: True, 0.0) == 0.0
    assert mesh.run_until(lambda: mesh.now >= began + 1.5, 1.0, 0.25) == pytest.approx(0.5)


def test_watchers_and_histories_hear_the_same(mesh: Mesh) -> None:
    """Each event is told once to the watchers and kept once by its peer, with its time."""
    heard: list[tuple[float, str, object]] = []
    mesh.watchers.append(lambda time, peer, event: heard.append((time, peer.name, event)))
    began = mesh.now
    mesh.add(seeds=[mesh["p1"].address])
    mesh.run_for(5.0)

    kept = [(time, peer.name, event) for time, peer, event in mesh.events() if time >= began]
    assert len(heard) == len(kept)
    assert all(entry in kept for entry in heard)
    assert {type(event) for _, _, event in heard} == {MemberJoined, Joined}
    assert all(isinstance(event, Joined) for _, _, event in mesh.events(Joined))


def test_a_core_that_wants_ticks_without_end_is_caught(mesh: Mesh) -> None:
    """A deadline that stands still is a fault of the core and raises instead of hanging."""
    core = mesh["p1"].gossip
    core.inside.context.timers.at(mesh.now, lambda now: None)

    def again(now: float) -> None:
        core.inside.context.timers.at(now, lambda later: None)
        core.inside.context.timers.run = lambda now: None  # type: ignore[method-assign]

    core.inside.context.timers.at(mesh.now + 0.001, again)
    with pytest.raises(RuntimeError, match="ticks without end"):
        mesh.run_for(1.0)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_settled_mesh_knows_itself_from_the_start(count: int) -> None:
    """Peers that are settled list one another, agree, and send nothing but probes."""
    mesh = Mesh(3)
    peers = mesh.settle(count, zone_of=lambda number: f"z{number % 2}")
    assert mesh.complete()
    assert mesh.converged()
    assert [peer.gossip.joined for peer in peers] == [True] * count
    assert all(
        member.zone == f"z{int(name[1:]) % 2}" for name, member in peers[0].gossip.members.items()
    )
    mesh.run_for(0.9)
    assert all(peer.gossip.statistics()["exchanges_join"] == 0 for peer in peers)
    assert mesh.fabric.sent <= 2 * count
    assert not mesh.events()


def test_a_settled_mesh_does_what_one_that_joined_does() -> None:
    """It takes in newcomers, spreads records and finds the dead."""
    mesh = Mesh(4)
    peers = mesh.settle(8)
    late = mesh.add(seeds=[peers[0].address])
    mesh.run_until(mesh.complete, 3.0)
    late.publish("k", b"v")
    mesh.run_until(lambda: set(mesh.record(late, "k").values()) == {b"v"}, 1.0)
    peers[5].crash()
    mesh.run_until(lambda: set(mesh.seen(peers[5]).values()) == {Status.DEAD}, 30.0)


def test_only_an_empty_mesh_can_be_settled() -> None:
    """Peers that joined before are not made to know what they do not know."""
    mesh = Mesh(5)
    mesh.add()
    with pytest.raises(RuntimeError, match="add_peers"):
        mesh.settle(3)
    assert len(mesh) == 1
