"""How many exchanges there are at a time, and who may begin one."""

from cores import (
    EPOCH,
    NOW,
    SEAL,
    Bench,
    about,
    address_of,
    gossip,
)

from gossamer.gossip import Exchange, encode
from gossamer.gossip.messages import Open, encode_head


def test_a_slow_opening_has_time_for_its_question() -> None:
    """Each of the first two frames may take two seconds, so that a round trip may."""
    bench = Bench()
    called = bench.core.accept(("10.1.1.1", 1), bench.now)
    opening = SEAL.seal(encode([Open.KIND, about("c").encode()]), EPOCH)
    called.receive(opening, bench.now + 1.9)
    assert bench.now + 3.8 < called.deadline < bench.now + 4


def test_outbound_exchanges_are_bounded() -> None:
    """At most six streams are wanted at a time, and one to each address."""
    bench = Bench()
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
    bench = Bench()
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


def test_who_has_left_begins_nothing() -> None:
    """After leaving no stream is wanted any more."""
    bench = Bench()
    bench.meet("a")
    bench.core.leave(bench.now)
    assert not bench.inside.exchanges.begin("heal", address_of("a"), bench.now)
    bench.hear("a", updates=[encode_head("o", EPOCH, 1)])
    assert not bench.calls("fetch", "heal", "repair")
