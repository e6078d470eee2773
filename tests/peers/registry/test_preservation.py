import pytest

from gossamer.peers.model import RegistryConfig
from gossamer.peers.registry._preservation import Preservation


def make(size: int, **changes: float) -> Preservation:
    """Return what one peer of a mesh of `size` knows, with all others alive."""
    preservation = Preservation(RegistryConfig(**changes))  # type: ignore[arg-type]
    for number in range(1, size):
        preservation.lived(f"p{number}", 0.0)
    return preservation


def kept(preservation: Preservation) -> list[str]:
    """Return who is preserved, all that was heard considered."""
    preservation.judge()
    return preservation.kept


def run(preservation: Preservation, until: float) -> list[str]:
    """Let time pass; return whose preservation began or ended."""
    changed = preservation.judge()
    while preservation.deadline <= until:
        preservation.tick(preservation.deadline)
        changed += preservation.judge()
    return changed


@pytest.mark.parametrize("size", [2, 3, 5, 100])
def test_one_crash_is_never_preserved(size: int) -> None:
    """A peer that dies alone is not preserved, in a mesh of any size."""
    preservation = make(size)
    preservation.suspected("p1", 1.0)
    preservation.failed("p1", False, 5.0)
    assert kept(preservation) == []
    assert run(preservation, 1000.0) == []


@pytest.mark.parametrize(("size", "fewest"), [(3, 2), (5, 2), (6, 2), (7, 3), (20, 6), (100, 30)])
def test_a_loss_begins_at_the_share(size: int, fewest: int) -> None:
    """At least two, and at least 30 % of the peers with this one, make a loss."""
    preservation = make(size)
    for number in range(1, fewest):
        preservation.failed(f"p{number}", False, 5.0)
        assert kept(preservation) == []
    preservation.failed(f"p{fewest}", False, 6.0)
    assert kept(preservation) == [f"p{number}" for number in range(1, fewest + 1)]


def test_the_first_verdict_of_a_loss_is_preserved_at_once() -> None:
    """While the others are still suspect the first to be judged stays, so nothing flickers."""
    preservation = make(5)
    for name in ("p1", "p2", "p3"):
        preservation.suspected(name, 1.0)
    preservation.failed("p1", False, 5.0)
    assert kept(preservation) == ["p1"]
    preservation.failed("p2", False, 5.5)
    preservation.failed("p3", False, 6.0)
    assert kept(preservation) == ["p1", "p2", "p3"]


def test_a_suspect_that_speaks_up_was_no_part_of_a_loss() -> None:
    """A crash beside a false suspicion is preserved no longer than the suspicion lasts."""
    preservation = make(5)
    preservation.suspected("p1", 1.0)
    preservation.failed("p1", False, 5.0)
    preservation.suspected("p2", 5.1)
    assert kept(preservation) == ["p1"]
    preservation.lived("p2", 5.2)
    assert kept(preservation) == []


def test_losses_far_apart_are_no_loss() -> None:
    """Peers that die more than a window apart are not counted together."""
    preservation = make(5)
    preservation.failed("p1", False, 0.0)
    preservation.failed("p2", False, 60.0)
    assert kept(preservation) == []
    run(preservation, 200.0)
    preservation.failed("p3", False, 200.0)
    assert kept(preservation) == []


@pytest.mark.parametrize("definite", [True, False])
def test_known_deaths_and_departures_do_not_count(definite: bool) -> None:
    """Peers that are known to have died, or that left, are neither counted nor preserved."""
    preservation = make(6)
    preservation.failed("p1", False, 1.0)
    for name in ("p2", "p3", "p4"):
        if definite:
            preservation.failed(name, True, 1.0)
        else:
            preservation.left(name, 1.0)
    assert kept(preservation) == []


def test_those_who_left_within_the_window_lived_when_it_began() -> None:
    """A rolling stop does not lower the bar for crashes beside it."""
    preservation = make(20)
    for number in range(1, 11):
        preservation.left(f"p{number}", 10.0)
    for number in range(11, 16):
        preservation.failed(f"p{number}", False, 20.0)
    assert kept(preservation) == []
    preservation.failed("p16", False, 20.0)
    assert len(kept(preservation)) == 6


def test_those_who_were_dead_when_first_heard_of_are_no_loss() -> None:
    """A peer that joins learns of the dead of old days and preserves none of them."""
    preservation = make(3)
    for number in range(10, 20):
        preservation.failed(f"p{number}", False, 1.0)
    assert kept(preservation) == []


@pytest.mark.parametrize("end", ["lived", "left", "forgotten", "definite"])
def test_it_ends_for_one_that_is_heard_of(end: str) -> None:
    """A return, a departure and evidence of death each end it for that peer alone."""
    preservation = make(5)
    for name in ("p1", "p2", "p3"):
        preservation.failed(name, False, 1.0)
    assert preservation.judge() == ["p1", "p2", "p3"]
    match end:
        case "lived":
            preservation.lived("p1", 2.0)
        case "left":
            preservation.left("p1", 2.0)
        case "forgotten":
            preservation.forgotten("p1", 2.0)
        case _:
            preservation.failed("p1", True, 2.0)
    assert preservation.judge() == ["p1"]
    assert kept(preservation) == ["p2", "p3"]


def test_it_ends_when_enough_are_back_for_a_while() -> None:
    """Fewer than the threshold missing for ten seconds is a loss no longer."""
    preservation = make(5)
    for name in ("p1", "p2", "p3"):
        preservation.failed(name, False, 1.0)
    preservation.lived("p1", 100.0)
    preservation.lived("p2", 101.0)
    assert kept(preservation) == ["p3"]
    run(preservation, 110.9)
    assert kept(preservation) == ["p3"]
    run(preservation, 111.0)
    assert kept(preservation) == []


def test_it_goes_on_when_those_who_came_back_are_lost_again() -> None:
    """A link that flaps within the ten seconds does not end it."""
    preservation = make(5)
    for name in ("p1", "p2"):
        preservation.failed(name, False, 1.0)
    preservation.lived("p1", 10.0)
    preservation.failed("p1", False, 15.0)
    run(preservation, 100.0)
    assert kept(preservation) == ["p2", "p1"]


def test_it_ends_for_each_by_its_own_time() -> None:
    """Nobody is preserved for longer than is configured, counted from the verdict."""
    preservation = make(5, preserve_for=100.0)
    preservation.failed("p1", False, 1.0)
    preservation.failed("p2", False, 5.0)
    assert preservation.ends_at("p1") == 101.0
    run(preservation, 100.9)
    assert kept(preservation) == ["p1", "p2"]
    run(preservation, 101.0)
    assert kept(preservation) == ["p2"]
    run(preservation, 105.0)
    assert kept(preservation) == []
    run(preservation, 10_000.0)
    assert preservation.remembered()["missing"] == 0


def test_an_accepted_loss_does_not_come_back() -> None:
    """What an operator gave up is not counted again, but a further loss is."""
    preservation = make(10)
    for name in ("p1", "p2", "p3"):
        preservation.failed(name, False, 1.0)
    preservation.accept_all(2.0)
    assert kept(preservation) == []
    preservation.failed("p4", False, 3.0)
    preservation.failed("p5", False, 3.0)
    assert kept(preservation) == []
    preservation.failed("p6", False, 4.0)
    assert kept(preservation) == ["p4", "p5", "p6"]


def test_a_loss_is_accepted_per_service() -> None:
    """Giving up one service leaves the others of the same peers."""
    preservation = make(5)
    for name in ("p1", "p2"):
        preservation.failed(name, False, 1.0)
    assert kept(preservation) == ["p1", "p2"]
    preservation.accept("p1", "orders")
    assert not preservation.keeps("p1", "orders")
    assert preservation.keeps("p1", "payments")
    assert preservation.keeps("p2", "orders")


def test_churn_leaves_nothing_behind() -> None:
    """After many joins, crashes and departures only those who live are remembered."""
    preservation = make(3)
    for number in range(5000):
        now = float(number)
        preservation.lived(f"x{number}", now)
        if number % 2:
            preservation.left(f"x{number}", now)
        else:
            preservation.failed(f"x{number}", False, now)
            preservation.forgotten(f"x{number}", now)
    run(preservation, 6000.0)
    assert preservation.remembered() == {"alive": 2, "suspect": 0, "missing": 0, "departed": 0}
