"""Meshes in which one transport is blocked and the other is open."""

import pytest

from gossamer.gossip import MemberFailed, MemberSuspected, PathChanged
from gossamer.simulations import Block, Carrier, Kind, Loss, Mesh, Packet, SimulatedPeer

_UDP, _TCP = "udp blocked", "tcp blocked"
_KIND = {_UDP: Kind.UDP, _TCP: Kind.STREAM}


class _PairBlock(Block):
    """One transport does not pass between two hosts; all else does."""

    __slots__ = ("_pair",)

    def __init__(self, kind: Kind, pair: set[str]) -> None:
        super().__init__(kind)
        self._pair = pair

    def judge(self, packet: Packet, fabric: Carrier) -> float | None:
        if {packet.source[0], packet.destination[0]} != self._pair:
            return None
        return super().judge(packet, fabric)


def _accusations(peers: list[SimulatedPeer]) -> list[object]:
    kinds = (MemberSuspected, MemberFailed)
    return [event for peer in peers for _, event in peer.history if isinstance(event, kinds)]


def _told(peer: SimulatedPeer) -> list[tuple[str, str | None]]:
    events = [event for _, event in peer.history]
    return [(event.name, event.path) for event in events if isinstance(event, PathChanged)]


@pytest.mark.parametrize("path", [_UDP, _TCP])
def test_a_blocked_pair_names_each_other(path: str) -> None:
    """Both name the other and the transport, nobody is accused, and it ends with the block."""
    mesh = Mesh(3, trace=False)
    peers = mesh.settle(8)
    first, second = peers[2], peers[5]
    guard = mesh.fabric.add(_PairBlock(_KIND[path], {first.address[0], second.address[0]}))
    # In peace a stream to one certain member is tried once in 30 periods and 7 members.
    mesh.run_for(60.0 if path == _UDP else 900.0)
    assert first.gossip.blocked_paths == {second.name: path}
    assert second.gossip.blocked_paths == {first.name: path}
    assert not any(_told(peer) for peer in peers if peer not in (first, second))
    guard.remove()
    mesh.run_for(30.0)
    assert _told(first) == [(second.name, path), (second.name, None)]
    assert not first.gossip.blocked_paths
    assert not _accusations(peers)


@pytest.mark.parametrize("path", [_UDP, _TCP])
@pytest.mark.parametrize("whom", ["one", "all"])
def test_a_blocked_transport_is_named_and_kills_nobody(path: str, whom: str) -> None:
    """One peer against all, and all against all: told, no deaths, no storm, over when it is."""
    mesh = Mesh(4, trace=False)
    peers = mesh.settle(12)
    mesh.run_for(5.0)
    sent = mesh.fabric.sent
    mesh.run_for(20.0)
    quiet = mesh.fabric.sent - sent
    hosts = None if whom == "all" else [peers[4].address[0]]
    guard = mesh.fabric.add(Block(_KIND[path], hosts))
    mesh.run_for(120.0)
    everybody = {peer.name for peer in peers}
    assert set(peers[4].gossip.blocked_paths) == everybody - {peers[4].name}
    assert set(peers[4].gossip.blocked_paths.values()) == {path}
    for peer in peers:
        if peer is not peers[4] and (whom == "all" or path == _UDP):
            assert peer.gossip.blocked_paths[peers[4].name] == path
    sent = mesh.fabric.sent
    mesh.run_for(20.0)
    # A probe with its relays and its stream, and now and then an exchange: some fifteen packets
    # instead of one ping and one ack.
    assert mesh.fabric.sent - sent < 8 * quiet, (mesh.fabric.sent - sent) / quiet
    guard.remove()
    mesh.run_for(60.0)
    assert not any(peer.gossip.blocked_paths for peer in peers)
    assert not [each for each in _accusations(peers) if isinstance(each, MemberFailed)]


def test_changes_pass_by_stream_where_datagrams_do_not() -> None:
    """With UDP blocked for all, what is published reaches everybody all the same."""
    mesh = Mesh(6, trace=False)
    peers = mesh.settle(6)
    mesh.fabric.add(Block(Kind.UDP))
    mesh.run_for(60.0)
    peers[0].publish("a", b"1")
    mesh.run_for(60.0)
    assert len({peer.gossip.root for peer in peers}) == 1


def test_loss_alone_is_not_a_blocked_path() -> None:
    """With 5 % loss nobody tells of a blocked transport in five minutes."""
    mesh = Mesh(9, trace=False)
    peers = mesh.settle(12)
    mesh.fabric.add(Loss(0.05))
    mesh.run_for(300.0)
    assert not any(_told(peer) for peer in peers)
