"""Restarts of one, of all, and one after another: a member that lives never looks dead for them."""

import pytest
from registries import Registries

from gossamer.gossip import MemberFailed, Status
from gossamer.peers import Registration
from gossamer.simulations import Mesh, SimulatedPeer

HOUR = 3600.0


def _settled(count: int, seed: int) -> tuple[Mesh, list[SimulatedPeer]]:
    mesh = Mesh(seed, trace=False)
    peers = mesh.settle(count)
    mesh.run_for(2.0)
    return mesh, peers


def _deaths_of_the_living(mesh: Mesh, since: float) -> list[str]:
    """Return members that were declared dead in a life that was not over."""
    return [
        event.member.name
        for peer in mesh
        for when, event in peer.history
        if isinstance(event, MemberFailed)
        and when >= since
        and mesh[event.member.name].running
        # The row may have changed since: what counts is the life that it stands for now.
        and event.member.epoch == mesh[event.member.name].gossip.epoch
        and event.member.status is Status.DEAD
    ]


def _back(peer: SimulatedPeer, how: str, seeds: list[SimulatedPeer]) -> None:
    match how:
        case "a new epoch":
            peer.start([seed.address for seed in seeds])
        case "the epoch kept":
            peer.start([seed.address for seed in seeds], epoch=peer.gossip.epoch)
        case "a clock an hour behind":
            peer.skew = -HOUR
            # Without a disk: nothing tells it which epoch it had.
            epoch = int(peer.wall() * 1000)
            peer.start([seed.address for seed in seeds], epoch=epoch)


WAYS = ("a new epoch", "the epoch kept", "a clock an hour behind")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("away", [0.0, 0.5, 30.0])
def test_one(how: str, away: float) -> None:
    """Whatever it remembers and however long it was away, it is alive to all within 5 s."""
    mesh, peers = _settled(16, 3)
    peers[4].crash()
    mesh.run_for(away)
    back = mesh.now
    _back(peers[4], how, peers[:2])
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 5.0)
    mesh.run_for(30.0)
    assert mesh.complete()
    assert not _deaths_of_the_living(mesh, back + 5.0)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("apart", [0.0, 0.05])
def test_all_at_once(how: str, apart: float) -> None:
    """When power returns to all, together or within a second, nobody is declared dead."""
    mesh, peers = _settled(16, 4)
    for peer in peers:
        peer.crash()
    mesh.run_for(3.0)
    back = mesh.now
    for peer in peers:
        _back(peer, how, [seed for seed in peers[:3] if seed is not peer])
        mesh.run_for(apart)
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 10.0)
    mesh.run_for(30.0)
    assert mesh.complete()
    assert not _deaths_of_the_living(mesh, back)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("graceful", [True, False])
def test_one_after_another(how: str, graceful: bool) -> None:
    """A rolling restart of twelve, a second apart each, ends with all alive and none accused."""
    mesh, peers = _settled(12, 5)
    began = mesh.now
    for number, peer in enumerate(peers):
        if graceful:
            peer.leave()
            mesh.run_until(lambda gone=peer: not gone.running, 3.0)  # type: ignore[misc]
        else:
            peer.crash()
        mesh.run_for(0.5)
        _back(peer, how, [peers[number - 1], peers[number - 2]])
        mesh.run_for(1.0)
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 10.0)
    mesh.run_for(30.0)
    assert mesh.complete()
    assert not _deaths_of_the_living(mesh, began)


def test_with_the_disk_of_another_peer() -> None:
    """A copied disk brings another's name and epoch: the one that lives stays, and both say so."""
    mesh, peers = _settled(8, 6)
    original, copy = peers[2], peers[5]
    copy.crash()
    mesh.run_for(1.0)
    twin = mesh.add("twin", seeds=[peers[0].address], start=False, address=copy.address)
    twin.config = original.config
    twin.start([peers[0].address], epoch=original.gossip.epoch)
    mesh.run_for(30.0)
    for peer in peers:
        if peer.running and peer is not original:
            row = peer.gossip.members["p2"]
            assert row.status is Status.ALIVE
            assert row.address == original.address
    assert original.gossip.conflict is not None or twin.gossip.conflict is not None


def test_a_kept_epoch_that_was_refuted_in_is_not_refused_for_ever() -> None:
    """A peer that missed the restart holds the earlier process, and learns of the new one."""
    mesh, peers = _settled(3, 1)
    stopped, restarted, other = peers
    stopped.pause()
    mesh.run_for(60.0)
    cut = mesh.cut([restarted], [other])
    restarted.restart(keep_epoch=True, seeds=[])
    restarted.gossip.inside.context.me.incarnation = 1
    stopped.resume()
    cut.remove()
    restarted.join([other.address])

    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 20.0)
    mesh.run_for(10.0)
    assert mesh.complete()
    assert mesh.converged()


def test_two_lives_of_one_epoch_are_never_taken_for_one() -> None:
    """Other records under one epoch and version are found: a root tells the lives apart."""
    mesh, (holder, restarted) = _settled(2, 1)
    restarted.publish("orders", b"old")
    mesh.run_for(2.0)
    holder.pause()
    restarted.restart(keep_epoch=True, seeds=[])
    restarted.publish("orders", b"new")
    # As if it had heard of the holder from somebody who never knew its earlier life.
    update = holder.gossip.inside.context.me.update().encode()
    restarted.gossip.inside.context.table.fill([update], mesh.now)
    holder.resume()

    mesh.run_until(lambda: set(mesh.record(restarted, "orders").values()) == {b"new"}, 10.0)
    mesh.run_until(lambda: mesh.complete() and mesh.converged(), 10.0)


def test_what_a_forgotten_life_left_is_not_taken_for_a_later_one() -> None:
    """Also by a peer that never knew the earlier life, and holds its part from others."""
    mesh, (leaving, newcomer, other) = _settled(3, 1)
    leaving.publish("orders", b"old")
    mesh.run_for(1.0)
    epoch = leaving.gossip.epoch
    leaving.leave()
    mesh.run_for(90.0)
    newcomer.restart()
    mesh.run_for(30.0)
    other.crash()
    assert newcomer.gossip.parts["p0"].records == {"orders": b"old"}
    assert "p0" not in newcomer.gossip.members
    leaving.start([newcomer.address], epoch=epoch)
    leaving.publish("payments", b"new")

    mesh.run_until(lambda: "payments" in newcomer.gossip.parts["p0"].records, 10.0)
    mesh.run_until(mesh.converged, 10.0)
    assert newcomer.gossip.parts["p0"].records == {"payments": b"new"}
    assert leaving.gossip.epoch > epoch


@pytest.mark.parametrize("busy", [False, True], ids=["silent at first", "publishing at once"])
def test_leased_instances_outlive_a_restart(busy: bool) -> None:
    """A peer takes up what its earlier life left, also if it has already published something."""
    mesh = Mesh(1)
    registries = Registries(mesh)
    peers = mesh.settle(4)
    attend = mesh.attendant
    assert attend is not None

    def attend_and_publish(peer: SimulatedPeer) -> None:
        attend(peer)
        if busy:
            peer.gossip.publish("k", b"", mesh.now)

    mesh.attendant = attend_and_publish
    mesh.run_for(2.0)
    registries.act(
        peers[0],
        lambda registry, now: registry.register(
            Registration(service="orders", id="leased", port=80, ttl=60.0), now
        ),
    )
    mesh.run_for(2.0)
    peers[0].crash()
    mesh.run_for(1.0)
    peers[0].start([peers[1].address])
    mesh.run_until(mesh.converged, 5.0)
    mesh.run_for(2.0)

    for peer in peers:
        (found,) = registries[peer].lookup("orders")
        assert (found.id, found.owner, found.verified) == ("leased", "p0", True)
    assert ("k" in peers[3].gossip.parts["p0"].records) is busy
