"""Publishing, withdrawing and repairing records, on cores alone in virtual time."""

import pytest

from gossamer.gossip import PartChanged, PreviousLife, RecordTooLarge
from gossamer.simulations import Loss, Mesh, SimulatedPeer


def _mesh(count: int, seed: int) -> Mesh:
    mesh = Mesh(seed)
    mesh.add_peers(count, apart=0.05)
    mesh.run_until(mesh.complete, 10.0)
    mesh.run_until(mesh.converged, 10.0)
    return mesh


def _held_by_all(mesh: Mesh, owner: SimulatedPeer, key: str, value: bytes | None) -> bool:
    return all(held == value for held in mesh.record(owner, key).values())


@pytest.mark.parametrize("count", [2, 5, 16, 64])
@pytest.mark.parametrize("seed", range(3))
def test_a_record_is_everywhere_within_100_ms(count: int, seed: int) -> None:
    """What one peer publishes all hold within 100 ms; what it withdraws is gone as fast."""
    mesh = _mesh(count, seed)
    owner = mesh[f"p{count // 2}"]
    assert owner.publish("orders/1", b"10.0.0.5:8080") == 1
    mesh.run_until(lambda: _held_by_all(mesh, owner, "orders/1", b"10.0.0.5:8080"), 0.1, 0.001)
    mesh.run_for(1.0)
    assert owner.publish("orders/1", b"10.0.0.5:9090") == 2
    mesh.run_until(lambda: _held_by_all(mesh, owner, "orders/1", b"10.0.0.5:9090"), 0.1, 0.001)
    mesh.run_for(1.0)
    assert owner.withdraw("orders/1")
    mesh.run_until(lambda: _held_by_all(mesh, owner, "orders/1", None), 0.1, 0.001)

    mesh.run_for(1.0)
    assert not owner.withdraw("orders/1")
    assert mesh.converged()
    for peer in mesh:
        told = [event for _, event in peer.history if isinstance(event, PartChanged)]
        assert [event.changes for event in told] == [
            (("orders/1", b"10.0.0.5:8080"),),
            (("orders/1", b"10.0.0.5:9090"),),
            (("orders/1", None),),
        ]


@pytest.mark.parametrize("seed", range(3))
def test_everybody_publishes_at_once(seed: int) -> None:
    """Thirty-two peers that write at the same instant converge within 2 s."""
    mesh = _mesh(32, seed)
    for peer in mesh:
        for number in range(5):
            peer.publish(f"s/{number}", peer.name.encode())
    mesh.run_until(mesh.converged, 2.0)

    for peer in mesh:
        for number in range(5):
            assert _held_by_all(mesh, peer, f"s/{number}", peer.name.encode())


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_of_a_thousand_operations(seed: int) -> None:
    """A thousand writes and deletions in one instant are everywhere, in effect, within 3 s."""
    mesh = _mesh(8, seed)
    owner = mesh["p3"]
    for number in range(1000):
        owner.publish(f"k{number % 250}", str(number).encode())
        if number % 250 >= 200:
            owner.withdraw(f"k{number % 250}")
    mesh.run_until(mesh.converged, 3.0)

    expected = owner.gossip.parts["p3"].records
    assert len(expected) == 200
    for peer in mesh:
        assert dict(peer.gossip.parts["p3"].records) == dict(expected)
    assert mesh.accused() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_over_time(seed: int) -> None:
    """A thousand operations within two seconds are followed closely and lose nothing."""
    mesh = _mesh(8, seed)
    owner = mesh["p3"]
    for number in range(1000):
        owner.publish(f"k{number % 100}", str(number).encode())
        mesh.run_for(0.002)
    mesh.run_until(mesh.converged, 2.0)

    for peer in mesh:
        assert peer.gossip.parts["p3"].version == 1000
        assert dict(peer.gossip.parts["p3"].records) == dict(owner.gossip.parts["p3"].records)


@pytest.mark.parametrize("seed", range(3))
def test_three_hundred_records_of_two_kibibytes(seed: int) -> None:
    """Records too large for a datagram travel over streams: 600 KiB are everywhere within 5 s."""
    mesh = _mesh(5, seed)
    owner = mesh["p1"]
    for number in range(300):
        owner.publish(f"k{number}", bytes([number % 256]) * 2048)
    mesh.run_until(mesh.converged, 5.0)

    for peer in mesh:
        assert len(peer.gossip.parts["p1"].records) == 300
    assert mesh.accused() == []


@pytest.mark.parametrize("count", [5, 32])
@pytest.mark.parametrize("size", [1200, 1400, 8 * 1024 + 1, 64 * 1024])
def test_a_record_larger_than_a_datagram(count: int, size: int) -> None:
    """A single large record is everywhere within a second, and no datagram exceeds its limit."""
    mesh = _mesh(count, size)
    largest = 0
    for peer in mesh:
        inner = peer.receive

        def watch(data: bytes, sender: tuple[str, int], inner=inner) -> None:  # type: ignore[no-untyped-def]
            nonlocal largest
            largest = max(largest, len(data))
            inner(data, sender)

        peer.receive = watch  # type: ignore[method-assign]
    owner = mesh["p2"]
    value = bytes(size)
    owner.publish("big", value)
    mesh.run_until(lambda: _held_by_all(mesh, owner, "big", value), 1.0)
    mesh.run_for(2.0)

    assert mesh.converged()
    assert 0 < largest <= 1400


def test_a_record_beyond_the_limit_changes_nothing() -> None:
    """64 KiB is the most a record may hold; one byte more is refused with nothing changed."""
    mesh = _mesh(2, 1)
    owner = mesh["p0"]
    root = owner.gossip.root
    with pytest.raises(RecordTooLarge):
        owner.publish("big", bytes(64 * 1024 + 1))
    with pytest.raises(RecordTooLarge):
        owner.publish("k" * 601, b"")

    assert owner.gossip.root == root
    assert owner.gossip.parts["p0"].version == 0


@pytest.mark.parametrize("seed", range(3))
def test_absence_in_a_snapshot_is_the_deletion(seed: int) -> None:
    """A peer cut off while its neighbour's log moved past its floor drops what was deleted."""
    mesh = _mesh(5, seed)
    owner, away = mesh["p1"], mesh["p4"]
    for number in range(10):
        owner.publish(f"k{number}", b"old")
    mesh.run_until(mesh.converged, 2.0)
    others = [peer for peer in mesh if peer is not away]
    mesh.cut([away], others)
    for number in range(5):
        owner.withdraw(f"k{number}")
    for number in range(200):
        owner.publish("busy", str(number).encode())
    mesh.run_for(10.0)
    assert away.gossip.parts["p1"].version < owner.gossip.parts["p1"].floor
    assert len(away.gossip.parts["p1"].records) == 10

    mesh.heal()
    mesh.run_until(mesh.converged, 5.0)
    assert sorted(away.gossip.parts["p1"].records) == ["busy", "k5", "k6", "k7", "k8", "k9"]
    told = [
        change
        for _, event in away.history
        if isinstance(event, PartChanged)
        for change in event.changes
        if change[1] is None
    ]
    assert sorted(told) == [(f"k{number}", None) for number in range(5)]


@pytest.mark.parametrize("seed", range(3))
def test_events_tell_the_same_story_as_the_parts(seed: int) -> None:
    """A listener that only hears events ends with the same parts, under loss and churn."""
    mesh = _mesh(8, seed)
    views: dict[str, dict[tuple[str, str], bytes]] = {peer.name: {} for peer in mesh}
    mesh.watchers.append(lambda _time, peer, event: _apply(views[peer.name], event))
    with mesh.fabric.add(Loss(0.2)):
        for number in range(300):
            peer = mesh[f"p{number % 8}"]
            if number % 3:
                peer.publish(f"k{number % 7}", str(number).encode())
            else:
                peer.withdraw(f"k{number % 7}")
            mesh.run_for(0.02)
    mesh.run_until(mesh.converged, 5.0)

    for peer in mesh:
        assert views[peer.name] == {
            (owner, key): value
            for owner, part in peer.gossip.parts.items()
            for key, value in part.records.items()
        }


def _apply(view: dict[tuple[str, str], bytes], event: object) -> None:
    if isinstance(event, PartChanged):
        for key, value in event.changes:
            if value is None:
                # A record that came and went between two deliveries was never seen here.
                view.pop((event.owner, key), None)
            else:
                view[event.owner, key] = value


@pytest.mark.parametrize("seed", range(3))
def test_a_newcomer_gets_everything(seed: int) -> None:
    """A peer that joins a mesh full of records holds all of them within 2 s."""
    mesh = _mesh(16, seed)
    for peer in mesh:
        for number in range(50):
            peer.publish(f"k{number}", bytes(100))
    mesh.run_until(mesh.converged, 5.0)
    new = mesh.add(seeds=[mesh["p3"].address])
    mesh.run_until(lambda: new.gossip.root == mesh["p0"].gossip.root, 2.0)

    assert sum(len(part.records) for part in new.gossip.parts.values()) == 800


@pytest.mark.parametrize("size", [100, 5_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_peer_that_restarts_publishes_before_it_has_joined(size: int, seed: int) -> None:
    """What a restarted service registers at once does not wait for repair, large or small.

    Views differ on whether the peer is there, so that trees miss a few, who hear it in rounds.
    """
    mesh = Mesh(seed)
    peers = mesh.settle(32)
    for peer in peers:
        peer.publish("a", b"before")
    mesh.run_for(2.0)
    peers[9].leave()
    mesh.run_for(1.0)
    value = bytes(size)
    peers[9].start([peer.address for peer in peers[:3]])
    peers[9].publish("a", value)
    mesh.run_until(lambda: _held_by_all(mesh, peers[9], "a", value), 1.0 if size < 1000 else 2.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_new_life_hears_of_the_former_one(seed: int) -> None:
    """A restarted peer is told what its earlier life had published, and the mesh forgets it."""
    mesh = _mesh(5, seed)
    peer = mesh["p2"]
    peer.publish("a", b"1")
    peer.publish("b", bytes(5000))
    mesh.run_until(mesh.converged, 2.0)
    peer.crash()
    mesh.run_for(1.0)
    peer.restart()
    peer.publish("c", b"3")
    mesh.run_until(mesh.complete, 2.0)
    mesh.run_until(mesh.converged, 5.0)

    lives = [event.records for _, event in peer.history if isinstance(event, PreviousLife)]
    assert lives
    assert dict(lives[0]) == {"a": b"1", "b": bytes(5000)}
    assert set(mesh.record(peer, "a").values()) == {None}
    assert set(mesh.record(peer, "c").values()) == {b"3"}


@pytest.mark.parametrize("seed", range(3))
def test_the_records_of_the_dead_stay(seed: int) -> None:
    """Death deletes nothing: all others hold the part for the time of the configuration."""
    mesh = Mesh(seed, part_for=120.0, tombstone_for=600.0)
    mesh.add_peers(4, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    victim = mesh["p2"]
    victim.publish("a", b"1")
    mesh.run_until(mesh.converged, 2.0)
    victim.crash()
    mesh.run_for(100.0)
    assert set(mesh.record(victim, "a").values()) == {b"1"}
    mesh.run_for(60.0)
    assert set(mesh.record(victim, "a").values()) == {None}
    mesh.run_for(60.0)
    assert mesh.converged()


def test_records_of_the_gone_do_not_circulate() -> None:
    """However short the memory of a gone owner, its records go everywhere and do not come back."""
    mesh = Mesh(1, part_for=4.0, tombstone_for=8.0, dead_for=4.0)
    peers = mesh.add_peers(12, apart=1.3)
    mesh.run_for(5.0)
    for owner in peers[8:]:
        owner.publish("k", b"v")
        mesh.run_for(1.0)
        owner.crash()
    mesh.run_for(60.0)
    stay = peers[:8]
    for _ in range(10):
        assert all(set(peer.gossip.parts) == {peer.name} for peer in stay)
        assert mesh.converged(stay)
        mesh.run_for(3.0)
