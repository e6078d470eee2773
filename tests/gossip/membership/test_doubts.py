"""Accusations by the many, as a table from the other side of a healed cut brings them."""

import pytest
from cores import EPOCH, Bench, about, address_of
from hypothesis import given, settings, strategies as st

from gossamer.gossip import MemberSuspected, Status
from gossamer.gossip.membership._doubts import _MANY, _PATIENCE, _TOLD
from gossamer.gossip.state import MemberUpdate, decode_member_update

NAMES = [f"m{number:02}" for number in range(90)]


@pytest.fixture
def bench() -> Bench:
    """A core that knows ninety living members and the teller, and probes nobody meanwhile."""
    bench = Bench(probe_interval=1.0)
    bench.meet("teller", *NAMES)
    bench.context.timers.clear()
    return bench


def _tell(bench: Bench, names: list[str], **changes: object) -> None:
    """Have the teller's table say that these members are dead."""
    table = [about(name, Status.DEAD, **changes) for name in names]
    told = [(each, each.encode(), 0) for each in table]
    bench.inside.membership.hear_table(told, "teller", bench.now)


def _suspects(bench: Bench) -> set[str]:
    return {name for name, row in bench.core.members.items() if row.status is Status.SUSPECT}


def _told(bench: Bench) -> dict[str, MemberUpdate]:
    """Return whom the core has told what is held of them."""
    told = {}
    for item in bench.sent():
        for update in item.packet.updates:
            said = decode_member_update(update)
            if said.status is Status.SUSPECT and item.address == address_of(said.name):
                told[said.name] = said
    return told


def test_a_few_are_suspected_at_once(bench: Bench) -> None:
    """Fewer accusations than a cut would leave behind are hearsay as ever."""
    _tell(bench, NAMES[: _MANY - 1])
    assert _suspects(bench) == set(NAMES[: _MANY - 1])
    assert bench.counts("doubts") == (0,)


def test_many_are_told_and_not_suspected(bench: Bench) -> None:
    """Nobody is suspected yet; some of those concerned hear what is held of them, and by whom."""
    _tell(bench, NAMES)
    assert not _suspects(bench)
    assert not bench.events(MemberSuspected)
    assert bench.counts("doubts") == (len(NAMES),)
    told = _told(bench)
    assert len(told) == _TOLD
    assert {each.accuser for each in told.values()} == {"teller"}


def test_the_boundary_is_eight_in_one_table(bench: Bench) -> None:
    """The eighth accusation makes them many."""
    _tell(bench, NAMES[:_MANY])
    assert not _suspects(bench)
    assert len(_told(bench)) == _MANY


def test_who_does_not_speak_up_is_suspected_in_the_end(bench: Bench) -> None:
    """After three periods those are suspected who have not refuted; the others stay as they are."""
    _tell(bench, NAMES)
    spoke = NAMES[:30]
    bench.run(1.0)
    for name in spoke:
        bench.hear(name, updates=[about(name, incarnation=1).encode()])
    bench.run(_PATIENCE - 1.01)
    assert not _suspects(bench)
    bench.run(0.02)
    assert _suspects(bench) == set(NAMES[30:])
    assert bench.counts("doubts") == (0,)


def test_doubts_of_a_former_life_are_dropped(bench: Bench) -> None:
    """A member that began a new epoch meanwhile is not suspected for the old one."""
    _tell(bench, NAMES)
    for name in NAMES:
        bench.hear(name, updates=[about(name, epoch=EPOCH + 5).encode()], epoch=EPOCH + 5)
    bench.run(_PATIENCE + 0.1)
    assert not _suspects(bench)


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True), max_size=12))
def test_doubts_are_bounded_by_the_members(tables: list[list[str]]) -> None:
    """However often tables accuse whomever, there is one doubt for a member at most."""
    bench = Bench()
    bench.meet("teller", *NAMES)
    for names in tables:
        _tell(bench, names)
        assert bench.counts("doubts")[0] <= len(NAMES)


def test_a_healed_cut_has_nobody_suspect_its_own_side() -> None:
    """A hundred peers that find together suspect few of those whom they never lost."""
    from gossamer.simulations import Mesh

    mesh = Mesh(3, trace=False)
    peers = mesh.settle(100)
    mesh.run_for(2)
    mesh.cut(peers[:50], peers[50:])
    mesh.run_for(60)
    healed = mesh.now
    mesh.heal()
    mesh.run_for(10)
    assert mesh.converged()
    sides = {peer.name: number < 50 for number, peer in enumerate(peers)}
    own = [
        event
        for peer in peers
        for when, event in peer.history
        if when > healed
        and isinstance(event, MemberSuspected)
        and sides[event.member.name] == sides[peer.name]
    ]
    # In ten seeds 0 to 148; without doubts 363 to 986.
    assert len(own) < 300
