from dataclasses import replace
from math import inf

import pytest

from gossamer.gossip import Member, Status
from gossamer.peers.model import Override
from gossamer.peers.registry._entry import NO_DECISION, Decision, Entry
from gossamer.peers.registry._owner import Owner, Standing
from gossamer.peers.registry._records import Intervention, Kind, Record

DOWN = Override("DOWN", None, "x", None)
STARTING = Override("STARTING", None, "y", None)
RECORD = Record(
    stamp=10,
    status="UP",
    address="10.0.0.5",
    port=8080,
    tags=(),
    metadata=(),
    weight=1,
    zone=None,
    ttl_ms=30_000,
    registered_ms=1,
    updated_ms=1,
    override=None,
    override_stamp=0,
)


def decide(stamp: int, kind: Kind, override: Override | None = None) -> Intervention:
    return Intervention(stamp, kind, "a", 1, override, 1)


def member(status: Status, epoch: int = 5, since: float = 90.0) -> Member:
    return Member("a", epoch, 0, status, ("10.0.0.1", 7940), "", 1, since)


def test_nothing_known_is_no_decision() -> None:
    """An instance that nobody decided on has no override."""
    assert Entry().decision() == NO_DECISION
    assert Entry({"a": RECORD}).decision() == NO_DECISION
    assert Entry().empty
    assert Entry().highest == Entry().removed == 0


def test_the_highest_stamp_decides_wherever_it_stands() -> None:
    """Decisions in records of any owner and in interventions of any writer compete alike."""
    entry = Entry(
        {"a": replace(RECORD, override=DOWN, override_stamp=20), "b": replace(RECORD, stamp=40)},
        {"c": decide(30, Kind.STATUS, STARTING)},
    )
    assert entry.decision() == Decision(30, STARTING)
    entry.interventions["d"] = decide(35, Kind.CLEAR)
    assert entry.decision() == Decision(35, None)
    entry.records["b"] = replace(RECORD, stamp=40, override=DOWN, override_stamp=36)
    assert entry.decision() == Decision(36, DOWN)
    assert entry.highest == 40


def test_a_removal_voids_what_was_before_it() -> None:
    """Neither an older intervention nor an older registration's override outlives a removal."""
    entry = Entry(
        {
            "a": replace(RECORD, override=DOWN, override_stamp=60),
            "b": replace(RECORD, stamp=60, override=DOWN, override_stamp=70),
        },
        {"c": decide(30, Kind.STATUS, STARTING), "d": decide(50, Kind.REMOVE)},
    )
    assert entry.removed == 50
    assert entry.decision() == Decision(70, DOWN)
    del entry.records["b"]
    assert entry.decision() == Decision(50, None)
    entry.interventions["c"] = decide(55, Kind.STATUS, STARTING)
    assert entry.decision() == Decision(55, STARTING)


def test_equal_stamps_are_told_apart_by_name() -> None:
    """Of two interventions with one stamp the same one wins in whatever order they came."""
    one, two = decide(30, Kind.STATUS, DOWN), decide(30, Kind.STATUS, STARTING)
    assert Entry({}, {"c": one, "d": two}).decision() == Decision(30, STARTING)
    assert Entry({}, {"d": two, "c": one}).decision() == Decision(30, STARTING)


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (member(Status.ALIVE), Standing.HERE),
        (member(Status.SUSPECT), Standing.HERE),
        (member(Status.DEAD), Standing.LOST),
        (member(Status.LEFT), Standing.GONE),
        (None, Standing.GONE),
        # The part is of a life that is over.
        (member(Status.ALIVE, epoch=6), Standing.GONE),
        (member(Status.DEAD, epoch=6), Standing.GONE),
        # The part is of a life that the member table has not heard of yet.
        (member(Status.ALIVE, epoch=4), Standing.HERE),
        (member(Status.DEAD, epoch=4), Standing.GONE),
    ],
)
def test_an_owner_stands_by_its_own_life(state: Member | None, standing: Standing) -> None:
    """An owner vouches only while it is alive, in the life that wrote the part."""
    owner = Owner("a", 5)
    owner.judge(state, 100.0)
    assert owner.standing is standing


def test_grace_is_counted_from_the_verdict() -> None:
    """A leased instance stays for its lease from the verdict, one of the process not at all."""
    owner = Owner("a", 5)
    assert not owner.judge(member(Status.ALIVE), 80.0)
    assert owner.shown_until(RECORD) == owner.shown_until(replace(RECORD, ttl_ms=None)) == inf
    assert owner.judge(member(Status.DEAD), 100.0)
    assert owner.shown_until(RECORD) == 120.0
    assert owner.shown_until(replace(RECORD, ttl_ms=None)) == 0.0
    # Neither a departure nor a later life that is heard of afterwards prolongs it.
    assert owner.judge(member(Status.LEFT, since=110.0), 110.0)
    assert owner.judge(member(Status.ALIVE, epoch=6), 115.0) is False
    assert owner.shown_until(RECORD) == 120.0
    assert owner.judge(member(Status.ALIVE), 116.0)
    assert owner.judge(None, 130.0)
    assert owner.shown_until(RECORD) == 160.0
