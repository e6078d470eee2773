"""Crashes that a host tells of, and faults that must not be taken for one."""

from statistics import median

import pytest

from gossamer.gossip import MemberFailed, MemberSuspected, Status
from gossamer.simulations import Mesh, SimulatedPeer


def _failures(peer: SimulatedPeer, name: str) -> list[tuple[float, bool]]:
    return [
        (when, event.definite)
        for when, event in peer.history
        if isinstance(event, MemberFailed) and event.member.name == name
    ]


def test_a_killed_process_is_known_to_all_soon() -> None:
    """All 63 others know it as definite, in half of the cases within 2.5 probe intervals."""
    waits = []
    for seed in range(15):
        mesh = Mesh(seed, trace=False)
        peers = mesh.settle(64)
        mesh.run_for(1 + seed * 0.23)
        victim, crashed = peers[seed * 4], mesh.now
        victim.crash()
        mesh.run_for(12.0)
        found = [_failures(peer, victim.name) for peer in peers if peer is not victim]
        assert all(len(each) == 1 for each in found)
        assert all(definite for [(_, definite)] in found)
        told = [event for peer in peers for _, event in peer.history]
        assert not any(isinstance(event, MemberSuspected) for event in told)
        waits.append(max(when for [(when, _)] in found) - crashed)
    assert median(waits) <= 2.5


@pytest.mark.parametrize("peers", [2, 3, 5])
def test_small_meshes_know_it_too(peers: int) -> None:
    """With one witness or none the evidence suffices as well."""
    mesh = Mesh(5, trace=False)
    everybody = mesh.settle(peers)
    mesh.run_for(1.3)
    crashed = mesh.now
    everybody[1].crash()
    mesh.run_for(6.0)
    for peer in everybody:
        if peer.running:
            [(when, definite)] = _failures(peer, "p1")
            assert definite
            assert when - crashed < 6.0


def test_a_host_that_goes_with_its_process_leaves_silence() -> None:
    """Without power there is no evidence: the death is found by suspicion, and not definite."""
    mesh = Mesh(2, trace=False)
    peers = mesh.settle(16)
    mesh.run_for(1.0)
    peers[3].crash(host=True)
    mesh.run_for(40.0)
    for peer in peers:
        if peer.running:
            [(_, definite)] = _failures(peer, "p3")
            assert not definite


@pytest.mark.parametrize("fault", ["slow", "paused", "one-way", "other way"])
def test_who_is_only_slow_or_half_cut_off_is_never_definitely_dead(fault: str) -> None:
    """A host that lives, and one whose packets pass in one direction alone, leave no evidence."""
    mesh = Mesh(11, trace=False)
    peers = mesh.settle(32)
    mesh.run_for(1.0)
    match fault:
        case "slow":
            peers[4].slow_down(0.4)
        case "paused":
            peers[4].pause()
        case "one-way":
            mesh.cut_one_way([peers[4]], [peer for peer in peers if peer is not peers[4]])
        case "other way":
            mesh.cut_one_way([peer for peer in peers if peer is not peers[4]], [peers[4]])
    mesh.run_for(40.0)
    for peer in peers:
        told = [event for _, event in peer.history if isinstance(event, MemberFailed)]
        assert not any(event.definite for event in told)


@pytest.mark.parametrize("seed", range(4))
def test_a_process_that_is_back_at_once_is_not_taken_for_dead(seed: int) -> None:
    """Whatever was told of the old life, the new one that has its address is alive to all."""
    mesh = Mesh(seed, trace=False)
    peers = mesh.settle(32)
    mesh.run_for(1.0)
    mesh.clock.call_at(mesh.now + 0.3, lambda _: peers[5].crash(), None)
    mesh.clock.call_at(mesh.now + 0.4, lambda _: peers[5].start([peers[0].address]), None)
    mesh.run_for(0.4)
    back = mesh.now
    mesh.run_for(10.0)
    assert mesh.converged()
    epoch = peers[5].gossip.epoch
    for peer in peers:
        if peer is not peers[5]:
            row = peer.gossip.members["p5"]
            assert (row.epoch, row.status) == (epoch, Status.ALIVE)
            late = [
                event.member.name
                for when, event in peer.history
                if isinstance(event, MemberSuspected) and when > back + 2.0
            ]
            assert not late


def test_forged_messages_bury_nobody() -> None:
    """Every core is told all the time that nobody listens anywhere; all live on."""
    mesh = Mesh(8, trace=False)
    peers = mesh.settle(12)
    for _ in range(200):
        mesh.run_for(0.1)
        for peer in peers:
            for other in peers:
                if other is not peer:
                    peer.unreachable(other.address)
    for peer in peers:
        told = [event for _, event in peer.history]
        assert not any(isinstance(event, MemberFailed | MemberSuspected) for event in told)
