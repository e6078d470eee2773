"""With whom state is exchanged, when, and how often at most."""

from itertools import pairwise

import pytest
from cores import (
    EPOCH,
    NOW,
    ROOT,
    SEAL,
    Bench,
    Link,
    about,
    address_of,
    converse,
    gossip,
    hold_for_dead,
)

from gossamer.gossip import Address, Exchange, Joined, SeedIsSelf, Status, encode
from gossamer.gossip.messages import Ack, Busy, Hello, Leave, NotMe, Open, Ping, encode_head

SEEDS: list[Address] = [(f"10.1.1.{number}", 1) for number in range(1, 6)]


def _alone() -> Bench:
    """Return a core that knows nobody, so that only contacts act."""
    return Bench()


def _greet(call: Exchange, bench: Bench, name: str = "s") -> None:
    call.outbox.clear()
    hello = encode([Hello.KIND, about(name).encode()])
    call.receive(SEAL.seal(hello, EPOCH), bench.now)


def _calls_over(bench: Bench, seconds: float) -> list[tuple[float, Exchange]]:
    """Let time pass in small steps, fail every stream at once, and return them with their times."""
    until, calls = bench.now + seconds, list[tuple[float, Exchange]]()
    while bench.now < until:
        bench.run(0.05)
        for call in bench.calls():
            calls.append((bench.now, call))
            call.fail("refused", bench.now)
        bench.sent()
    return calls


# Joining


def test_seeds_are_tried_three_at_a_time() -> None:
    """Three joins begin at once; each that fails makes room for the next seed."""
    bench = _alone()
    bench.core.join(SEEDS, bench.now)
    first = bench.calls()
    assert [(call.purpose, call.address) for call in first] == [("join", s) for s in SEEDS[:3]]
    first[0].fail("refused", bench.now)
    assert [call.address for call in bench.calls()] == SEEDS[3:4]
    assert not bench.core.joined


def test_a_seed_that_is_down_costs_nothing() -> None:
    """One answer is enough while others hang: the peer has joined, once, and tries no further."""
    bench, other = _alone(), gossip("s")
    bench.core.join([SEEDS[0], other.address, SEEDS[1]], bench.now)
    hanging, good, _ = bench.calls()
    converse(good, other.accept(bench.core.address, NOW), bench.now)
    assert bench.core.joined
    assert len(bench.events(Joined)) == 1
    hanging.fail("timeout", bench.now)
    bench.run(30)
    assert not bench.calls("join")


def test_joining_is_retried_for_ever_ever_slower() -> None:
    """With every seed down each is tried again after half a second to ten seconds, for ever."""
    bench = _alone()
    bench.core.join(SEEDS[:2], bench.now)
    begun = [(bench.now, call) for call in bench.calls()]
    for _, call in begun:
        call.fail("refused", bench.now)
    begun += _calls_over(bench, 300)
    for seed in SEEDS[:2]:
        times = [when for when, call in begun if call.address == seed]
        waits = [b - a for a, b in pairwise(times)]
        assert 0.2 <= waits[0] <= 0.6
        assert all(4.9 <= wait <= 10.1 for wait in waits[6:])
        assert times[-1] > bench.now - 10.1
        assert len(times) < 70


def test_a_busy_seed_says_when_to_come_back() -> None:
    """A refusal with a hint is obeyed, and is no lost time beyond it."""
    bench = _alone()
    bench.core.join(SEEDS[:1], bench.now)
    [call] = bench.calls()
    _greet(call, bench)
    call.receive(SEAL.seal(encode([Busy.KIND, 2000]), 0), bench.now)
    assert call.finished
    bench.run(1.99)
    assert not bench.calls("join")
    bench.run(0.02)
    assert len(bench.calls("join")) == 1


def test_new_seeds_take_the_place_of_the_old() -> None:
    """A second call forgets seeds that are not repeated; those that are keep their patience."""
    bench = _alone()
    bench.core.join(SEEDS[:2], bench.now)
    for call in bench.calls():
        call.fail("refused", bench.now)
    bench.core.join(SEEDS[1:3], bench.now)
    assert [call.address for call in bench.calls()] == [SEEDS[2]]
    assert SEEDS[0] not in {call.address for _, call in _calls_over(bench, 20)}


def test_the_only_seed_is_this_peer() -> None:
    """Given its own address a peer calls nobody, has not joined, and says so once."""
    bench = _alone()
    for _ in range(3):
        bench.core.join([bench.core.address], bench.now)
    assert [event.address for event in bench.events(SeedIsSelf)] == [bench.core.address]
    assert (bench.core.seed_is_self, bench.core.joined) == (True, False)
    assert not bench.calls()
    bench.core.join([bench.core.address, SEEDS[0]], bench.now)
    assert (bench.core.seed_is_self, bench.core.joined) == (False, False)
    assert [call.address for call in bench.calls()] == [SEEDS[0]]


def test_to_be_pinged_is_not_to_have_joined() -> None:
    """A peer that others know has still not joined until it has exchanged state."""
    bench = _alone()
    bench.core.join(SEEDS[:1], bench.now)
    bench.meet("a", "b")
    before = bench.core.joined
    bench.core.join([], bench.now)
    assert (before, bench.core.joined) == (False, True)


# Healing


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
    bench = _alone()
    names = [f"m{number}" for number in range(9)]
    gone = [f"x{number}" for number in range(dead)]
    bench.meet(*names, *gone)
    for name in gone:
        bench.hear("m0", updates=[about(name, Status.DEAD).encode()])
    bench.inside.joining.acquainted()
    pings = _heal_pings(bench, 400)
    share = min(1.0, 2 * dead / 10)
    assert 0.6 * share * 400 <= pings <= min(420, 1.4 * share * 400)


def test_a_contact_of_the_dead_carries_what_is_held_of_it() -> None:
    """The dead member learns from the ping itself that it has to speak up, and who asks."""
    bench = _alone()
    bench.meet("x")
    obituary = about("x", Status.DEAD, accuser="").encode()
    bench.hear("a", updates=[obituary])
    bench.sent()
    bench.run(25)
    contact = next(i for i in bench.sent(Ping) if i.told(Ping).target == "x")
    assert contact.to_epoch == EPOCH
    assert contact.packet.updates[:2] == [bench.context.me.update().encode(), obituary]


@pytest.mark.parametrize("kind", [Ack, NotMe])
def test_an_answer_to_a_contact_leads_to_an_exchange(kind: type) -> None:
    """Whoever was away and answers is exchanged with at once; a second answer begins no second."""
    bench = _alone()
    bench.meet("x")
    bench.hear("a", updates=[about("x", Status.DEAD).encode()])
    bench.inside.contacts.contact(bench.core.members["x"], [])
    [ping] = bench.sent(Ping)
    number = ping.told(Ping).sequence
    answer = Ack(number, ROOT) if kind is Ack else NotMe(number)
    bench.calls()
    bench.hear("x", answer)
    [call] = bench.calls()
    assert (call.purpose, call.address) == ("heal", address_of("x"))
    call.fail("refused", bench.now)
    bench.now += 0.4  # too soon to be told again that it is declared dead
    bench.hear("x", answer)
    assert not bench.calls()


def test_contacts_are_bounded() -> None:
    """Only the last 64 contacts are remembered."""
    bench = _alone()
    for number in range(100):
        bench.inside.contacts.ask_who_is_there(("10.2.2.2", number + 1))
    assert len(bench.inside.contacts) == 64
    first, *_, last = [item.packet.messages[0].sequence for item in bench.sent(Ping)]
    for sequence in (first, last):
        bench.hear("x", Ack(sequence, ROOT))
    assert [call.address for call in bench.calls()] == [("10.2.2.2", 100)]


def test_what_is_addressed_to_no_life_is_answered_and_not_believed() -> None:
    """A ping to whoever is there gets its answer; what else it says could be of any time."""
    bench = _alone()
    before = bench.core.root
    updates = [about("old").encode(), encode_head("o", EPOCH, 1)]
    bench.hear("old", Ping(7, ""), Leave(8), updates=updates, to_epoch=0)
    [answer] = bench.sent()
    assert answer.packet.messages == [Ack(7, bench.core.root)]
    assert not bench.core.members
    assert (bench.core.root, bench.calls()) == (before, [])
    assert bench.counts("refused_epoch", "refused_update") == (1, 2)


def test_who_answers_at_a_strange_address_is_told_who_asked() -> None:
    """The ping could not say it; the answer names the life to which it can be said."""
    bench = _alone()
    bench.meet("a")
    bench.inside.contacts.ask_who_is_there(SEEDS[0])
    [ping] = bench.sent(Ping)
    assert (ping.to_epoch, ping.packet.updates) == (0, [])
    bench.hear("s", Ack(ping.packet.messages[0].sequence, ROOT), epoch=EPOCH + 5, sender=SEEDS[0])
    told = [item for item in bench.sent() if item.address == SEEDS[0]]
    assert [(item.to_epoch, item.packet.updates[0]) for item in told] == [
        (EPOCH + 5, bench.context.me.update().encode())
    ]


def test_what_is_meant_for_others_does_not_use_up_what_a_member_may_send() -> None:
    """Datagrams recorded elsewhere, sent in a member's name, leave its own to be heard."""
    bench = Bench(sender_datagrams=20)
    bench.meet("a")
    for number in range(100):
        bench.hear("a", Ping(number, "b"), to_epoch=EPOCH + 1)
        bench.hear("a", Ping(number, ""), to_epoch=0)
    answered = len(bench.sent())
    assert 0 < answered <= 40  # two windows at most
    assert bench.counts("refused_rate") == (200 - answered,)
    bench.hear("a", Ping(500, "me"))
    assert [item.packet.messages for item in bench.sent(Ack)] == [[Ack(500, bench.core.root)]]


def test_that_a_seed_is_this_peer_is_looked_into_again() -> None:
    """Who reflects what a peer sends has that believed for a minute at most, and told once."""
    bench = _alone()
    bench.core.join(SEEDS[:1], bench.now)
    for _ in range(2):
        [call] = bench.calls()
        converse(call, bench.core.accept(("10.200.0.9", 2), bench.now), bench.now)
        assert bench.core.seed_is_self
        bench.run(59)
        assert not bench.calls()
        bench.run(2)
    [call] = bench.calls()
    converse(call, gossip("s").accept(bench.core.address, bench.now), bench.now)
    assert (bench.core.joined, bench.core.seed_is_self) == (True, False)
    assert len(bench.events(SeedIsSelf)) == 1


def test_only_a_ping_to_a_seed_that_comes_back_makes_it_this_peer() -> None:
    """From whatever address; others that are sent back do not, and the seed's own word wins."""
    bench = _alone()
    bench.meet("a")
    bench.inside.joining.acquainted()
    bench.core.join(SEEDS[:1], bench.now)
    found = list[bool]()
    bench.hear("me", Ping(5, ""), sender=SEEDS[0], to_epoch=0)
    bench.hear("me", Ping(6, "a"), sender=SEEDS[0])
    found.append(bench.core.seed_is_self)
    bench.inside.contacts.ask_who_is_there(SEEDS[0])
    [ping] = bench.sent(Ping)
    number = ping.packet.messages[0].sequence
    bench.hear("me", Ping(number, ""), sender=("10.200.0.7", 9), to_epoch=0)
    found.append(bench.core.seed_is_self)
    bench.hear("s", Ack(number, ROOT), sender=SEEDS[0])
    found.append(bench.core.seed_is_self)
    assert found == [False, True, False]
    assert [call.address for call in bench.calls("heal")] == [SEEDS[0]]


def test_a_slow_opening_has_time_for_its_question() -> None:
    """Each of the first two frames may take two seconds, so that a round trip may."""
    bench = _alone()
    called = bench.core.accept(("10.1.1.1", 1), bench.now)
    opening = SEAL.seal(encode([Open.KIND, about("c").encode()]), EPOCH)
    called.receive(opening, bench.now + 1.9)
    assert bench.now + 3.8 < called.deadline < bench.now + 4


def test_seeds_where_nobody_lives_are_tried_as_the_dead_are() -> None:
    """A seed without a living member is pinged for ever; one with a member is not."""
    bench = _alone()
    link = Link(bench.core, gossip("s"))
    bench.core.join([address_of("s"), SEEDS[0]], link.now)
    link.run(40)
    pinged = {t for s, t, _ in link.datagrams if s == bench.core.address}
    assert bench.core.joined
    assert pinged == {address_of("s"), SEEDS[0]}
    count = sum(1 for _, t, _ in link.datagrams if t == SEEDS[0])
    assert 15 <= count <= 60


# Bounds


def test_outbound_exchanges_are_bounded() -> None:
    """At most six streams are wanted at a time, and one to each address."""
    bench = _alone()
    exchanges = bench.inside.exchanges
    for number in range(9):
        for _ in range(2):
            exchanges.begin("heal", ("10.3.3.3", number + 1), bench.now)
    calls = bench.calls()
    assert len({call.address for call in calls}) == len(calls) == 6
    calls[0].fail("refused", bench.now)
    assert exchanges.begin("heal", ("10.3.3.3", 9), bench.now)


def test_inbound_exchanges_are_bounded() -> None:
    """The fourth at a time is told to come back in 100 to 400 ms; one that ends makes room."""
    bench = _alone()
    served, refused = list[Exchange](), list[Exchange]()
    for number in range(5):
        caller = gossip(f"c{number}")
        caller.inside.exchanges.begin("heal", bench.core.address, NOW)
        [call] = caller.calls
        exchange = bench.core.accept(caller.address, bench.now)
        exchange.receive(call.outbox.pop(), bench.now)
        call.receive(exchange.outbox.pop(), NOW)
        assert bench.inside.exchanges.served == len(served)  # to be greeted takes no place
        exchange.receive(call.outbox.pop(0), bench.now)
        (refused if exchange.finished else served).append(exchange)
        if exchange.finished:
            call.receive(exchange.outbox[0], NOW)
            retry = call.retry_after  # type: ignore[attr-defined]
            assert 0.1 <= retry <= 0.4
    assert (len(served), len(refused)) == (3, 2)
    assert bench.counts("refused_exchanges") == (2,)
    for exchange in served:
        exchange.fail("broken", bench.now)
        exchange.fail("broken again", bench.now)
    assert bench.inside.exchanges.served == 0


def test_what_is_wanted_from_one_peer_is_bounded() -> None:
    """Of a flood of heads 64 are fetched at once and 1,024 wait; the rest is left to the roots."""
    bench = _alone()
    bench.meet("a", "b")
    for first in range(0, 1500, 10):
        heads = [encode_head(f"o{number}", EPOCH, 1) for number in range(first, first + 10)]
        bench.hear("a", updates=heads)
    calls = bench.calls("fetch")
    assert [call.address for call in calls] == [address_of("a")]
    assert len(bench.inside.fetches.waiting_from("a")) == 1024
    calls[0].fail("broken", bench.now)
    assert not bench.inside.fetches.waiting_from("a")


def test_what_comes_while_fetching_is_fetched_next() -> None:
    """Heads heard during a fetch are fetched together when it is done."""
    bench, other = _alone(), gossip("a")
    bench.meet("a", "b")
    for number in range(3):
        bench.hear("a", updates=[encode_head(f"o{number}", EPOCH, 1)])
    [call] = bench.calls("fetch")
    assert call.owners == ["o0"]  # type: ignore[attr-defined]
    converse(call, other.accept(bench.core.address, NOW), bench.now)
    [call] = bench.calls("fetch")
    assert call.owners == ["o1", "o2"]  # type: ignore[attr-defined]


def test_who_has_left_begins_nothing() -> None:
    """After leaving no stream is wanted any more."""
    bench = _alone()
    bench.meet("a")
    bench.core.leave(bench.now)
    assert not bench.inside.exchanges.begin("heal", address_of("a"), bench.now)
    bench.hear("a", updates=[encode_head("o", EPOCH, 1)])
    assert not bench.calls("fetch", "heal", "repair")


def test_a_greeting_alone_is_no_join() -> None:
    """A seed that greets and then breaks off has not given its state."""
    bench = _alone()
    bench.core.join(SEEDS[:1], bench.now)
    [call] = bench.calls()
    _greet(call, bench)
    assert "s" in bench.core.members
    call.fail("broken", bench.now)
    assert not bench.core.joined
    assert not bench.events(Joined)


def test_of_many_that_return_one_is_met_after_a_moment() -> None:
    """Of 50 that speak up after a cut one is exchanged with, and not at once; one alone is."""
    bench = _alone()
    names = [f"p{number}" for number in range(50)]
    bench.meet("a", *names)
    bench.inside.joining.acquainted()
    hold_for_dead(bench, names)
    for name in names:
        bench.inside.healing.returned(name, address_of(name), bench.now)
    assert not bench.calls("heal")
    bench.run(1.0)
    assert len(bench.calls("heal")) == 1

    alone = _alone()
    alone.meet("a", "p0")
    alone.inside.joining.acquainted()
    hold_for_dead(alone, ["p0"])
    alone.inside.healing.returned("p0", address_of("p0"), alone.now)
    assert len(alone.calls("heal")) == 1


def test_who_has_returned_meanwhile_is_not_met() -> None:
    """What a member says of itself makes the exchange that waited needless."""
    bench = _alone()
    names = ["p0", "p1", "p2"]
    bench.meet("a", *names)
    bench.inside.joining.acquainted()
    hold_for_dead(bench, names)
    bench.inside.healing.returned("p0", address_of("p0"), bench.now)
    bench.hear("p0", updates=[about("p0", incarnation=1).encode()])
    bench.run(1.0)
    assert not bench.calls("heal")
