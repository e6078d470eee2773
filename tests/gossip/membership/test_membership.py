"""Updates judged: what outranks what, who confirms whom, and what is never believed."""

from collections.abc import Sequence
from typing import Any

import pytest
from cores import EPOCH, Bench, about, address_of
from hypothesis import given, settings, strategies as st

from gossamer.gossip import (
    EpochRaised,
    MemberFailed,
    MemberForgotten,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberSuspected,
    MemberUpdated,
    NameConflict,
    Refuted,
    Status,
)
from gossamer.gossip.kernel import Outcome
from gossamer.gossip.state import INCARNATION_JUMP, MemberUpdate

ALIVE, SUSPECT, DEAD, LEFT = Status
DAY_MS = 24 * 3600 * 1000

news_of_x = st.builds(
    lambda epoch, incarnation, status: about(
        "x", status, epoch=EPOCH + epoch, incarnation=incarnation
    ),
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from(Status),
)


def _hearsay(bench: Bench, item: MemberUpdate, teller: str) -> Outcome:
    """Have the core hear an update in an exchange with `teller`."""
    return bench.inside.membership.hear(item, item.encode(), teller, "exchange", bench.now)


def _row(bench: Bench, name: str = "x") -> tuple[int, int, Status]:
    row = bench.core.members[name]
    return row.epoch - EPOCH, row.incarnation, row.status


def _bench(*names: str, **options: Any) -> Bench:
    """Return a core that knows some members and does not probe them itself."""
    bench = Bench(**options)
    bench.inside.prober.stop()
    bench.meet(*names)
    return bench


def _hear(bench: Bench, heard: Sequence[MemberUpdate], teller: str = "a") -> None:
    bench.hear(teller, updates=[item.encode() for item in heard])


@settings(max_examples=60)
@given(st.lists(news_of_x, min_size=1, max_size=6), st.data())
def test_the_table_does_not_depend_on_the_order_of_arrival(
    heard: list[MemberUpdate], data: st.DataObject
) -> None:
    """Rumors in any order and number leave the row that the highest of them describes."""
    bench = _bench("a")
    order = data.draw(st.permutations(heard))
    for item in [*order, *data.draw(st.lists(st.sampled_from(heard), max_size=4))]:
        _hear(bench, [item])
    best = max(heard, key=lambda item: item.rank)
    assert _row(bench) == (best.epoch - EPOCH, best.incarnation, best.status)
    assert ("x" in bench.context.table.ring) == best.status.living


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ((0, 0, ALIVE), (0, 0, SUSPECT), MemberSuspected),
        ((0, 0, ALIVE), (0, 0, DEAD), MemberFailed),
        ((0, 0, ALIVE), (0, 1, LEFT), MemberLeft),
        ((0, 0, SUSPECT), (0, 1, ALIVE), MemberReturned),
        ((0, 0, SUSPECT), (0, 0, DEAD), MemberFailed),
        ((0, 0, DEAD), (0, 1, ALIVE), MemberReturned),
        ((0, 5, DEAD), (1, 0, ALIVE), MemberReturned),
        ((0, 5, LEFT), (1, 0, ALIVE), MemberReturned),
        ((0, 5, ALIVE), (1, 0, ALIVE), MemberReturned),
        ((0, 0, DEAD), (0, 1, LEFT), MemberLeft),
    ],
)
def test_each_turn_has_its_event(
    before: tuple[int, int, Status], after: tuple[int, int, Status], event: type
) -> None:
    """What changes for a member is told once, passed on, and moves it in or out of the ring."""
    bench = _bench("a", "b")
    first, item = (about("x", s, epoch=EPOCH + e, incarnation=i) for e, i, s in (before, after))
    _hear(bench, [first])
    bench.events()
    bench.run(1)
    bench.sent()
    _hear(bench, [item])
    assert _row(bench) == after
    events = [e for e in bench.events() if not isinstance(e, MemberJoined)]
    assert [type(e) for e in events] == [event]
    bench.run(0.006)
    assert item.encode() in bench.updates()
    assert ("x" in bench.context.table.ring) == after[2].living


@pytest.mark.parametrize(
    ("held", "late"),
    [
        ((0, 1, ALIVE), (0, 0, DEAD)),
        ((0, 1, ALIVE), (0, 1, ALIVE)),
        ((0, 1, SUSPECT), (0, 1, ALIVE)),
        ((0, 1, DEAD), (0, 1, SUSPECT)),
        ((0, 1, LEFT), (0, 9, DEAD)),
        ((0, 1, LEFT), (0, 9, ALIVE)),
        ((1, 0, ALIVE), (0, 9, DEAD)),
        ((1, 0, ALIVE), (0, 9, LEFT)),
    ],
)
def test_what_is_outranked_changes_nothing(
    held: tuple[int, int, Status], late: tuple[int, int, Status]
) -> None:
    """Old updates are neither believed nor passed on."""
    bench = _bench("a", "b")
    _hear(bench, [about("x", held[2], epoch=EPOCH + held[0], incarnation=held[1])])
    bench.run(2)
    bench.sent()
    bench.events()
    item = about("x", late[2], epoch=EPOCH + late[0], incarnation=late[1])
    _hear(bench, [item])
    assert _row(bench) == held
    assert not bench.events()
    bench.run(0.5)
    assert item.encode() not in bench.updates()


def test_an_address_is_believed_of_the_living_alone() -> None:
    """A suspicion or an obituary cannot move a member; an update that it is alive can."""
    bench = _bench("a", "x")
    _hear(bench, [about("x", SUSPECT, address=("10.6.6.6", 666))])
    assert bench.core.members["x"].address == address_of("x")
    _hear(bench, [about("x", incarnation=1, address=("10.7.7.7", 777), zone="west")])
    assert bench.core.members["x"].address == ("10.7.7.7", 777)
    bench.events()
    _hear(bench, [about("x", incarnation=2, address=("10.8.8.8", 888), zone="west")])
    assert [type(event) for event in bench.events()] == [MemberUpdated]
    assert bench.context.table.lives_at(("10.8.8.8", 888))
    assert not bench.context.table.lives_at(("10.7.7.7", 777))


# Suspicion


def _ends(bench: Bench) -> float:
    return bench.inside.membership.suspicions.ends_at("x") - bench.now


def test_distinct_accusers_shorten_a_suspicion() -> None:
    """Each further accuser brings the verdict nearer, to a fourth; the same one twice does not."""
    bench = _bench("a", "b", "c", "d", "e", "x")
    _hear(bench, [about("x", SUSPECT, accuser="a")])
    lengths = [_ends(bench)]
    for accuser in ("a", "b", "b", "c", "d"):
        bench.hear("e", updates=[about("x", SUSPECT, accuser=accuser).encode()])
        lengths.append(_ends(bench))
    assert lengths[0] == pytest.approx(24, rel=1e-3)
    assert lengths[1] == lengths[0] > lengths[2] == lengths[3] > lengths[4] == lengths[5]
    assert lengths[5] == pytest.approx(4, rel=1e-3)
    assert len(bench.events(MemberSuspected)) == 1


def test_what_is_confirmed_late_ends_at_once() -> None:
    """A suspicion that others share so late that it should be over ends now, and nothing else does.

    A deadline in the past would be taken for a sign that this peer itself was stopped.
    """
    bench = _bench("a", "b", "c", "d", "e", "x", "y")
    _hear(bench, [about("x", SUSPECT, accuser="a"), about("y", SUSPECT, accuser="a")])
    bench.run(10)
    assert _row(bench) == (0, 0, SUSPECT)
    health = bench.core.health
    _hear(bench, [about("x", SUSPECT, accuser=accuser) for accuser in ("b", "c")])
    assert bench.core.deadline == bench.now
    bench.run(0.01)
    assert _row(bench) == (0, 0, DEAD)
    assert _row(bench, "y") == (0, 0, SUSPECT)
    assert bench.core.statistics()["lags"] == 0
    assert bench.core.health == health


def test_hearsay_confirms_nothing() -> None:
    """A suspicion that comes in an exchange is taken, but counts for nobody's confirmation."""
    bench = _bench("a", "b", "c", "d", "e", "x")
    _hear(bench, [about("x", SUSPECT, accuser="a")])
    before = _ends(bench)
    for accuser in ("b", "c", "d"):
        item = about("x", SUSPECT, accuser=accuser)
        assert _hearsay(bench, item, "e") is Outcome.UNCHANGED
    assert _ends(bench) == before


def test_a_death_by_hearsay_is_a_suspicion() -> None:
    """A member that is dead in an exchange may first refute; the peer that told accuses it."""
    bench = _bench("a", "x")
    item = about("x", DEAD, accuser="judge")
    assert _hearsay(bench, item, "a") is Outcome.CHANGED
    assert _row(bench) == (0, 0, SUSPECT)
    [event] = bench.events(MemberSuspected)
    assert event.by == "a"
    stranger = about("y", DEAD)
    assert _hearsay(bench, stranger, "a") is Outcome.CHANGED
    assert bench.core.members["y"].status is DEAD  # nobody here has known it alive
    assert not bench.events()


def test_the_dead_are_not_revived_by_hearsay() -> None:
    """A dead member stays dead when an exchange lists it as alive, suspect or dead."""
    bench = _bench("a", "x")
    _hear(bench, [about("x", DEAD)])
    bench.events()
    for item in (about("x"), about("x", SUSPECT), about("x", DEAD)):
        assert _hearsay(bench, item, "a") is Outcome.UNCHANGED
    assert _row(bench) == (0, 0, DEAD)
    assert not bench.events()


def test_a_suspicion_ends_in_death_or_by_refutation() -> None:
    """With nothing heard the suspect dies at the time-out, not before; a refutation ends it."""
    bench = _bench("a", "b", "x", "y")
    _hear(bench, [about("x", SUSPECT), about("y", SUSPECT)])
    _hear(bench, [about("y", incarnation=1)], "y")
    ends = _ends(bench)
    bench.events()
    bench.run(ends - 0.1)
    assert _row(bench) == (0, 0, SUSPECT)
    bench.run(0.2)
    assert _row(bench) == (0, 0, DEAD)
    assert _row(bench, "y") == (0, 1, ALIVE)
    [event] = bench.events(MemberFailed)
    assert (event.member.name, event.by) == ("x", "judge")
    assert bench.counts("suspicions") == (0,)


# Updates of this peer itself


@pytest.mark.parametrize("status", [SUSPECT, DEAD])
@pytest.mark.parametrize("ahead", [0, 7])
def test_an_accusation_is_refuted(status: Status, ahead: int) -> None:
    """Accused, at its incarnation or above, a peer raises it beyond and tells everybody."""
    bench = _bench("a", "b")
    _hear(bench, [about("me", status, incarnation=ahead)])
    assert bench.core.incarnation == ahead + 1
    assert [event.incarnation for event in bench.events(Refuted)] == [ahead + 1]
    assert bench.core.health == 1
    bench.run(0.006)
    assert about("me", incarnation=ahead + 1).encode() in bench.updates()
    _hear(bench, [about("me", status, incarnation=ahead)])
    assert bench.core.incarnation == ahead + 1


@pytest.mark.parametrize(
    "forged", [{"tail": b"\x81\x00"}, {"zone": "elsewhere"}, {"address": ("10.9.9.9", 1)}]
)
def test_what_a_peer_never_said_of_itself_is_answered(forged: dict[str, Any]) -> None:
    """The root does not show it, so that only the peer itself can end it, by an incarnation."""
    bench = Bench()
    bench.meet("a")
    nonce = bench.context.me.nonce
    own: dict[str, Any] = {"nonce": nonce, "address": bench.core.address}
    bench.hear("a", updates=[about("me", **own).encode()])
    assert bench.core.incarnation == 0
    bench.hear("a", updates=[about("me", **{**own, **forged}).encode()])
    assert bench.core.incarnation == 1
    assert bench.core.own_update in bench.updates()


def test_a_restart_with_a_clock_behind_raises_the_epoch() -> None:
    """Where the mesh knows a later life of ours, we begin one that is later still."""
    bench = _bench("a", "b")
    _hear(bench, [about("me", epoch=EPOCH + 5000, nonce=99)])
    assert bench.core.epoch == EPOCH + 5001
    assert bench.core.incarnation == 0
    assert [event.epoch for event in bench.events(EpochRaised)] == [EPOCH + 5001]
    bench.run(0.006)
    assert about("me", epoch=EPOCH + 5001).encode() in bench.updates()


def test_an_earlier_life_of_ours_concerns_nobody() -> None:
    """Updates of older epochs of this peer are not answered."""
    bench = _bench("a")
    _hear(bench, [about("me", DEAD, epoch=EPOCH - 1), about("me", LEFT, epoch=EPOCH - 1)])
    assert (bench.core.epoch, bench.core.incarnation) == (EPOCH, 0)
    assert not bench.events()


def test_two_processes_with_one_name_are_told_apart() -> None:
    """Another nonce at another address is reported once, with the address, and is not fought."""
    bench = _bench("a")
    for incarnation in (0, 1, 2):
        twin = about("me", nonce=99, address=("10.5.5.5", 555), incarnation=incarnation)
        _hear(bench, [twin])
    assert [event.address for event in bench.events(NameConflict)] == [("10.5.5.5", 555)]
    assert bench.core.conflict == "10.5.5.5:555"
    assert bench.core.epoch == EPOCH

    _hear(bench, [about("x", nonce=1), about("x", nonce=2, incarnation=3)])
    assert bench.core.members["x"].nonce == 1
    assert bench.counts("refused_nonce", "name_conflicts") == (1, 1)


def test_a_conflict_of_names_ends_when_the_other_is_silent() -> None:
    """Each word of the other process prolongs it; five minutes without one clear it."""
    bench = Bench()
    bench.meet("a")
    for incarnation in (0, 1):
        twin = about("me", nonce=99, address=("10.5.5.5", 555), incarnation=incarnation)
        _hear(bench, [twin])
        bench.run(280)
        assert bench.core.conflict == "10.5.5.5:555"
    bench.run(40)
    assert bench.core.conflict is None


# What cannot be


def test_epochs_far_ahead_are_refused() -> None:
    """An epoch more than a day ahead of the own clock is refused, of others and of ourselves."""
    bench = _bench("a")
    now = EPOCH + int((bench.now - 1000) * 1000)
    _hear(bench, [about("x", epoch=now + DAY_MS + 1000), about("me", epoch=now + DAY_MS + 1000)])
    assert "x" not in bench.core.members
    assert bench.core.epoch == EPOCH
    assert bench.counts("refused_epoch_ahead") == (2,)
    _hear(bench, [about("x", epoch=now + DAY_MS - 1000)])
    assert "x" in bench.core.members


def test_incarnations_do_not_leap() -> None:
    """A jump of 2^20 passes; one more is refused, so that no forger can use up the numbers."""
    bench = _bench("a", "x")
    _hear(bench, [about("x", SUSPECT, incarnation=INCARNATION_JUMP + 1)])
    assert _row(bench) == (0, 0, ALIVE)
    assert bench.counts("refused_incarnation") == (1,)
    _hear(bench, [about("x", SUSPECT, incarnation=INCARNATION_JUMP)])
    assert _row(bench) == (0, INCARNATION_JUMP, SUSPECT)


# Forgetting


def test_members_are_bounded() -> None:
    """Exactly `member_limit` members are kept; those known go on, new ones are counted."""
    bench = Bench(member_limit=5)
    bench.meet(*"abcdefg")
    assert set(bench.core.members) == set("abcde")
    assert bench.counts("refused_members") == (2,)


def test_the_gone_are_forgotten_and_stay_so() -> None:
    """After its time a gone member is listed no more, and a third party does not bring it back."""
    bench = _bench("a", "x", "y", left_for=10.0, dead_for=20.0, tombstone_for=3601.0)
    _hear(bench, [about("x", LEFT, incarnation=1), about("y", DEAD)])
    for seconds, listed in (
        (9.9, {"a", "x", "y"}),
        (0.2, {"a", "y"}),
        (9.8, {"a", "y"}),
        (0.2, {"a"}),
    ):
        bench.run(seconds)
        bench.inside.membership.reap(bench.now)
        assert set(bench.core.members) == listed
    assert [event.name for event in bench.events(MemberForgotten)] == ["x", "y"]
    assert bench.counts("member_tombstones") == (2,)
    _hear(bench, [about("x", incarnation=9), about("y", incarnation=9)])
    assert not {"x", "y"} & set(bench.core.members)
    assert bench.counts("refused_tombstone") == (2,)
    _hear(bench, [about("x", epoch=EPOCH + 1)])
    assert "x" in bench.core.members
    bench.run(3605)
    bench.inside.membership.reap(bench.now)
    assert bench.counts("member_tombstones") == (0,)


def test_after_many_joins_and_leaves_the_state_is_bounded() -> None:
    """Twenty-five thousand members that came and went leave bounded rows, stones and timers."""
    bench = _bench("a", left_for=1.0)
    for number in range(25_000):
        name = f"m{number}"
        _hear(bench, [about(name), about(name, LEFT, incarnation=1)])
        if number % 500 == 0:
            bench.run(1)
            bench.inside.membership.reap(bench.now)
            bench.core.outbox.clear()
            bench.core.events.clear()
    bench.run(5)
    bench.inside.membership.reap(bench.now)
    assert len(bench.core.members) <= 1
    assert bench.counts("member_tombstones")[0] <= 20_000
    assert bench.counts("timers")[0] < 600
    assert bench.counts("rumors_membership")[0] <= 2048
    assert len(bench.inside.planner) < 600


def test_the_dead_are_bounded_however_many_die() -> None:
    """More than 4,096 dead members at a time are not kept; the oldest go first."""
    bench = _bench("a")
    for number in range(4200):
        bench.now += 0.01
        _hear(bench, [about(f"m{number}", DEAD)])
    bench.inside.membership.reap(bench.now)
    assert len(bench.context.table.dead) == 4096
    assert "m0" not in bench.core.members
    assert "m4199" in bench.core.members


def test_what_a_leaver_hears_of_itself_it_does_not_refute() -> None:
    """A peer that has left lets itself be accused."""
    bench = _bench("a")
    bench.core.leave(bench.now)
    _hear(bench, [about("me", DEAD, incarnation=5)])
    assert bench.core.incarnation == 1
    assert not bench.events(Refuted)
