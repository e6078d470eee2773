"""Joining, crashing, leaving, pausing and restarting, on cores alone in virtual time."""

import pytest

from gossamer.gossip import (
    Joined,
    LeaveCompleted,
    MemberFailed,
    MemberLeft,
    MemberSuspected,
    Refuted,
    SeedIsSelf,
    Status,
)
from gossamer.simulations import Mesh, State, host_address

SEEDS = range(20)


def _mesh(count: int, seed: int, **settings: object) -> Mesh:
    mesh = Mesh(seed, **settings)  # type: ignore[arg-type]
    mesh.add_peers(count, apart=0.05)
    mesh.run_until(mesh.complete, 10.0)
    mesh.run_until(mesh.converged, 10.0)
    return mesh


@pytest.mark.parametrize("seed", range(5))
def test_five_peers_find_one_another(seed: int) -> None:
    """Five peers that join through one seed all list five members within 2 s."""
    mesh = Mesh(seed)
    mesh.add_peers(5)
    mesh.run_until(lambda: mesh.complete() and all(peer.gossip.joined for peer in mesh), 2.0)

    assert all(len(peer.gossip.members) == 4 for peer in mesh)
    assert mesh.accused() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_join_storm(seed: int) -> None:
    """Sixty-four peers that start at once all see all within 5 s, and nobody is accused."""
    mesh = Mesh(seed)
    mesh.add_peers(64)
    mesh.run_until(mesh.complete, 5.0, step=0.1)
    mesh.run_until(mesh.converged, 5.0, step=0.1)

    assert mesh.accused() == []


@pytest.mark.parametrize("count", [5, 16])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_is_known_and_nobody_else_accused(count: int, seed: int) -> None:
    """A killed peer is dead for all within 10 s (16: 12 s), and no other was ever suspected."""
    mesh = _mesh(count, seed)
    mesh.run_for(2.0)
    victim = mesh[f"p{count - 2}"]
    limit = 10.0 if count == 5 else 12.0
    victim.crash()

    mesh.run_until(lambda: set(mesh.seen(victim).values()) == {Status.DEAD}, limit)
    mesh.run_for(10.0)

    assert mesh.accused() == [victim.name]
    assert set(mesh.seen(victim).values()) == {Status.DEAD}
    mesh.run_until(mesh.converged, 2.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_among_64(seed: int) -> None:
    """Among 64 a killed peer is dead for all within 15 s, and no other was ever suspected."""
    mesh = _mesh(64, seed)
    victim = mesh["p40"]
    victim.crash()

    mesh.run_until(lambda: set(mesh.seen(victim).values()) == {Status.DEAD}, 15.0, step=0.1)
    mesh.run_for(5.0)

    assert mesh.accused() == [victim.name]


@pytest.mark.parametrize("seed", range(3))
def test_a_host_that_loses_power(seed: int) -> None:
    """Where even the kernel is silent the verdict comes as soon; with power back the peer joins."""
    mesh = _mesh(5, seed)
    victim = mesh["p3"]
    victim.crash(host=True)
    mesh.run_until(lambda: set(mesh.seen(victim).values()) == {Status.DEAD}, 10.0)
    victim.restart()
    mesh.run_until(mesh.complete, 2.0)

    assert mesh.accused() == [victim.name]


@pytest.mark.parametrize("seed", range(3))
def test_three_of_sixteen_crash_at_once(seed: int) -> None:
    """Several deaths at one instant are all known within 20 s, and the living are not accused."""
    mesh = _mesh(16, seed)
    victims = [mesh["p3"], mesh["p7"], mesh["p11"]]
    for victim in victims:
        victim.crash()

    mesh.run_until(
        lambda: all(set(mesh.seen(victim).values()) == {Status.DEAD} for victim in victims), 20.0
    )
    mesh.run_for(10.0)
    assert mesh.accused() == sorted(victim.name for victim in victims)


@pytest.mark.parametrize("count", [2, 5, 32])
@pytest.mark.parametrize("seed", range(3))
def test_a_leave_is_known_within_300_ms(count: int, seed: int) -> None:
    """A peer that leaves is `left` for all within 300 ms, ends by itself, and nobody accuses it."""
    mesh = _mesh(count, seed)
    leaver = mesh[f"p{count // 2}"]
    leaver.leave()
    mesh.run_until(lambda: set(mesh.seen(leaver).values()) == {Status.LEFT}, 0.3)
    mesh.run_until(lambda: leaver.state is State.LEFT, 2.0)
    mesh.run_for(20.0)

    (completed,) = [event for _, event in leaver.history if isinstance(event, LeaveCompleted)]
    assert completed.acknowledged > 0
    assert mesh.accused() == []
    assert set(mesh.seen(leaver).values()) == {Status.LEFT}
    for peer in mesh:
        if peer is not leaver:
            told = [event for _, event in peer.history if isinstance(event, MemberLeft)]
            assert [event.member.name for event in told] == [leaver.name]


def test_leaving_alone_ends() -> None:
    """A peer with nobody to tell leaves within its time-out."""
    mesh = Mesh(1)
    peer = mesh.add()
    peer.leave()
    mesh.run_until(lambda: peer.state is State.LEFT, 1.5)


def test_leaving_across_a_cut_ends() -> None:
    """A peer whose farewell nobody acknowledges gives up within its time-out."""
    mesh = _mesh(3, 1)
    mesh.cut([mesh["p0"]], [mesh["p1"], mesh["p2"]])
    mesh["p0"].leave()
    mesh.run_until(lambda: mesh["p0"].state is State.LEFT, 1.5)

    (completed,) = [event for _, event in mesh["p0"].history if isinstance(event, LeaveCompleted)]
    assert completed.acknowledged == 0


@pytest.mark.parametrize("count", [2, 5, 16])
@pytest.mark.parametrize("seed", range(3))
def test_a_stopped_peer_comes_back(count: int, seed: int) -> None:
    """A peer stopped for 20 s is declared dead, refutes when it goes on, and accuses nobody."""
    mesh = _mesh(count, seed)
    sleeper = mesh["p1"]
    sleeper.publish("orders", b"here")
    mesh.run_for(1.0)
    epoch = sleeper.gossip.epoch
    sleeper.pause()
    mesh.run_for(20.0)
    assert set(mesh.seen(sleeper).values()) == {Status.DEAD}

    sleeper.resume()
    mesh.run_until(mesh.complete, 3.0)
    mesh.run_until(mesh.converged, 3.0)
    mesh.run_for(20.0)

    assert mesh.accused() == [sleeper.name]
    assert [event for _, event in sleeper.history if isinstance(event, Refuted)] != []
    assert sleeper.gossip.epoch == epoch
    assert sleeper.gossip.incarnation > 0
    assert set(mesh.record(sleeper, "orders").values()) == {b"here"}


@pytest.mark.parametrize("seed", range(3))
def test_a_short_stop_goes_unpunished(seed: int) -> None:
    """A peer stopped for 2 s may be suspected but is never declared dead, and accuses nobody."""
    mesh = _mesh(8, seed)
    mesh["p2"].pause()
    mesh.run_for(2.0)
    mesh["p2"].resume()
    mesh.run_for(20.0)

    assert mesh.events(MemberFailed) == []
    assert set(mesh.accused()) <= {"p2"}
    assert mesh.complete()


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_is_accepted_at_once(seed: int) -> None:
    """A peer killed and started again at the same address is alive in its new life within 1 s."""
    mesh = _mesh(5, seed)
    peer = mesh["p2"]
    peer.publish("orders", b"old")
    mesh.run_for(1.0)
    before = peer.gossip.epoch
    peer.restart()
    assert peer.gossip.epoch > before
    mesh.run_until(mesh.complete, 1.0)
    mesh.run_until(mesh.converged, 5.0)
    mesh.run_for(15.0)

    assert mesh.accused() == []
    assert set(mesh.record(peer, "orders").values()) == {None}


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_elsewhere_is_accepted_at_once(seed: int) -> None:
    """A peer killed and started again at another address is found there within 1 s."""
    mesh = _mesh(5, seed)
    peer = mesh["p2"]
    peer.restart(address=host_address(50))
    mesh.run_until(mesh.complete, 1.0)
    mesh.run_for(15.0)

    assert mesh.accused() == []
    assert mesh.complete()
    mesh.run_until(mesh.converged, 5.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_after_death(seed: int) -> None:
    """A peer that was declared dead for a minute is alive again within 2 s of its start."""
    mesh = _mesh(5, seed)
    peer = mesh["p2"]
    peer.crash()
    mesh.run_for(60.0)
    peer.restart()
    mesh.run_until(mesh.complete, 2.0)
    mesh.run_until(mesh.converged, 5.0)
    mesh.run_for(15.0)

    assert mesh.accused() == ["p2"]
    assert mesh.complete()


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_with_a_clock_that_went_back(seed: int) -> None:
    """A peer that starts again with the same epoch raises it, and is accepted within 3 s."""
    mesh = _mesh(5, seed)
    peer = mesh["p2"]
    peer.publish("orders", b"old")
    mesh.run_for(1.0)
    before = peer.gossip.epoch
    peer.restart(keep_epoch=True)
    peer.publish("orders", b"new")
    mesh.run_until(lambda: peer.gossip.epoch > before, 3.0)
    mesh.run_until(mesh.complete, 3.0)
    mesh.run_until(mesh.converged, 5.0)

    assert set(mesh.record(peer, "orders").values()) == {b"new"}


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_skew_does_not_matter(seed: int) -> None:
    """Peers whose wall clocks are an hour apart find and keep one another."""
    mesh = Mesh(seed)
    first = mesh.add()
    for skew in (-3600.0, 3600.0, 12.0):
        mesh.add(seeds=[first.address], skew=skew)
    mesh.run_until(mesh.complete, 2.0)
    mesh["p2"].restart()
    mesh.run_until(mesh.complete, 2.0)
    mesh.run_until(mesh.converged, 5.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_that_is_down_at_start(seed: int) -> None:
    """Peers that start half a minute before their seed join within 11 s of its start."""
    mesh = Mesh(seed)
    seed_address = host_address(20)
    peers = [mesh.add(seeds=[seed_address]) for _ in range(3)]
    mesh.run_for(30.0)
    assert not any(peer.gossip.joined for peer in peers)

    mesh.add("seed", address=seed_address)
    mesh.run_until(mesh.complete, 11.0)
    assert all(peer.gossip.joined for peer in peers)
    assert mesh.accused() == []


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_down_does_not_delay_a_join(seed: int) -> None:
    """With two of three seeds gone, one of them without an answer, joining takes less than 2 s."""
    mesh = _mesh(3, seed)
    mesh.add("dark", address=host_address(30)).crash(host=True)
    seeds = [host_address(30), host_address(31), mesh["p0"].address]
    mesh.add("new", seeds=seeds)
    mesh.run_until(mesh.complete, 2.0)


def test_a_seed_list_with_only_oneself() -> None:
    """A peer whose only seed is itself has not joined, and says so, until another seed appears."""
    mesh = Mesh(3)
    peer = mesh.add(seeds=[host_address(0)])
    mesh.run_for(10.0)

    assert (peer.gossip.joined, peer.gossip.seed_is_self) == (False, True)
    told = [event for _, event in peer.history if isinstance(event, SeedIsSelf)]
    assert [event.address for event in told] == [peer.address]

    other = mesh.add()
    peer.join([peer.address, other.address])
    mesh.run_until(mesh.complete, 3.0)
    assert (peer.gossip.joined, peer.gossip.seed_is_self) == (True, False)
    assert len([event for _, event in peer.history if isinstance(event, Joined)]) == 1


def test_a_peer_without_seeds_is_a_mesh_of_one() -> None:
    """A first peer has nobody to join, is not isolated, and sends nothing."""
    mesh = Mesh(3)
    peer = mesh.add()
    mesh.run_for(60.0)

    assert peer.gossip.joined
    assert not peer.gossip.isolated
    assert mesh.fabric.sent == 0


@pytest.mark.parametrize("seed", range(3))
def test_peers_at_rest_say_little(seed: int) -> None:
    """An idle mesh costs about two datagrams per peer and second, whatever its size."""
    for count in (5, 32):
        mesh = _mesh(count, seed)
        mesh.run_for(10.0)
        before, size = mesh.fabric.sent, mesh.fabric.bytes_sent
        mesh.run_for(60.0)

        rate = (mesh.fabric.sent - before) / count / 60
        assert 1.5 < rate < 2.6
        assert (mesh.fabric.bytes_sent - size) / count / 60 < 400
        assert mesh.accused() == []


def test_suspicion_names_the_accuser() -> None:
    """Events of a crash tell who accused, and in order: suspected, then failed."""
    mesh = _mesh(5, 1)
    mesh["p2"].crash(host=True)
    mesh.run_for(12.0)

    for peer in mesh:
        if peer.running:
            told = [
                event
                for _, event in peer.history
                if isinstance(event, MemberSuspected | MemberFailed)
            ]
            assert [type(event) for event in told] == [MemberSuspected, MemberFailed]
            assert {event.by for event in told} <= {"p0", "p1", "p3", "p4"}
