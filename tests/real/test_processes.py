"""The promises of the README, kept by real processes on loopback."""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Peers, RunningPeer, eventually, everywhere, peers_in

pytestmark = pytest.mark.processes


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    """Starts peers and ends them with the test."""
    with peers_in(tmp_path) as starter:
        yield starter


@pytest.fixture
def mesh(peers: Peers) -> list[RunningPeer]:
    """Five peers that know each other."""
    return peers.mesh(5)


def test_five_peers_share_what_one_is_told(mesh: list[RunningPeer]) -> None:
    """A registration, and a deregistration at a peer that is not the owner, reach every peer."""
    first, second, *others = mesh
    first.register("orders", "orders-1")
    everywhere(mesh, lambda peer: peer.lookup("orders") == {"orders-1"}, 10)
    status, _ = second.ask("DELETE", "/v1/services/orders/instances/orders-1")
    assert status in (200, 204)
    assert second.lookup("orders") == set()
    everywhere([first, *others], lambda peer: peer.lookup("orders") == set(), 10)
    eventually(lambda: len({peer.info()["root"] for peer in mesh}) == 1, 10)


def test_a_killed_peer_takes_its_instances_with_it(mesh: list[RunningPeer]) -> None:
    """After kill -9 the peer's own instances leave every lookup, and nobody else is accused."""
    victim, survivors = mesh[-1], mesh[:-1]
    victim.register("orders", "doomed")
    survivors[0].register("orders", "safe")
    everywhere(survivors, lambda peer: peer.lookup("orders") == {"doomed", "safe"}, 10)
    victim.kill()
    accused: set[str] = set()

    def gone() -> bool:
        for peer in survivors:
            accused.update(peer.members("suspect", "dead"))
        return all(peer.lookup("orders") == {"safe"} for peer in survivors)

    eventually(gone, 30, pause=0.05)
    # It may have died in all views between two looks at the members.
    gone()
    assert accused == {victim.name}
    if sys.platform == "linux":
        # Its host said that the process is gone.
        assert any(peer.info()["counters"]["probes_definite"] for peer in survivors)


def test_a_terminated_peer_is_gone_at_once(mesh: list[RunningPeer]) -> None:
    """SIGTERM lets a peer leave: it ends with 0, and others show it as left and not as dead."""
    victim, survivors = mesh[-1], mesh[:-1]
    victim.register("orders", "leaving")
    everywhere(survivors, lambda peer: peer.lookup("orders") == {"leaving"}, 10)
    victim.signal(signal.SIGTERM)
    everywhere(survivors, lambda peer: peer.lookup("orders") == set(), 10)
    everywhere(survivors, lambda peer: peer.members()[victim.name] == "left", 10)
    assert victim.wait() == 0


def test_a_stopped_peer_comes_back_by_itself(mesh: list[RunningPeer]) -> None:
    """After SIGSTOP for long and SIGCONT a peer refutes, keeps its instances, accuses nobody."""
    victim, survivors = mesh[-1], mesh[:-1]
    victim.register("orders", "paused")
    everywhere(survivors, lambda peer: peer.lookup("orders") == {"paused"}, 10)
    victim.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    everywhere(survivors, lambda peer: peer.members()[victim.name] == "dead", 60)
    # As long as it takes for the suspicion of all others to have run out in the stopped peer.
    eventually(lambda: time.monotonic() - stopped >= 12, 30, pause=0.1)
    victim.signal(signal.SIGCONT)
    accused: set[str] = set()

    def back() -> bool:
        for peer in mesh:
            accused.update(peer.members("suspect", "dead"))
        return all(
            peer.lookup("orders") == {"paused"} and len(peer.members("alive")) == len(mesh)
            for peer in mesh
        )

    eventually(back, 30, pause=0.05)
    assert accused <= {victim.name}


@pytest.mark.parametrize("same_address", [True, False])
def test_a_restarted_peer_is_accepted(peers: Peers, same_address: bool) -> None:
    """A peer killed and started again under its name is alive for all, on any address."""
    mesh = peers.mesh(3)
    victim, survivors = mesh[-1], mesh[:-1]
    victim.kill()
    bind = victim.gossip if same_address else "127.0.0.1:0"
    again = peers.start(victim.name, "--join", survivors[0].gossip, bind=bind)
    again.register("orders", "new")

    def accepted(peer: RunningPeer) -> bool:
        members = peer.ask("GET", "/v1/members")[1]["members"]
        shown = {(each["name"], each["address"], each["status"]) for each in members}
        return (again.name, again.gossip, "alive") in shown and peer.lookup("orders") == {"new"}

    everywhere(survivors, accepted, 20)
