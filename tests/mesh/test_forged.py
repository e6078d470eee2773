"""Nonsense with a right checksum: anybody who knows the cluster's name can send it."""

import random

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip import Gossip, GossipConfig, MemberFailed, MemberLeft, Status, encode
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.simulations import Address, Mesh

STRANGER: Address = ("10.9.9.9", 5000)
SEAL = ChecksumSeal("default")
EPOCH = 1_767_225_600_000
NOW = 1000.0

names = st.sampled_from(["a", "b", "c", "me", "", "x" * 128, "x" * 129, "\x00", "é"])
numbers = st.one_of(
    st.integers(-2, 5),
    st.sampled_from([2**16, 2**31, 2**32, 2**53, 2**63, 2**64 - 1, 2**64, EPOCH, EPOCH + 1]),
)
hosts = st.sampled_from(["10.0.0.1", "::1", "10.9.9.9", "no.such.host", "", "256.1.1.1", "0.0.0.0"])
scalars = st.one_of(
    st.none(), st.booleans(), numbers, names, hosts, st.binary(max_size=20), st.just(bytes(16))
)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=9), max_leaves=12)


def _core(name: str = "me") -> Gossip:
    core = Gossip(
        GossipConfig(name=name),
        epoch=EPOCH,
        nonce=1,
        advertise=("10.0.0.1" if name == "me" else "10.0.0.2", 7940),
        rng=random.Random(1),
        now=NOW,
    )
    core.publish("orders", b"here", NOW)
    return core


def _sealed(item: object, to_epoch: int = EPOCH) -> bytes:
    return SEAL.seal(encode(item), to_epoch)


def member_updates(status: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    """Something like an update about a member."""
    return st.tuples(
        st.just(0),
        names,
        numbers,
        numbers,
        status,
        hosts,
        numbers,
        names,
        numbers,
        names,
    ).map(list)


def _encoded(item: object) -> bytes:
    try:
        return encode(item)
    except Exception:  # noqa: BLE001 - integers that CBOR has no room for
        return b"\xff"


updates = st.one_of(
    member_updates(numbers),
    st.tuples(st.just(1), names, numbers, numbers, st.lists(scalars, max_size=6)).map(list),
    st.tuples(st.just(2), names, numbers, numbers).map(list),
    anything,
).map(_encoded)

messages = st.one_of(
    st.lists(scalars, min_size=1, max_size=7),
    st.tuples(st.integers(0, 9), numbers, scalars).map(list),
    st.tuples(st.just(2), numbers, names, numbers, hosts, numbers, numbers).map(list),
    anything,
)


@given(
    st.lists(
        st.tuples(names, numbers, st.lists(messages, max_size=9), st.lists(updates, max_size=9)),
        max_size=5,
    ),
    st.sampled_from([0, EPOCH, EPOCH - 1]),
)
def test_forged_datagrams_never_raise(bodies: list[tuple[object, ...]], to_epoch: int) -> None:
    """Whatever a datagram says, the core stays whole, keeps its records and can go on."""
    core = _core()
    for body in bodies:
        try:
            datagram = _sealed(list(body), to_epoch)
        except OverflowError:
            continue
        core.receive(datagram, STRANGER, NOW)
    for step in range(50):
        core.tick(NOW + step)

    assert dict(core.parts["me"].records) == {"orders": b"here"}
    assert "me" not in core.members
    assert len(core.members) <= 10
    for address, data in core.outbox:
        assert len(data) <= 1400
        assert 0 < address[1] < 65_536


@given(st.lists(anything, max_size=6))
def test_forged_frames_never_raise(items: list[object]) -> None:
    """Whatever a stream says, the conversation ends or goes on, and the core stays whole."""
    core = _core()
    exchange = core.accept(STRANGER, NOW)
    for item in items:
        if (payload := _encoded(item)) != b"\xff":
            exchange.receive(SEAL.seal(payload, 0), NOW)
    exchange.fail("timeout", NOW + 10)
    core.tick(NOW + 10)

    assert exchange.finished
    assert dict(core.parts["me"].records) == {"orders": b"here"}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(3), st.integers(0, 3), updates, st.just(bytes(16)), scalars,
                      st.lists(scalars, max_size=6), scalars).map(list),
            st.tuples(st.just(6), st.lists(updates, max_size=4)).map(list),
            st.tuples(st.just(7), scalars, st.lists(scalars, max_size=6)).map(list),
            st.tuples(st.just(8), st.lists(scalars, max_size=6)).map(list),
            st.tuples(st.just(9), st.lists(updates, max_size=4)).map(list),
            st.just([10]),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_forged_conversations_never_raise(frames: list[list[object]]) -> None:
    """Frames of the right kinds with wrong contents, after a proper greeting, do no harm."""
    core, other = _core(), _core("other")
    other.join([("10.0.0.1", 7940)], NOW)
    call = other.calls[0]
    exchange = core.accept(STRANGER, NOW)
    for frame in call.outbox:
        exchange.receive(frame, NOW)
    assert not exchange.finished
    for item in frames:
        if (payload := _encoded(item)) != b"\xff":
            exchange.receive(SEAL.seal(payload, EPOCH), NOW)
    exchange.fail("timeout", NOW + 10)
    core.tick(NOW + 10)

    assert dict(core.parts["me"].records) == {"orders": b"here"}
    assert "me" not in core.members


def _news_of(mesh: Mesh, name: str, status: Status, **changes: int) -> bytes:
    gossip = mesh[name].gossip
    host, port = mesh[name].address
    values = {
        "epoch": gossip.epoch,
        "incarnation": gossip.incarnation,
        "nonce": gossip.inside.context.me.nonce,
        **changes,
    }
    return encode([
        0, name, values["epoch"], values["incarnation"], int(status), host, port, "",
        values["nonce"], "p0",
    ])  # fmt: skip


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("jump", [0, 1, 1000, 2**20, 2**32, 2**63, 2**64 - 2, 2**64 - 1])
def test_a_forged_eviction_does_not_last(status: Status, jump: int) -> None:
    """A member that a forger buries, with any incarnation, is alive for all again within 3 s."""
    mesh = Mesh(7)
    mesh.add_peers(5, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    victim = mesh["p3"]
    victim.publish("orders", b"here")
    mesh.run_for(2.0)
    try:
        update = _news_of(mesh, "p3", status, incarnation=jump)
    except OverflowError:
        pytest.skip("CBOR has no room for it")
    for peer in mesh:
        body = ["p0", mesh["p0"].gossip.epoch, [], [update]]
        mesh.fabric.send_datagram(STRANGER, peer.address, _sealed(body, peer.gossip.epoch))
    mesh.run_for(0.5)
    mesh.run_until(mesh.complete, 3.0)
    mesh.run_until(mesh.converged, 3.0)
    mesh.run_for(20.0)

    assert mesh.complete()
    assert set(mesh.record(victim, "orders").values()) == {b"here"}


def test_a_forged_address_does_not_last() -> None:
    """A member with a forged address corrects the address, and nobody accuses the member."""
    mesh = Mesh(10)
    mesh.add_peers(5, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    core = mesh["p3"].gossip
    nonce = core.inside.context.me.nonce
    update = encode([0, "p3", core.epoch, 5, 0, "10.1.1.1", 1, "", nonce, ""])
    for peer in mesh:
        body = ["p0", mesh["p0"].gossip.epoch, [], [update]]
        mesh.fabric.send_datagram(STRANGER, peer.address, _sealed(body, peer.gossip.epoch))
    mesh.run_for(0.5)
    mesh.run_until(mesh.complete, 1.0)
    mesh.run_until(mesh.converged, 3.0)
    assert mesh.accused() == []


@pytest.mark.parametrize("ahead", [1, 60_000, 23 * 3_600_000])
def test_a_forged_life_does_not_last(ahead: int) -> None:
    """Updates of a newer life that nobody lives are answered by the peer with a newer one still."""
    mesh = Mesh(8)
    mesh.add_peers(5, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    victim = mesh["p3"]
    victim.publish("orders", b"here")
    mesh.run_for(2.0)
    update = _news_of(mesh, "p3", Status.ALIVE, epoch=victim.gossip.epoch + ahead, nonce=99)
    for peer in mesh:
        body = ["p0", mesh["p0"].gossip.epoch, [], [update]]
        mesh.fabric.send_datagram(STRANGER, peer.address, _sealed(body, peer.gossip.epoch))
    mesh.run_for(1.0)
    mesh.run_until(mesh.complete, 3.0)
    mesh.run_until(mesh.converged, 3.0)
    assert set(mesh.record(victim, "orders").values()) == {b"here"}


def test_a_life_of_the_far_future_is_not_believed() -> None:
    """An epoch more than a day ahead is refused by everybody, and counted."""
    mesh = Mesh(9)
    mesh.add_peers(3, apart=0.05)
    mesh.run_until(mesh.complete, 5.0)
    epoch = mesh["p2"].gossip.epoch
    update = _news_of(mesh, "p2", Status.DEAD, epoch=epoch + 25 * 3_600_000, nonce=99)
    for peer in mesh:
        body = ["p0", mesh["p0"].gossip.epoch, [], [update]]
        mesh.fabric.send_datagram(STRANGER, peer.address, _sealed(body, peer.gossip.epoch))
    mesh.run_for(5.0)

    assert mesh["p2"].gossip.epoch == epoch
    assert mesh.complete()
    assert mesh.events(MemberFailed, MemberLeft) == []
    assert mesh["p1"].gossip.statistics()["refused_epoch_ahead"] > 0
