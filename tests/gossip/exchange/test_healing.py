"""Finding the members again that were declared dead."""

import pytest
from cores import (
    Bench,
    Link,
    about,
    address_of,
    declare_dead,
    gossip,
)

from gossamer.gossip import Address, Status
from gossamer.gossip.messages import Ack, Ping

SEEDS: list[Address] = [(f"10.1.1.{number}", 1) for number in range(1, 6)]


def _heal_pings(bench: Bench, seconds: float) -> int:
    count = 0
    until = bench.now + seconds
    while bench.now < until:
        bench.run(1)
        for item in bench.sent(Ping):
            name = item.told(Ping).target
            row = bench.core.members.get(str(name))
            if row is None or row.status is Status.DEAD:
                count += 1
            else:
                bench.hear(str(name), Ack(item.packet.messages[0].sequence, bench.core.root))
        bench.calls()
    return count


@pytest.mark.parametrize("dead", [1, 20])
def test_the_dead_are_tried_again_at_a_bounded_rate(dead: int) -> None:
    """At most one contact a period, and over ten living members about two for each of the dead."""
    bench = Bench()
    names = [f"m{number}" for number in range(9)]
    gone = [f"x{number}" for number in range(dead)]
    bench.meet(*names, *gone)
    for name in gone:
        bench.hear("m0", updates=[about(name, Status.DEAD).encode()])
    bench.inside.joining.acquainted()
    pings = _heal_pings(bench, 400)
    share = min(1.0, 2 * dead / 10)
    assert 0.6 * share * 400 <= pings <= min(420, 1.4 * share * 400)


def test_seeds_where_nobody_lives_are_tried_as_the_dead_are() -> None:
    """A seed without a living member is pinged without end; a seed with a member is not."""
    bench = Bench()
    link = Link(bench.core, gossip("s"))
    bench.core.join([address_of("s"), SEEDS[0]], link.now)
    link.run(40)
    pinged = {t for s, t, _ in link.datagrams if s == bench.core.address}
    assert bench.core.joined
    assert pinged == {address_of("s"), SEEDS[0]}
    count = sum(1 for _, t, _ in link.datagrams if t == SEEDS[0])
    assert 15 <= count <= 60


def test_of_many_that_return_one_is_met_after_a_moment() -> None:
    """Of 50 that speak up after a cut one is exchanged with, and not at once; one alone is."""
    bench = Bench()
    names = [f"p{number}" for number in range(50)]
    bench.meet("a", *names)
    bench.inside.joining.acquainted()
    declare_dead(bench, names)
    for name in names:
        bench.inside.healing.returned(name, address_of(name), bench.now)
    assert not bench.calls("heal")
    bench.run(1.0)
    assert len(bench.calls("heal")) == 1

    alone = Bench()
    alone.meet("a", "p0")
    alone.inside.joining.acquainted()
    declare_dead(alone, ["p0"])
    alone.inside.healing.returned("p0", address_of("p0"), alone.now)
    assert len(alone.calls("heal")) == 1


def test_who_has_returned_meanwhile_is_not_met() -> None:
    """What a member says of itself makes the exchange that waited needless."""
    bench = Bench()
    names = ["p0", "p1", "p2"]
    bench.meet("a", *names)
    bench.inside.joining.acquainted()
    declare_dead(bench, names)
    bench.inside.healing.returned("p0", address_of("p0"), bench.now)
    bench.hear("p0", updates=[about("p0", incarnation=1).encode()])
    bench.run(1.0)
    assert not bench.calls("heal")
