"""What one address may have a peer work for within a second."""

from typing import Any

from cores import EPOCH, Bench, about, address_of, datagram, delta

from gossamer.gossip import Address, GossipConfig
from gossamer.gossip._rates import Rates
from gossamer.gossip.messages import Ack, Ping


def _rates(**limits: Any) -> Rates:
    return Rates(GossipConfig(name="me", **limits))


def _admitted(rates: Rates, sender: Address, tries: int, now: float = 0.0) -> int:
    return sum(rates.admits(sender, now) for _ in range(tries))


def test_a_sender_is_heard_up_to_its_limit() -> None:
    """One below the limit and at the limit all is heard, above it nothing more."""
    for tries in (9, 10, 11):
        assert _admitted(_rates(sender_datagrams=10), ("10.0.0.1", 1), tries) == min(tries, 10)


def test_a_second_later_it_is_heard_again() -> None:
    """The window is a second long."""
    rates = _rates(sender_datagrams=10)
    assert _admitted(rates, ("10.0.0.1", 1), 11) == 10
    assert _admitted(rates, ("10.0.0.1", 1), 11, 0.999) == 0
    assert _admitted(rates, ("10.0.0.1", 1), 11, 1.0) == 10


def test_senders_do_not_use_up_each_other() -> None:
    """Each address has an account of its own, also beside another port of its host."""
    rates = _rates(sender_datagrams=10)
    for sender in (("10.0.0.1", 1), ("10.0.0.1", 2), ("10.0.0.2", 1)):
        assert _admitted(rates, sender, 11) == 10


def test_senders_beyond_the_limit_share_one_account() -> None:
    """However many addresses somebody writes from, what is kept is bounded, and what is heard."""
    rates = _rates(sender_datagrams=10, senders=3)
    heard = [_admitted(rates, ("10.0.0.1", port), 11) for port in range(1, 8)]
    assert heard == [10, 10, 10, 10, 0, 0, 0]
    assert len(rates) == 4
    assert _admitted(rates, ("10.0.0.1", 7), 11, 1.0) == 10


def test_updates_are_looked_at_up_to_their_limit() -> None:
    """Of a datagram that passes the limit the first updates still are looked at."""
    for count, allowed in ((9, 9), (10, 10), (11, 10)):
        rates = _rates(sender_updates=10)
        assert rates.admits(("10.0.0.1", 1), 0.0)
        assert rates.allowance(("10.0.0.1", 1), count) == allowed
        assert rates.allowance(("10.0.0.1", 1), 5) == min(5, 10 - allowed)


def test_a_flood_of_datagrams_is_counted_and_others_are_answered() -> None:
    """Beyond its limit a member gets no acks; another does, and so does the first a second on."""
    bench = Bench(sender_datagrams=20)
    bench.meet("a", "b")
    bench.now += 1.0
    for _ in range(50):
        bench.hear("a", Ping(1, "me"))
    bench.hear("b", Ping(1, "me"))
    answered = [item.address for item in bench.sent(Ack)]
    assert answered == [address_of("a")] * 20 + [address_of("b")]
    assert bench.counts("refused_rate") == (30,)
    bench.now += 1.0
    bench.hear("a", Ping(1, "me"))
    assert [item.address for item in bench.sent(Ack)] == [address_of("a")]


def test_a_flood_of_updates_is_counted_and_known_updates_are_not() -> None:
    """Updates whose bytes are known cost nothing of a sender's share."""
    bench = Bench(sender_updates=5)
    bench.meet("a")
    bench.now += 1.0
    known = [delta("a", number, ("k", b"v")) for number in range(4)]
    for _ in range(10):
        bench.hear("a", updates=known)
    assert bench.counts("refused_rate") == (0,)
    bench.hear("a", updates=[delta("a", 4, ("k", b"v")), delta("a", 5, ("k", b"v"))])
    assert bench.core.parts["a"].version == 5
    assert bench.counts("refused_rate") == (1,)
    bench.now += 1.0
    bench.hear("a", updates=[delta("a", 5, ("k", b"v"))])
    assert bench.core.parts["a"].version == 6  # it was not taken for known


def test_garbage_in_anothers_name_uses_up_nothing() -> None:
    """An attacker that sends garbage from a member's address does not silence that member."""
    bench = Bench(sender_datagrams=5)
    bench.meet("a")
    bench.now += 1.0
    for _ in range(50):
        damaged = datagram("a", [Ping(1, "me")])[:-1] + b"\xff"
        bench.core.receive(damaged, address_of("a"), bench.now)
    bench.hear("a", Ping(1, "me"))
    assert len(bench.sent(Ack)) == 1
    assert bench.counts("refused_rate") == (0,)


def test_what_was_refused_for_now_is_heard_when_it_is_told_again() -> None:
    """Updates of a life ahead of the clock are believed when the clock has come so far."""
    bench = Bench()
    bench.meet("a")
    day = 24 * 3600 * 1000
    ahead = about("x", epoch=EPOCH + day + 10_000).encode()
    bench.hear("a", updates=[ahead])
    assert "x" not in bench.core.members
    assert bench.counts("refused_epoch_ahead") == (1,)
    bench.now += 11.0
    bench.hear("a", updates=[ahead])
    assert "x" in bench.core.members
