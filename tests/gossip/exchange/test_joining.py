"""Joining a mesh through seeds."""

from itertools import pairwise

from cores import (
    EPOCH,
    NOW,
    SEAL,
    Bench,
    about,
    converse,
    gossip,
)

from gossamer.gossip import Address, Exchange, Joined, SeedIsSelf, encode
from gossamer.gossip.messages import Busy, Hello

SEEDS: list[Address] = [(f"10.1.1.{number}", 1) for number in range(1, 6)]


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


def test_seeds_are_tried_three_at_a_time() -> None:
    """Three joins begin at once; each that fails makes room for the next seed."""
    bench = Bench()
    bench.core.join(SEEDS, bench.now)
    first = bench.calls()
    assert [(call.purpose, call.address) for call in first] == [("join", s) for s in SEEDS[:3]]
    first[0].fail("refused", bench.now)
    assert [call.address for call in bench.calls()] == SEEDS[3:4]
    assert not bench.core.joined


def test_a_seed_that_is_down_costs_nothing() -> None:
    """One answer is enough while others hang: the peer has joined, once, and tries no further."""
    bench, other = Bench(), gossip("s")
    bench.core.join([SEEDS[0], other.address, SEEDS[1]], bench.now)
    hanging, good, _ = bench.calls()
    converse(good, other.accept(bench.core.address, NOW), bench.now)
    assert bench.core.joined
    assert len(bench.events(Joined)) == 1
    hanging.fail("timeout", bench.now)
    bench.run(30)
    assert not bench.calls("join")


def test_joining_is_retried_for_ever_ever_slower() -> None:
    """While all seeds are down, each is tried again after 0.5 to 10 seconds, without end."""
    bench = Bench()
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
    bench = Bench()
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
    bench = Bench()
    bench.core.join(SEEDS[:2], bench.now)
    for call in bench.calls():
        call.fail("refused", bench.now)
    bench.core.join(SEEDS[1:3], bench.now)
    assert [call.address for call in bench.calls()] == [SEEDS[2]]
    assert SEEDS[0] not in {call.address for _, call in _calls_over(bench, 20)}


def test_the_only_seed_is_this_peer() -> None:
    """Given its own address a peer calls nobody, has not joined, and says so once."""
    bench = Bench()
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
    bench = Bench()
    bench.core.join(SEEDS[:1], bench.now)
    bench.meet("a", "b")
    before = bench.core.joined
    bench.core.join([], bench.now)
    assert (before, bench.core.joined) == (False, True)


def test_that_a_seed_is_this_peer_is_looked_into_again() -> None:
    """A peer believes a host that reflects its datagrams for a minute, and tells it once."""
    bench = Bench()
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


def test_a_greeting_alone_is_no_join() -> None:
    """A seed that greets and then breaks off has not given its state."""
    bench = Bench()
    bench.core.join(SEEDS[:1], bench.now)
    [call] = bench.calls()
    _greet(call, bench)
    assert "s" in bench.core.members
    call.fail("broken", bench.now)
    assert not bench.core.joined
    assert not bench.events(Joined)
