"""Bytes that no peer of ours would send change nothing and are counted."""

from hypothesis import given, settings, strategies as st

from gossamer.gossip import FRAME_LIMIT
from gossamer.simulations import Address, Mesh, SimulatedPeer, dial, host_address

STRANGER: Address = ("10.9.9.9", 5000)


def _mesh(seed: int = 1) -> Mesh:
    mesh = Mesh(seed)
    mesh.add_peers(3, apart=0.05)
    mesh.run_until(mesh.complete, 10.0)
    mesh["p1"].publish("orders", b"here")
    mesh.run_until(mesh.converged, 10.0)
    mesh.run_for(5.0)
    return mesh


# Made once: what is refused changes nothing, so that the mesh serves all examples.
MESH = _mesh()
# Datagrams that the mesh's peers really sent, as raw material.
SAMPLES: list[bytes] = []


def _gather() -> None:
    mesh = _mesh()
    watched = mesh["p0"]
    inner = watched.receive

    def note(data: bytes, sender: Address) -> None:
        SAMPLES.append(data)
        inner(data, sender)

    watched.receive = note  # type: ignore[method-assign]
    mesh["p2"].publish("more", bytes(100))
    mesh["p1"].leave()
    mesh["p2"].pause()
    mesh.run_for(20.0)


_gather()


def _state(peer: SimulatedPeer) -> tuple[object, ...]:
    gossip = peer.gossip
    return (
        gossip.root,
        {
            name: (row.epoch, row.incarnation, row.status, row.address)
            for name, row in gossip.members.items()
        },
        {
            name: (part.epoch, part.version, dict(part.records))
            for name, part in gossip.parts.items()
        },
        gossip.incarnation,
        gossip.epoch,
    )


def _refused(peer: SimulatedPeer) -> int:
    counters = peer.gossip.statistics()
    return sum(value for name, value in counters.items() if name.startswith("refused_"))


def _offer(data: bytes) -> None:
    peer = MESH["p0"]
    before, refused = _state(peer), _refused(peer)
    peer.gossip.receive(data, STRANGER, MESH.now)

    assert _state(peer) == before
    assert _refused(peer) == refused + 1
    assert (peer.gossip.outbox, peer.gossip.events, peer.gossip.calls) == ([], [], [])


@given(st.binary(max_size=1500))
def test_garbage(data: bytes) -> None:
    """Random bytes are refused, counted, and answered by nothing."""
    _offer(data)


@given(st.data())
def test_truncated(data: st.DataObject) -> None:
    """A real datagram that ends too early is refused wherever it ends."""
    sample = data.draw(st.sampled_from(SAMPLES))
    _offer(sample[: data.draw(st.integers(0, len(sample) - 1))])


@given(st.data())
def test_damaged(data: st.DataObject) -> None:
    """A real datagram with one byte changed is refused, whichever byte it is."""
    sample = bytearray(data.draw(st.sampled_from(SAMPLES)))
    sample[data.draw(st.integers(0, len(sample) - 1))] ^= data.draw(st.integers(1, 255))
    _offer(bytes(sample))


@given(st.data())
def test_with_a_tail(data: st.DataObject) -> None:
    """A real datagram with more bytes behind it is refused."""
    _offer(data.draw(st.sampled_from(SAMPLES)) + data.draw(st.binary(min_size=1, max_size=40)))


@given(st.integers(1401, 70_000))
def test_oversized(size: int) -> None:
    """Whatever is longer than 1,400 bytes is refused unread."""
    _offer((SAMPLES[0] * 1000)[:size])


def test_another_cluster_on_the_same_network() -> None:
    """Two clusters that are seeds of each other stay two: all is counted, nothing is learned."""
    mesh = Mesh(4)
    for number in range(6):
        mesh.add(
            cluster="blue" if number % 2 else "green",
            seeds=[host_address(0), host_address(1)],
        )
    mesh.run_for(30.0)

    for peer in mesh:
        same = {other.name for other in mesh if other.config.cluster == peer.config.cluster}
        assert set(peer.gossip.members) == same - {peer.name}
    assert _refused(mesh["p0"]) > 0
    assert _refused(mesh["p1"]) > 0
    assert mesh.accused() == []


def test_a_foreign_cluster_takes_over_an_address() -> None:
    """Where a member's address is reused by another cluster the member dies, and no other."""
    mesh = Mesh(5)
    mesh.add_peers(4, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    victim = mesh["p2"]
    victim.crash()
    mesh.add("foreign", address=victim.address, cluster="other")
    mesh.run_for(30.0)

    assert mesh.accused() == ["p2"]
    assert "foreign" not in mesh["p0"].gossip.members
    assert mesh["foreign"].gossip.members == {}


def test_another_version() -> None:
    """A datagram of another protocol version is refused by that name."""
    peer = MESH["p0"]
    sample = bytearray(SAMPLES[0])
    names: set[str] = set()
    for position in range(4):
        changed = bytearray(sample)
        changed[position] ^= 0x55
        before = dict(peer.gossip.statistics())
        _offer(bytes(changed))
        after = peer.gossip.statistics()
        names |= {name for name in after if after[name] != before.get(name, 0)}
    assert "refused_version" in names


@settings(max_examples=50)
@given(st.data())
def test_garbage_on_a_stream(data: st.DataObject) -> None:
    """A frame of garbage ends its conversation, is counted, and changes nothing."""
    peer = MESH["p0"]
    before, refused = _state(peer), _refused(peer)
    exchange = peer.gossip.accept(STRANGER, MESH.now)
    frame = data.draw(
        st.one_of(
            st.binary(max_size=300),
            st.sampled_from(SAMPLES),
            st.just(bytes(FRAME_LIMIT + 1)),
        )
    )
    exchange.receive(frame, MESH.now)

    assert exchange.finished
    assert _state(peer) == before
    assert _refused(peer) == refused + 1
    assert (peer.gossip.events, peer.gossip.calls) == ([], [])


class _Shouter:
    """Opens a stream and says too much."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def opened(self) -> None: ...

    def received(self, data: bytes) -> None: ...

    def ended(self) -> None: ...

    def broken(self, reason: str) -> None:
        self.reasons.append(reason)


def test_an_oversized_frame_ends_the_stream() -> None:
    """The driver refuses a frame beyond the limit, and the mesh continues to work."""
    mesh = _mesh(6)
    shouter = _Shouter()
    end = dial(mesh.fabric, STRANGER, mesh["p0"].address, shouter)
    end.send(bytes(FRAME_LIMIT + 1))
    mesh.run_for(1.0)
    assert shouter.reasons == ["reset"]
    mesh.run_for(10.0)
    assert mesh.complete()
    assert mesh.converged()


def test_a_stream_that_says_nothing_is_closed() -> None:
    """Silent streams are given up in time, and others are served meanwhile."""
    mesh = _mesh(7)
    shouters = [_Shouter() for _ in range(50)]
    for number, shouter in enumerate(shouters):
        dial(mesh.fabric, (STRANGER[0], 6000 + number), mesh["p0"].address, shouter)
    mesh.run_for(1.0)
    new = mesh.add(seeds=[mesh["p0"].address])
    mesh.run_until(mesh.complete, 2.0)
    assert new.gossip.joined
    mesh.run_for(60.0)
    assert all(shouter.reasons == ["reset"] for shouter in shouters)


def test_a_storm_of_garbage_harms_nobody() -> None:
    """Ten thousand bad datagrams a second leave a peer in its mesh."""
    mesh = _mesh(8)
    target = mesh["p1"].address
    for number in range(50_000):
        mesh.fabric.send_datagram(STRANGER, target, SAMPLES[number % len(SAMPLES)][:-1])
        if number % 100 == 0:
            mesh.run_for(0.01)
    mesh.run_for(5.0)
    assert mesh.accused() == []
    assert mesh.complete()
