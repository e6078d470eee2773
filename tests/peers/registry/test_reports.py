"""What a service says of itself, at its owner and elsewhere, beside what operators decide."""

from dataclasses import replace
from typing import Any

import pytest
from instant_mesh import InstantMesh, InstantPeer

from gossamer.gossip import encode
from gossamer.peers.model import TAIL_BYTES, BadInput, Instance, NotFound, Registration
from gossamer.peers.registry import Registry
from gossamer.peers.registry._records import decode_record, encode_record


def report(peer: InstantPeer, status: str, output: str | None = None) -> Instance:
    """Report at a peer, and let it travel."""
    shown = peer.registry.report("orders", "one", status, output=output, now=peer.mesh.now)
    peer.mesh.spread()
    return shown


def shown(mesh: InstantMesh) -> set[tuple[str, str, str]]:
    """Return the effective status, the own one and the output, as all living peers show them."""
    return {
        (found.status, found.own_status, found.output)
        for peer in mesh.peers.values()
        if peer.alive and (found := peer.registry.find("orders", "one")) is not None
    }


@pytest.mark.parametrize("status", ["UP", "DOWN", "STARTING", "OUT_OF_SERVICE"])
def test_a_report_at_the_owner_changes_the_own_status(mesh: InstantMesh, status: str) -> None:
    """All peers show it with its output, and the registration's stamp and moment stay."""
    mesh["a"].register()
    mesh.run(1.0)
    before = mesh["b"].registry.lookup("orders")[0]
    told = report(mesh["a"], status, "as it is")
    assert (told.status, told.own_status, told.output) == (status, status, "as it is")
    assert shown(mesh) == {(status, status, "as it is")}
    assert told.registered_at == before.registered_at < told.updated_at
    assert mesh["b"].ids() == (["one"] if status == "UP" else [])
    assert mesh["a"].registry.statistics()["reports_waiting"] == 0


def test_the_same_report_again_changes_nothing(mesh: InstantMesh) -> None:
    """No version and no index moves, nobody is woken, at the owner and elsewhere."""
    mesh["a"].register()
    report(mesh["a"], "DOWN", "refused")
    mesh.run(1.0)
    told: list[str] = []
    for name in "ab":
        with mesh[name].registry.subscribe("orders", told.append):
            part = mesh[name].gossip.parts[name]
            before = part.version, mesh[name].registry.lookup("orders").index
            report(mesh[name], "DOWN", "refused")
            assert (part.version, mesh[name].registry.lookup("orders").index) == before
    assert told == []
    report(mesh["a"], "DOWN", "timed out")
    assert shown(mesh) == {("DOWN", "DOWN", "timed out")}


def test_the_first_report_may_say_what_was_registered(mesh: InstantMesh) -> None:
    """A registration is UP, and a service that reports UP at once adds nothing to that."""
    mesh["a"].register()
    version = mesh["a"].gossip.parts["a"].version
    assert report(mesh["a"], "UP").output == ""
    assert mesh["a"].gossip.parts["a"].version == version


def test_a_report_elsewhere_is_adopted_by_the_owner_and_then_withdrawn(mesh: InstantMesh) -> None:
    """It is shown at once where it was told, and waits there only until the owner has it."""
    mesh["a"].register()
    mesh.cut("c", "abde")
    mesh["c"].registry.report("orders", "one", "DOWN", output="disk", now=mesh.now)
    assert mesh["c"].status() == "DOWN"
    assert mesh["c"].registry.statistics()["reports_waiting"] == 1
    mesh.cuts.clear()
    mesh.run(1.0)
    assert shown(mesh) == {("DOWN", "DOWN", "disk")}
    mesh.run(30.0)
    assert not mesh["c"].gossip.parts["c"].records
    assert mesh["c"].registry.statistics()["reports_waiting"] == 0
    assert shown(mesh) == {("DOWN", "DOWN", "disk")}


def test_a_report_without_room_does_not_keep_a_decision_from_its_owner(mesh: InstantMesh) -> None:
    """A later version may have filled the record's tail; the operator's word still counts."""
    mesh["a"].register()
    key, value = next(iter(mesh["a"].gossip.parts["a"].records.items()))
    tail = encode(["http", 0, "", bytes(TAIL_BYTES - 11)])
    mesh["a"].gossip.publish(key, encode_record(replace(decode_record(value), tail=tail)), mesh.now)
    mesh.spread()
    report(mesh["c"], "DOWN")
    mesh["b"].registry.set_status("orders", "one", "OUT_OF_SERVICE", now=mesh.now)
    mesh.run(1.0)
    record = decode_record(mesh["a"].gossip.parts["a"].records[key])
    assert record.override is not None
    assert record.override.status == "OUT_OF_SERVICE"


def test_an_override_hides_a_report_until_it_is_cleared(mesh: InstantMesh) -> None:
    """An operator's word stays and decides; the service's is kept beside it, from any peer."""
    mesh["a"].register()
    mesh["b"].registry.set_status("orders", "one", "OUT_OF_SERVICE", reason="v2", now=mesh.now)
    mesh.spread()
    report(mesh["a"], "DOWN", "refused")
    assert shown(mesh) == {("OUT_OF_SERVICE", "DOWN", "refused")}
    report(mesh["c"], "STARTING", "warming up")
    assert shown(mesh) == {("OUT_OF_SERVICE", "STARTING", "warming up")}
    found = mesh["d"].registry.find("orders", "one")
    assert found is not None
    assert found.override is not None
    assert (found.override.by, found.override.reason) == ("b", "v2")
    mesh["e"].registry.clear_status("orders", "one", now=mesh.now)
    mesh.spread()
    assert shown(mesh) == {("STARTING", "STARTING", "warming up")}


def test_a_report_and_a_decision_wait_side_by_side_at_one_peer(mesh: InstantMesh) -> None:
    """What a service says does not take the place of what an operator decided, nor the reverse."""
    mesh["a"].register()
    mesh.cut("c", "abde")
    mesh["c"].registry.set_status("orders", "one", "OUT_OF_SERVICE", now=mesh.now)
    mesh["c"].registry.report("orders", "one", "DOWN", now=mesh.now)
    mesh.cuts.clear()
    mesh.run(30.0)
    assert shown(mesh) == {("OUT_OF_SERVICE", "DOWN", "")}
    assert not mesh["c"].gossip.parts["c"].records


def test_the_later_of_two_reports_counts(mesh: InstantMesh) -> None:
    """Reports on both sides of a cut settle on the one that was told last."""
    mesh["a"].register()
    mesh.cut("ab", "cde")
    report(mesh["b"], "DOWN", "first")
    mesh.run(1.0)
    report(mesh["d"], "STARTING", "second")
    assert mesh["a"].status() == "DOWN"
    mesh.cuts.clear()
    mesh.run(30.0)
    assert shown(mesh) == {("STARTING", "STARTING", "second")}


def test_a_registration_that_is_repeated_is_a_later_word(mesh: InstantMesh) -> None:
    """Registering again says how the service is, and what was reported before counts no more."""
    mesh["a"].register()
    report(mesh["b"], "DOWN", "refused")
    mesh["a"].register()
    assert shown(mesh) == {("UP", "UP", "")}
    mesh.run(30.0)
    assert shown(mesh) == {("UP", "UP", "")}


def test_a_report_from_before_a_registration_does_not_come_back(mesh: InstantMesh) -> None:
    """One that was told in a cut, and is heard after the service registered again, is too late."""
    mesh["a"].register()
    mesh.cut("c", "abde")
    mesh["c"].registry.report("orders", "one", "DOWN", now=mesh.now)
    mesh.run(0.5)
    mesh["a"].register()
    mesh.cuts.clear()
    mesh.run(30.0)
    assert shown(mesh) == {("UP", "UP", "")}
    assert not mesh["c"].gossip.parts["c"].records


def test_a_report_is_kept_over_a_take_over(mesh: InstantMesh) -> None:
    """The peer that hears a heartbeat goes on with the status, and with one it alone knows."""
    mesh["a"].register(ttl=60)
    report(mesh["a"], "STARTING", "warming up")
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    found = mesh["c"].registry.find("orders", "one")
    assert found is not None
    assert (found.owner, found.own_status, found.output) == ("b", "STARTING", "warming up")

    mesh["c"].registry.report("orders", "one", "DOWN", output="refused", now=mesh.now)
    mesh["c"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    assert shown(mesh) == {("DOWN", "DOWN", "refused")}
    mesh.run(20.0)
    assert shown(mesh) == {("DOWN", "DOWN", "refused")}
    assert mesh["c"].gossip.parts["c"].records.keys() == {"i\norders\none"}


def test_a_report_right_after_a_registration_outlives_a_take_over(mesh: InstantMesh) -> None:
    """A take-over does not pass for a later word than a report with the next stamp."""
    mesh["a"].register(ttl=60)
    mesh.cut("b", "acde")
    # Behind by a second, so that the stamps follow each other without a gap.
    mesh.now -= 1.0
    mesh["b"].registry.report("orders", "one", "DOWN", now=mesh.now + 1.0)
    mesh["c"].registry.heartbeat("orders", "one", mesh.now + 1.0)
    mesh.now += 1.0
    mesh.cuts.clear()
    mesh.run(30.0)
    assert shown(mesh) == {("DOWN", "DOWN", "")}
    assert not mesh["b"].gossip.parts["b"].records


def test_a_report_is_shown_while_the_owner_is_dead_within_the_grace(mesh: InstantMesh) -> None:
    """Nobody adopts it, and all that are here show it; the owner takes it when it is back."""
    mesh["e"].register(ttl=600)
    mesh.kill("e")
    mesh.run(15.0)
    report(mesh["b"], "DOWN", "refused")
    assert shown(mesh) == {("DOWN", "DOWN", "refused")}
    mesh.start("e")
    mesh.run(30.0)
    assert shown(mesh) == {("DOWN", "DOWN", "refused")}
    assert mesh["e"].gossip.parts["e"].records.keys() == {"i\norders\none"}
    assert not mesh["b"].gossip.parts["b"].records


def test_an_owner_that_gives_up_hands_on_what_nobody_else_heard(mesh: InstantMesh) -> None:
    """A report that only the former owner knows reaches the peer that took its place."""
    mesh["a"].register(ttl=300)
    mesh.cut("a", "bcde")
    mesh["b"].registry.heartbeat("orders", "one", mesh.now)
    mesh.run(1.0)
    mesh["a"].registry.report("orders", "one", "DOWN", output="refused", now=mesh.now)
    mesh.cuts.clear()
    mesh.run(40.0)
    found = mesh["c"].registry.find("orders", "one")
    assert found is not None
    assert (found.owner, found.own_status, found.output) == ("b", "DOWN", "refused")
    assert not mesh["a"].gossip.parts["a"].records


def test_a_report_goes_with_the_instance(mesh: InstantMesh) -> None:
    """After a deregistration nothing is left of it, and the next registration begins anew."""
    mesh["a"].register()
    mesh["b"].registry.report("orders", "one", "DOWN", now=mesh.now)
    mesh["c"].registry.deregister("orders", "one", mesh.now)
    mesh.run(30.0)
    assert all(not part.records for part in mesh["a"].gossip.parts.values())
    assert all(not any(peer.registry.kept()[each] for each in ("entries", "deadlines"))
               for peer in mesh.peers.values())  # fmt: skip
    mesh["a"].register()
    assert shown(mesh) == {("UP", "UP", "")}


@pytest.mark.parametrize("status", ["UNKNOWN", "up", "", None, 1])
def test_a_report_of_another_status_is_refused(mesh: InstantMesh, status: Any) -> None:
    """Only what a service can be is taken; the error names the field, and nothing changes."""
    mesh["a"].register()
    version = mesh["a"].gossip.parts["a"].version
    with pytest.raises(BadInput) as caught:
        mesh["a"].registry.report("orders", "one", status, now=mesh.now)
    assert caught.value.field == "status"
    assert mesh["a"].gossip.parts["a"].version == version


def test_a_report_of_what_is_not_there_is_refused(mesh: InstantMesh) -> None:
    """An unknown service and an unknown id are told apart."""
    mesh["a"].register()
    for names, field in ((("payments", "one"), "service"), (("orders", "two"), "id")):
        with pytest.raises(NotFound) as caught:
            mesh["b"].registry.report(*names, "UP", now=mesh.now)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, ""),
        ("", ""),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 256),
        ("x" * 255 + "é", "x" * 255),
        ("x" * 254 + "é!", "x" * 254 + "é"),
        ("€" * 100_000, "€" * 85),
        ("two\n\tlines", "two\n\tlines"),
        ("\x1b[31mred\r\n", "\ufffd[31mred\ufffd\n"),
        ("\ud800 \u2028", "\ufffd \ufffd"),
    ],
)
def test_output_is_short_and_harmless(mesh: InstantMesh, given: str | None, kept: str) -> None:
    """It is cut behind a whole character, and what would garble a terminal is replaced."""
    mesh["a"].register()
    assert report(mesh["a"], "DOWN", given).output == kept
    assert shown(mesh) == {("DOWN", "DOWN", kept)}


def test_output_that_is_no_text_is_refused(mesh: InstantMesh) -> None:
    """Bytes are no text, and are not guessed at."""
    mesh["a"].register()
    wrong: Any = b"bytes"
    with pytest.raises(BadInput) as caught:
        mesh["a"].registry.report("orders", "one", "DOWN", output=wrong, now=mesh.now)
    assert caught.value.field == "output"


def test_output_is_shown_only_where_there_is_one(mesh: InstantMesh) -> None:
    """The JSON of an instance without output is as it always was."""
    mesh["a"].register()
    registry: Registry = mesh["b"].registry
    assert "output" not in registry.lookup("orders")[0].to_json()
    report(mesh["a"], "UP", "200 OK in 3 ms")
    assert registry.lookup("orders")[0].to_json()["output"] == "200 OK in 3 ms"


def test_the_source_of_a_registration_is_known_everywhere(mesh: InstantMesh) -> None:
    """Each instance shows its source, and keeps it through reports and take-overs."""
    wanted = Registration(service="orders", id="one", port=80, ttl=60, source="kubernetes")
    mesh["a"].registry.register(wanted, mesh.now)
    mesh.spread()
    report(mesh["b"], "DOWN", "refused")
    mesh["c"].registry.heartbeat("orders", "one", mesh.now)
    mesh.spread()
    for peer in mesh.peers.values():
        found = peer.registry.find("orders", "one")
        assert found is not None
        assert (found.source, found.owner) == ("kubernetes", "c")
    with pytest.raises(BadInput, match="source"):
        mesh["a"].registry.register(Registration(service="x", port=1, source=""), mesh.now)
