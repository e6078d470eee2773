"""Cuts of every form, and healing without a command, on cores alone in virtual time."""

import pytest

from gossamer.gossip import MemberFailed, Status
from gossamer.simulations import Block, Cut, Hold, Lag, Loss, Mesh, SimulatedPeer


def _mesh(count: int, seed: int) -> Mesh:
    mesh = Mesh(seed)
    mesh.add_peers(count, apart=0.05)
    mesh.run_until(mesh.complete, 10.0)
    mesh.run_until(mesh.converged, 10.0)
    return mesh


def _halves(mesh: Mesh, left: int) -> tuple[list[SimulatedPeer], list[SimulatedPeer]]:
    peers = list(mesh)
    return peers[:left], peers[left:]


def _write(peers: list[SimulatedPeer], key: str) -> None:
    for peer in peers:
        peer.publish(key, peer.name.encode())


def _all_hold(mesh: Mesh, key: str) -> bool:
    return all(
        held == owner.name.encode() for owner in mesh for held in mesh.record(owner, key).values()
    )


def test_nobody_takes_itself_for_stopped_because_of_a_cut() -> None:
    """However many are suspected, and die, no peer that runs believes that it was stopped."""
    mesh = Mesh(3, trace=False)
    peers = mesh.settle(64)
    mesh.cut(peers[:32], peers[32:])
    mesh.run_for(40.0)
    mesh.heal()
    mesh.run_for(10.0)
    assert any(mesh.events(MemberFailed))
    assert [peer.name for peer in mesh if peer.gossip.statistics()["lags"]] == []


@pytest.mark.parametrize(
    ("count", "left", "seconds"),
    [(2, 1, 30), (4, 2, 30), (5, 2, 30), (5, 1, 180), (16, 8, 180), (32, 10, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_halves_come_together(count: int, left: int, seconds: int, seed: int) -> None:
    """Two sides cut apart converge within 5 s of healing, with no command, and lose no write."""
    mesh = _mesh(count, seed)
    _write(list(mesh), "before")
    mesh.run_until(mesh.converged, 2.0)
    one, other = _halves(mesh, left)
    mesh.cut(one, other)
    mesh.run_for(seconds / 2)
    _write(list(mesh), "during")
    mesh.run_for(seconds / 2)
    assert not mesh.converged()
    # A small side suspects that it is itself cut off, and takes longer for its verdicts.
    if count <= 5 or seconds > 60:
        assert mesh.converged(one)
        assert mesh.converged(other)

    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)

    assert _all_hold(mesh, "before")
    assert _all_hold(mesh, "during")
    mesh.run_for(30.0)
    assert mesh.complete()
    assert mesh.converged()


def test_half_an_hour_apart() -> None:
    """Halves that were apart for half an hour come together as fast as any."""
    mesh = _mesh(5, 1)
    mesh.cut(*_halves(mesh, 2))
    mesh.run_for(1800.0)
    _write(list(mesh), "during")
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    assert _all_hold(mesh, "during")


@pytest.mark.parametrize("seed", range(3))
def test_three_islands(seed: int) -> None:
    """Three sides that heal at once converge within 5 s."""
    mesh = _mesh(9, seed)
    peers = list(mesh)
    mesh.cut(peers[:3], peers[3:6], peers[6:])
    mesh.run_for(60.0)
    _write(peers, "during")
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    assert _all_hold(mesh, "during")


@pytest.mark.parametrize("seed", range(3))
def test_a_short_cut_kills_nobody(seed: int) -> None:
    """A cut of two seconds ends in no death, and the mesh converges within 3 s."""
    mesh = _mesh(8, seed)
    mesh.cut(*_halves(mesh, 4))
    mesh.run_for(1.0)
    _write(list(mesh), "during")
    mesh.run_for(1.0)
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)

    assert all(status is Status.ALIVE for peer in mesh for status in mesh.seen(peer).values())
    assert mesh.complete()


@pytest.mark.parametrize("seed", range(3))
def test_a_one_way_cut_of_one_host(seed: int) -> None:
    """A peer that hears but is not heard is the only one accused, and is back soon after."""
    mesh = _mesh(8, seed)
    mute = mesh["p3"]
    others = [peer for peer in mesh if peer is not mute]
    mesh.cut_one_way([mute], others)
    mesh.run_for(40.0)
    assert set(mesh.seen(mute).values()) == {Status.DEAD}
    assert mesh.complete(others)
    assert mesh.converged(others)
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)
    assert mesh.complete()


@pytest.mark.parametrize("seed", range(3))
def test_a_deaf_host(seed: int) -> None:
    """A peer that speaks but hears nothing is declared dead; the others stay well throughout."""
    mesh = _mesh(8, seed)
    deaf = mesh["p3"]
    others = [peer for peer in mesh if peer is not deaf]
    mesh.cut_one_way(others, [deaf])
    mesh.run_for(60.0)
    assert Status.ALIVE not in mesh.seen(deaf).values()
    assert mesh.complete(others)
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)
    assert mesh.complete()


@pytest.mark.parametrize("seed", range(3))
def test_one_link_down_harms_nobody(seed: int) -> None:
    """Two peers that cannot hear each other are vouched for by the rest: nobody dies."""
    mesh = _mesh(8, seed)
    mesh.cut([mesh["p2"]], [mesh["p5"]])
    _write(list(mesh), "during")
    mesh.run_for(60.0)

    assert mesh.complete()
    assert mesh.converged()
    assert mesh.accused() == []


@pytest.mark.parametrize("seed", range(3))
def test_the_only_seed_is_cut_off(seed: int) -> None:
    """A cut between the seed and all others heals as any other."""
    mesh = _mesh(5, seed)
    mesh.cut(*_halves(mesh, 1))
    mesh.run_for(120.0)
    new = mesh.add(seeds=[mesh["p0"].address])
    mesh.run_for(1.0)
    assert mesh["p0"].gossip.members["p5"].status is Status.ALIVE
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    assert new.gossip.joined


@pytest.mark.parametrize("seed", range(3))
def test_one_side_restarts_during_the_cut(seed: int) -> None:
    """Peers restarted behind a cut, elsewhere even, are found in their new lives after healing."""
    mesh = _mesh(6, seed)
    one, other = _halves(mesh, 3)
    _write(list(mesh), "before")
    mesh.run_for(1.0)
    mesh.cut(one, other)
    mesh.run_for(20.0)
    other[1].restart(seeds=[other[0].address])
    other[2].restart(seeds=[other[0].address])
    mesh.run_for(20.0)
    _write(list(mesh), "during")
    mesh.heal()
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    assert _all_hold(mesh, "during")


@pytest.mark.parametrize("seed", range(3))
def test_a_flapping_link(seed: int) -> None:
    """A cut that comes and goes every three seconds for two minutes leaves a mesh that heals."""
    mesh = _mesh(8, seed)
    for number in range(20):
        with mesh.cut(*_halves(mesh, 4)):
            mesh.run_for(3.0)
        mesh["p1"].publish("n", str(number).encode())
        mesh.run_for(3.0)
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    assert set(mesh.record(mesh["p1"], "n").values()) == {b"19"}


@pytest.mark.parametrize("seed", range(3))
def test_a_held_link_delivers_late(seed: int) -> None:
    """Packets that a switch kept for 20 s harm nobody when they come after all."""
    mesh = _mesh(8, seed)
    _write(list(mesh), "before")
    with mesh.fabric.add(Hold([mesh["p3"].address[0]])):
        mesh.run_for(20.0)
        _write(list(mesh), "during")
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)
    assert mesh.complete()
    assert _all_hold(mesh, "during")


@pytest.mark.parametrize("seed", range(3))
def test_loss_of_a_tenth(seed: int) -> None:
    """With every tenth datagram lost nobody dies in a minute, and every write arrives."""
    mesh = _mesh(32, seed)
    mesh.fabric.add(Loss(0.1))
    for number in range(60):
        mesh[f"p{number % 32}"].publish(f"k{number}", b"x")
        mesh.run_for(1.0)

    deaths = [
        status
        for peer in mesh
        for status in mesh.seen(peer).values()
        if status not in {Status.ALIVE, Status.SUSPECT}
    ]
    assert deaths == []
    mesh.run_until(mesh.converged, 5.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_member_harms_nobody_else(seed: int) -> None:
    """A peer two seconds away in both directions does not make healthy ones flap."""
    mesh = _mesh(16, seed)
    slow = mesh["p7"]
    with mesh.fabric.add(Lag(2.0, [slow.address[0]])):
        mesh.run_for(120.0)
        healthy = [peer for peer in mesh if peer is not slow]
        assert mesh.complete(healthy)
        assert set(mesh.accused()) <= {slow.name}
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)
    assert set(mesh.accused()) <= {slow.name}


@pytest.mark.parametrize("seed", range(3))
def test_streams_blocked(seed: int) -> None:
    """Where only datagrams pass, members are kept alive, and small changes still spread."""
    mesh = _mesh(8, seed)
    mesh.fabric.add(Block("stream"))
    _write(list(mesh), "during")
    mesh.run_for(30.0)
    assert mesh.complete()
    assert mesh.accused() == []
    assert _all_hold(mesh, "during")


@pytest.mark.parametrize("seed", range(3))
def test_datagrams_blocked_at_one_host(seed: int) -> None:
    """Where only streams pass nobody is buried: the stream probe vouches for the member."""
    mesh = _mesh(8, seed)
    host = mesh["p3"]
    others = [peer for peer in mesh if peer is not host]
    with mesh.fabric.add(Block("udp", [host.address[0]])):
        mesh.run_for(60.0)
        assert mesh.complete(others)
        assert Status.DEAD not in mesh.seen(host).values()
        assert set(mesh.accused()) <= {host.name}
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)


@pytest.mark.parametrize("seed", range(3))
def test_half_the_mesh_dies(seed: int) -> None:
    """When half of all peers die at once the rest agree on it within a minute."""
    mesh = _mesh(16, seed)
    living, dying = _halves(mesh, 8)
    for peer in dying:
        peer.crash()
    mesh.run_until(
        lambda: all(set(mesh.seen(peer).values()) == {Status.DEAD} for peer in dying), 60.0
    )
    assert mesh.complete(living)
    assert set(mesh.accused()) == {peer.name for peer in dying}


@pytest.mark.parametrize("seed", range(3))
def test_all_restart_at_once(seed: int) -> None:
    """A mass restart in one instant is a mesh of new lives within 5 s, and no old death lingers."""
    mesh = _mesh(16, seed)
    _write(list(mesh), "before")
    mesh.run_for(1.0)
    seeds = [mesh["p0"].address, mesh["p1"].address]
    for peer in mesh:
        peer.crash()
    for peer in mesh:
        peer.restart(seeds=seeds)
    _write(list(mesh), "after")
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(20.0)
    assert mesh.accused() == []
    assert _all_hold(mesh, "after")


def test_a_cut_between_peers_is_a_rule_like_any_other() -> None:
    """Rules of the fabric and cuts of the mesh speak of the same hosts."""
    mesh = _mesh(2, 1)
    with mesh.fabric.add(Cut([mesh["p0"].address[0]], [mesh["p1"].address[0]])):
        mesh.run_for(20.0)
        assert set(mesh.seen(mesh["p0"]).values()) == {Status.DEAD}
    mesh.run_until(mesh.complete, 5.0)
