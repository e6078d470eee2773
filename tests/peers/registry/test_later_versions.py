"""What a later version writes goes through peers of this one as it came, and hides nothing."""

import pytest
from captured import decoded
from instant_mesh import InstantMesh, InstantPeer

from gossamer.gossip import encode
from gossamer.peers.registry import Refused
from gossamer.peers.registry._records import Intervention, Kind, encode_intervention

KEY = "i\norders\none"
LATER: list[object] = ["container", 0, "", 7, "later", [b"bytes", None]]


def items(peer: InstantPeer, owner: str, key: str = KEY) -> list[object]:
    """Return the items of a record as a peer holds it."""
    return decoded(peer.gossip.parts[owner].records[key])


def register_later(mesh: InstantMesh) -> None:
    """Have `a` own a leased instance in the form of a later version, with more items."""
    mesh["a"].register(ttl=300)
    record = items(mesh["a"], "a")
    mesh["a"].gossip.publish(KEY, encode([*record, *LATER]), mesh.now)
    mesh.spread()


def test_an_instance_with_more_items_is_shown_and_held_by_all_alike(mesh: InstantMesh) -> None:
    """No peer hides it, counts it as damaged, or holds other bytes of it."""
    register_later(mesh)
    for peer in mesh.peers.values():
        assert [(each.id, each.source) for each in peer.registry.lookup("orders")] == [
            ("one", "container")
        ]
        assert items(peer, "a")[14:] == LATER
        assert peer.registry.statistics()["refused_records"] == 0
    assert len({peer.gossip.root for peer in mesh.peers.values()}) == 1


def test_more_items_are_copied_into_all_that_is_made_from_a_record(mesh: InstantMesh) -> None:
    """A status, its end, a report, a take-over and a resumed life leave them as they came."""
    register_later(mesh)
    mesh["b"].registry.set_status("orders", "one", "DOWN", now=mesh.now)
    mesh.spread()
    assert mesh["c"].status() == "DOWN"
    assert items(mesh["c"], "a")[14:] == LATER

    mesh["a"].registry.clear_status("orders", "one", now=mesh.now)
    mesh["d"].registry.report("orders", "one", "STARTING", output="warming up", now=mesh.now)
    mesh.spread()
    assert (mesh["c"].status(), items(mesh["c"], "a")[16]) == ("STARTING", "warming up")
    assert items(mesh["c"], "a")[17:] == LATER[3:]

    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert "a" not in {each.owner for each in mesh["c"].registry.lookup("orders", all=True)}
    assert items(mesh["c"], "b")[17:] == LATER[3:]

    mesh.kill("b")
    mesh.start("b")
    mesh.run(2.0)
    assert (mesh["c"].status(), items(mesh["c"], "b")[17:]) == ("STARTING", LATER[3:])


def test_more_items_of_an_override_are_adopted_with_it(mesh: InstantMesh) -> None:
    """The owner keeps what a later version says of an override, and so does who takes over."""
    mesh["a"].register(ttl=300)
    stamp = items(mesh["a"], "a")[1]
    assert isinstance(stamp, int)
    override = ["DOWN", "why", "who", None, "later", 7]
    decision = [1, stamp + 1, "status", "a", 0, override, 3, "more"]
    mesh["b"].gossip.publish("o\norders\none", encode(decision), mesh.now)
    mesh.spread()
    assert items(mesh["c"], "a")[12] == override
    mesh["c"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert items(mesh["d"], "c")[12] == override


def test_an_intervention_of_an_earlier_life_keeps_its_items(mesh: InstantMesh) -> None:
    """A peer that resumes its decisions writes them as they were."""
    decision = encode([1, 1 << 58, "remove", "gone", 0, None, 1_700_000_000_000, "later"])
    mesh["b"].gossip.publish("o\norders\none", decision, mesh.now)
    mesh.spread()
    mesh.kill("b")
    mesh.start("b")
    mesh.run(2.0)
    assert mesh["a"].gossip.parts["b"].records["o\norders\none"] == decision


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("i\norders\nother", encode([2, "another form"])),
        ("o\norders\none", encode([2, "another form"])),
        ("o\norders\none", encode([1, 1 << 58, "freeze", "a", 0, None, 3])),
        ("kv\nconfig/limits", b"\xff no CBOR at all"),
        ("quorum", b""),
    ],
)
def test_what_only_a_later_version_knows_is_held_and_counted(
    mesh: InstantMesh, key: str, value: bytes
) -> None:
    """Another form, kind or family is held by all, shown by none, and no damage."""
    mesh["a"].register()
    mesh["b"].gossip.publish(key, value, mesh.now)
    mesh.spread()
    for peer in mesh.peers.values():
        assert peer.ids() == ["one"]
        assert peer.gossip.parts["b"].records[key] == value
        statistics = peer.registry.statistics()
        assert (statistics["refused_records"], statistics["unknown_records"]) == (0, 1)
    assert len({peer.gossip.root for peer in mesh.peers.values()}) == 1
    mesh["b"].gossip.withdraw(key, mesh.now)
    mesh.spread()
    assert {peer.registry.statistics()["unknown_records"] for peer in mesh.peers.values()} == {1}


def test_a_record_that_becomes_unknown_is_hidden_until_it_can_be_read_again(
    mesh: InstantMesh,
) -> None:
    """When an owner writes its instance anew in another form, the old one counts no more."""
    mesh["a"].register()
    known = mesh["a"].gossip.parts["a"].records[KEY]
    mesh["a"].gossip.publish(KEY, encode([2]), mesh.now)
    mesh.spread()
    assert all(peer.ids(all=True) == [] for peer in mesh.peers.values())
    mesh["a"].gossip.publish(KEY, known, mesh.now)
    mesh.spread()
    assert all(peer.ids() == ["one"] for peer in mesh.peers.values())


def test_a_report_and_a_decision_do_not_pass_for_each_other(mesh: InstantMesh) -> None:
    """An intervention under the key of the other family is damage."""
    mesh["a"].register()
    removal = encode_intervention(Intervention(1 << 58, Kind.REMOVE, "a", 0, None, 3))
    mesh["b"].gossip.publish("r\norders\none", removal, mesh.now)
    mesh.spread()
    assert mesh["c"].ids() == ["one"]
    assert mesh["c"].registry.statistics()["refused_records"] == 1


class Words:
    """A family of another room: it keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bytes | None]] = []

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Refuse what is empty."""
        self.told.append((owner, key, value))
        if value == b"":
            raise Refused("empty")


def test_a_room_adds_its_family_to_the_table() -> None:
    """It is told of each change once, of the end of a part too, and its refusals are counted."""
    words = Words()
    mesh = InstantMesh("a", "b", families={"w": words})
    for value in (b"one", b"", b"two"):
        mesh["a"].gossip.publish("w\nx", value, mesh.now)
        mesh.spread()
    mesh["a"].gossip.withdraw("w\nx", mesh.now)
    mesh.spread()
    # Both peers have the same table here.
    expected = [("a", "w\nx", value) for value in (b"one", b"", b"two", None)]
    assert sorted(words.told, key=repr) == sorted(expected * 2, key=repr)
    for peer in mesh.peers.values():
        statistics = peer.registry.statistics()
        assert (statistics["refused_records"], statistics["unknown_records"]) == (1, 0)
