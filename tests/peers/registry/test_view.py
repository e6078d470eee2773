"""What all peers see is one function of what all owners wrote."""

from collections.abc import Iterable

from hypothesis import given, settings, strategies as st
from instant_mesh import UNIX, InstantMesh, InstantPeer

from gossamer.peers.model import Instance, NotFound, Registration
from gossamer.peers.registry._view import View


def test_a_registration_is_seen_everywhere_and_so_is_its_end(mesh: InstantMesh) -> None:
    """An instance that is registered at one peer is returned at each other, until it ends."""
    mesh["a"].register(port=8080)
    assert all(peer.ids() == ["one"] for peer in mesh.peers.values())
    found = mesh["e"].registry.lookup("orders")[0]
    assert (found.owner, found.address, found.port, found.verified) == ("a", "10.0.0.1", 8080, True)

    mesh["a"].registry.deregister("orders", "one", mesh.now)
    mesh.spread()
    assert all(peer.ids() == [] for peer in mesh.peers.values())
    assert all(not peer.registry.knows("orders") for peer in mesh.peers.values())


def test_bad_records_are_counted_and_spoil_nothing(mesh: InstantMesh) -> None:
    """Records of another kind or shape are ignored one by one; the good beside them count."""
    core = mesh["a"].gossip
    mesh["a"].register("good")
    good = core.parts["a"].records["i\norders\ngood"]
    for key, value in {
        "i\norders\nbad": b"\xff",
        "i\norders\nfloat": good[:-1] + b"\xf9",
        "x\norders\nother": good,
        "i\nor/ders\nslash": good,
        "no key at all": good,
        "o\norders\ngood": good,
        "": b"",
    }.items():
        core.publish(key, value, mesh.now)
    mesh["a"].register("later")
    for name in "bcde":
        assert mesh[name].ids() == ["good", "later"]
        statistics = mesh[name].registry.statistics()
        # The empty key takes a place in the log, and is neither damaged nor unknown.
        assert (statistics["refused_records"], statistics["unknown_records"]) == (4, 2)
    core.publish("i\norders\ngood", b"", mesh.now)
    mesh.spread()
    assert {tuple(peer.ids()) for peer in mesh.peers.values()} == {("later",)}
    core.publish("i\norders\ngood", good, mesh.now)
    mesh.spread()
    assert {tuple(peer.ids()) for peer in mesh.peers.values()} == {("good", "later")}


def from_scratch(peer: InstantPeer, owners: Iterable[str]) -> dict[str, Instance | None]:
    """Return what a view shows that reads the same core's parts only now, in this order."""
    view = View(
        peer.gossip,
        wall=lambda: UNIX + peer.mesh.now,
        observe=lambda _: None,
        is_preserved=peer.registry._preservation.keeps,
        owners_limit=32,
    )
    for owner in owners:
        view.apply(owner, (), peer.mesh.now)
    return {each: view.find(("orders", each)) for each in IDS}


IDS = ("i0", "i1")


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["register", "lease", "deregister", "set", "clear", "report", "heartbeat", "wait"]
        ),
        st.sampled_from("abc"),
        st.sampled_from(IDS),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(steps, st.sampled_from(["a", "b", "c", ""]), st.permutations(["a", "b", "c"]), st.integers())
def test_the_view_is_a_function_of_the_parts(
    steps: list[tuple[str, str, str]], cut_off: str, order: list[str], seed: int
) -> None:
    """After any actions on both sides of a cut all agree, as if they had read all at once."""
    mesh = InstantMesh("a", "b", "c")
    mesh.rng.seed(seed)
    if cut_off:
        mesh.cut(cut_off, set("abc") - {cut_off})
    for action, name, one in steps:
        registry = mesh[name].registry
        try:
            match action:
                case "register":
                    registry.register(Registration(service="orders", id=one, port=1), mesh.now)
                case "lease":
                    registry.register(
                        Registration(service="orders", id=one, port=2, ttl=1000), mesh.now
                    )
                case "deregister":
                    registry.deregister("orders", one, mesh.now)
                case "set":
                    registry.set_status("orders", one, "DOWN", by=name, now=mesh.now)
                case "clear":
                    registry.clear_status("orders", one, now=mesh.now)
                case "report":
                    registry.report("orders", one, "STARTING", output=name, now=mesh.now)
                case "heartbeat":
                    registry.heartbeat("orders", one, mesh.now)
                case _:
                    mesh.run(0.3)
        except NotFound:
            pass
        if action != "wait" and mesh.rng.random() < 0.5:
            mesh.run(0.003)
        for peer in mesh.peers.values():
            assert from_scratch(peer, order) == {i: peer.registry.find("orders", i) for i in IDS}
    mesh.cuts.clear()
    mesh.run(20.0)
    shown = {each: mesh["a"].registry.find("orders", each) for each in IDS}
    for peer in mesh.peers.values():
        assert {each: peer.registry.find("orders", each) for each in IDS} == shown
    assert from_scratch(mesh["a"], order) == shown
    mesh.run(25.0)
    records = [key for peer in mesh.peers.values() for key in peer.gossip.parts[peer.name].records]
    # One record for each instance that is shown, and no override that still waits.
    assert sorted(records) == [f"i\norders\n{each}" for each in IDS if shown[each] is not None]
