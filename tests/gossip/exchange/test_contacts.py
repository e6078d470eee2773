"""Pings beside the probes, and what their answers lead to."""

import pytest
from cores import (
    EPOCH,
    ROOT,
    Bench,
    about,
    address_of,
)

from gossamer.gossip import Address, Status
from gossamer.gossip.messages import Ack, Leave, NotMe, Ping, encode_head

SEEDS: list[Address] = [(f"10.1.1.{number}", 1) for number in range(1, 6)]


def test_a_contact_of_the_dead_carries_what_is_held_of_it() -> None:
    """The dead member learns from the ping itself that it has to speak up, and who asks."""
    bench = Bench()
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
    """A dead member that answers gets an exchange at once; a second answer begins no other."""
    bench = Bench()
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
    bench = Bench()
    for number in range(100):
        bench.inside.contacts.ask_who_is_there(("10.2.2.2", number + 1))
    assert len(bench.inside.contacts) == 64
    first, *_, last = [item.packet.messages[0].sequence for item in bench.sent(Ping)]
    for sequence in (first, last):
        bench.hear("x", Ack(sequence, ROOT))
    assert [call.address for call in bench.calls()] == [("10.2.2.2", 100)]


def test_what_is_addressed_to_no_life_is_answered_and_not_believed() -> None:
    """A ping to any life is answered; the rest is ignored, because it may be a recording."""
    bench = Bench()
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
    bench = Bench()
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


def test_only_a_ping_to_a_seed_that_comes_back_makes_it_this_peer() -> None:
    """From whatever address; others that are sent back do not, and the seed's own word wins."""
    bench = Bench()
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
