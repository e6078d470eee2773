"""How updates leave: in time, in shares, in datagrams that fit, and never without listeners."""

from itertools import pairwise
from typing import Any

import pytest
from cores import EPOCH, NOW, Bench, about, delta
from hypothesis import given, settings, strategies as st
from keys import key, ring, sealer

from gossamer.gossip import Status
from gossamer.gossip.basis import encode
from gossamer.gossip.dissemination import MEMBERSHIP, REGISTRY, UNKNOWN
from gossamer.gossip.dissemination._classes import RumorClass
from gossamer.gossip.dissemination._rumors import Rumor
from gossamer.gossip.messages import Ack, Ping, encode_head

LONGEST = "n" * 128
OTHERS = [f"p{number}" for number in range(30)]


def _members_rumor(number: int) -> bytes:
    return about(f"member-{number:05}").encode()


def _records_rumor(number: int, size: int = 60) -> bytes:
    return delta("owner", number, ("key", bytes(size)))


def _fill(bench: Bench, kind: RumorClass, count: int) -> None:
    make = _members_rumor if kind is MEMBERSHIP else _records_rumor
    for number in range(count):
        bench.context.root.changed_at = bench.now
        bench.inside.spread.tell(kind, number, make(number), "p1", "", bench.now)


def test_the_first_updates_leave_at_once() -> None:
    """After quiet nothing is gathered: the datagrams are in the outbox when the input returns."""
    bench = Bench()
    bench.meet(*OTHERS)
    bench.core.publish("k", b"v", bench.now)
    sent = bench.sent()
    assert len(sent) in (3, 4)  # three children and one at random, perhaps a child
    assert {u for item in sent for u in item.packet.updates} == {delta("me", 0, ("k", b"v"))}


def test_what_follows_within_a_moment_is_gathered() -> None:
    """Updates within 5 ms of the last leave together when these are over, and not before."""
    bench = Bench()
    bench.meet("a", "b")
    bench.core.publish("k0", b"v", bench.now)
    bench.sent()
    start = bench.now
    for number in (1, 2, 3):
        bench.run(0.001)
        bench.core.publish(f"k{number}", b"v", bench.now)
    assert not bench.sent()
    bench.run(start + 0.0051 - bench.now)
    sent = bench.sent()
    assert {item.address for item in sent} == {bench.core.members[n].address for n in "ab"}
    expected = delta("me", 1, ("k1", b"v"), ("k2", b"v"), ("k3", b"v"))
    for item in sent:
        assert item.packet.updates == [expected]


def test_updates_are_not_told_to_the_peer_that_told_them() -> None:
    """The teller and this peer itself are no targets."""
    bench = Bench()
    bench.meet("a", "b", "c")
    bench.hear("a", updates=[about("d").encode()])
    told = {item.address for item in bench.sent()}
    assert told == {bench.core.members[name].address for name in "bcd"}


@pytest.mark.parametrize("kind", [MEMBERSHIP, REGISTRY])
def test_a_storm_in_one_class_does_not_starve_the_other(kind: RumorClass) -> None:
    """With one queue full, a datagram that has room for both carries the other class too."""
    bench = Bench()
    bench.meet(*OTHERS)
    _fill(bench, kind, 2000)
    for number in range(8):
        other = REGISTRY if kind is MEMBERSHIP else MEMBERSHIP
        payload = (_members_rumor if other is MEMBERSHIP else _records_rumor)(5000 + number)
        bench.inside.spread.queue(other).add(Rumor(5000 + number, payload, "p1", ""))
    bench.hear("p1", Ping(1, "me"))
    ack = bench.sent(Ack)[-1]
    kinds = [update[1] == 0 for update in ack.packet.updates]
    ours = sum(len(u) for u, member in zip(ack.packet.updates, kinds, strict=True)
               if member == (kind is REGISTRY))  # fmt: skip
    assert ours >= 500
    assert ack.size > 1250  # and what one leaves, the other takes


def test_one_class_alone_may_fill_the_datagram() -> None:
    """Half is a guarantee and not a bound."""
    bench = Bench()
    bench.meet(*OTHERS)
    _fill(bench, REGISTRY, 300)
    bench.hear("p1", Ping(1, "me"))
    assert bench.sent(Ack)[-1].size > 1250


def test_a_third_class_has_a_share_of_its_own() -> None:
    """With all classes full, a datagram carries some of each; the third alone may fill it."""
    bench = Bench()
    bench.meet(*OTHERS)
    for number in range(300):
        payload = b"\x85\x18\x63" + bytes(60)
        bench.inside.spread.queue(UNKNOWN).add(Rumor(number, payload, "p1", ""))
    bench.hear("p1", Ping(1, "me"))
    alone = bench.sent(Ack)[-1]
    _fill(bench, MEMBERSHIP, 300)
    _fill(bench, REGISTRY, 300)
    bench.hear("p1", Ping(2, "me"))
    together = bench.sent(Ack)[-1]
    assert alone.size > 1250
    assert together.size > 1250
    carried = dict.fromkeys((0, 1, 0x18), 0)
    for update in together.packet.updates:
        carried[update[1]] += len(update)
    assert carried[0] >= 400  # members
    assert carried[1] >= 400  # records
    assert carried[0x18] >= 180
    assert bench.counts("rumors_unknown") == (300,)


def test_updates_of_later_kinds_delay_no_others() -> None:
    """What leaves at once is bounded, and what this version understands goes first."""
    bench = Bench()
    bench.meet(*OTHERS)
    bench.run(1.0)
    bench.sent()
    spread = bench.inside.spread
    for number in range(40):
        payload = encode([200, "p1", 1, number, bytes(1100)])
        spread.tell(UNKNOWN, ("later", number), payload, "p1", "", bench.now)
    _fill(bench, REGISTRY, 1)
    spread.flush_if_due(bench.now)
    carried = [update for sent in bench.sent() for update in sent.packet.updates]
    later = {update for update in carried if update[1] == 0x18}
    assert any(update[1] == 1 for update in carried)
    assert len(later) <= 1 + 16


def test_in_a_storm_members_updates_are_sent_less_often() -> None:
    """With 128 rumors waiting memberlist's law no longer holds; with fewer it does."""
    bench = Bench()
    bench.meet(*OTHERS)
    spread = bench.inside.spread
    spread.queue(MEMBERSHIP).clear()
    _fill(bench, MEMBERSHIP, 127)
    assert spread.sends(MEMBERSHIP) == 8
    _fill(bench, MEMBERSHIP, 128)
    assert spread.sends(MEMBERSHIP) == 4


def test_what_has_become_an_accusation_leaves_no_empty_datagram() -> None:
    """An update that turns into one of many accusations is not sent at once, nor is nothing."""
    bench = Bench()
    bench.meet(*OTHERS)
    spread = bench.inside.spread
    _fill(bench, MEMBERSHIP, 200)
    bench.run(0.5)
    bench.sent()
    spread.tell(MEMBERSHIP, "late", _members_rumor(9000), "p1", "", bench.now)
    spread.tell(MEMBERSHIP, "late", _members_rumor(9000), "p1", "", bench.now, urgent=False)
    bench.sent()
    spread.flush(bench.now)
    assert not bench.sent()


def test_with_nobody_to_talk_to_nothing_is_queued() -> None:
    """Alone a peer keeps its records and no messages, and wants no tick for them."""
    bench = Bench()
    for number in range(100):
        bench.core.publish(f"k{number}", b"v", bench.now)
        bench.run(0.01)
        assert bench.counts("rumors_registry", "rumors_membership") == (0, 0)
    bench.run(20)
    assert not bench.sent()
    assert bench.counts("records") == (100,)


def test_queues_are_emptied_when_the_last_listener_goes() -> None:
    """What waits is dropped at the next round once nobody is left, and rounds end."""
    bench = Bench()
    bench.meet("a")
    bench.core.publish("k", b"v", bench.now)
    bench.hear("a", updates=[about("a", Status.LEFT, incarnation=1).encode()])
    bench.sent()
    bench.run(1)
    assert bench.counts("rumors_registry", "rumors_membership") == (0, 0)
    assert not bench.sent()


@pytest.mark.parametrize("kind", [MEMBERSHIP, REGISTRY])
def test_queues_are_bounded_at_entry(kind: RumorClass) -> None:
    """Exactly `queue_limit` rumors of a class wait; further ones push others out, counted."""
    bench = Bench(queue_limit=50)
    bench.meet(*OTHERS)
    before = bench.counts("rumors_dropped")[0]
    held = len(bench.inside.spread.queue(kind))
    _fill(bench, kind, 50 - held)
    assert len(bench.inside.spread.queue(kind)) == 50
    assert bench.counts("rumors_dropped")[0] == before
    _fill(bench, kind, 60)
    assert len(bench.inside.spread.queue(kind)) == 50
    assert bench.counts("rumors_dropped")[0] > before


def test_rounds_end_when_everything_was_sent_often_enough() -> None:
    """A rumor leaves the queue by itself, and an idle peer sends only its probes."""
    bench = Bench(probe_interval=1000.0, probe_timeout=1.0)
    bench.meet("a", "b", "c", "d")
    bench.core.publish("k", b"v", bench.now)
    bench.run(5)
    bench.sent()
    assert bench.counts("rumors_registry", "rumors_membership") == (0, 0)
    bench.run(20)
    assert not bench.sent()


@settings(max_examples=25)
def seals(*, keyed: bool) -> dict[str, Any]:
    """Return what makes a bench's core encrypt, or nothing."""
    held = ring(key(1), plain=True)
    return {"seal": sealer(held), "opener": sealer(held, seed=2)} if keyed else {}


@given(
    st.integers(1, 128),
    st.integers(1200, 1400),
    st.lists(st.one_of(st.integers(0, 1400), st.integers(850, 1250)), min_size=1, max_size=30),
    st.integers(0, 1 << 16),
    st.booleans(),
)
def test_no_datagram_exceeds_the_limit(
    name_size: int, limit: int, sizes: list[int], seed: int, keyed: bool
) -> None:
    """Whatever is published under whatever name, sealed datagrams fit and no rumor is stuck."""
    bench = Bench("n" * name_size, packet_limit=limit, seed=seed, **seals(keyed=keyed))
    bench.meet("a", "b", LONGEST.upper(), "d")
    for number, size in enumerate(sizes):
        bench.core.publish(f"k{number}", bytes(size), bench.now)
        if number % 3:
            bench.run(0.003)
    bench.hear("a", Ping(1, bench.core.name))
    bench.run(0.9)
    sent = bench.sent()
    assert sent
    assert max(item.size for item in sent) <= limit
    while bench.now < NOW + 30:
        for name in ("a", "b", LONGEST.upper(), "d"):
            bench.hear(name, Ping(2, bench.core.name))
        bench.run(0.5)
        assert all(item.size <= limit for item in bench.sent())
    assert bench.counts("rumors_registry", "rumors_membership") == (0, 0)


@pytest.mark.parametrize("keyed", [False, True])
def test_the_longest_names_fit_into_the_smallest_datagram(keyed: bool) -> None:
    """A contact of a suspect carries two updates; with all names at the limit it fits."""
    bench = Bench(LONGEST, packet_limit=1200, zone="z" * 64, **seals(keyed=keyed))
    name, judge = "s" * 128, "j" * 128
    worst = {"zone": "z" * 64, "address": ("1" * 45, 65535), "nonce": (1 << 64) - 1}
    bench.meet("a")
    bench.hear("a", updates=[
        about(name, Status.DEAD, incarnation=1 << 19, accuser=judge, **worst).encode()
    ])  # fmt: skip
    row = bench.core.members[name]
    accusation = bench.inside.membership.accusation(row)
    assert accusation is not None
    bench.sent()
    bench.inside.contacts.contact(row, [accusation])
    (contact,) = bench.sent(Ping)
    assert len(contact.packet.updates) >= 2
    assert contact.size <= 1200


def test_what_cannot_be_passed_on_is_left_to_repair() -> None:
    """A rumor with no room behind this peer's long name is counted and leaves the queue."""
    bench = Bench(LONGEST, packet_limit=1200)
    bench.meet("a", "b", "c")
    large = delta("o", 0, ("k", bytes(1050)))
    bench.hear("a", updates=[large])
    assert bench.core.parts["o"].records == {"k": bytes(1050)}
    bench.run(1)
    assert bench.counts("rumors_too_large", "rumors_registry") == (1, 0)
    assert large not in bench.updates()


def test_a_burst_leaves_the_rest_to_rounds_and_repair() -> None:
    """One flush sends at most eight datagrams to one member, whatever has gathered."""
    bench = Bench()
    bench.meet("a", "b")
    bench.core.publish("k", b"v", bench.now)
    bench.sent()
    for number in range(200):
        bench.hear("a", updates=[delta("o", number, (f"k{number}", bytes(300)))])
    bench.sent()
    bench.run(0.0051)
    to_b = [i for i in bench.sent() if i.address == bench.core.members["b"].address]
    assert 0 < len(to_b) <= 8
    assert bench.core.parts["o"].version == 200


def test_a_head_is_passed_on_by_its_bytes() -> None:
    """What a peer passes on is what it got, byte by byte."""
    bench = Bench()
    bench.meet("a", "b")
    head = encode_head("o", EPOCH, 3)
    bench.inside.spread.tell(REGISTRY, ("head", "o"), head, "o", "a", bench.now)
    bench.core.tick(bench.now)
    assert [item.packet.updates for item in bench.sent()] == [[head]]


def test_many_updates_at_once_go_out_together() -> None:
    """From eight updates on a flush reaches four members with all, not each tree's children."""
    bench = Bench()
    bench.meet(*OTHERS)
    bench.run(1.0)
    bench.sent()
    for count, fewest, most in ((7, 5, 28), (8, 4, 4)):
        bench.core.publish("k", bytes(count), bench.now)
        bench.sent()
        _fill(bench, REGISTRY, count)
        bench.run(0.0051)
        told = bench.sent()
        assert fewest <= len({item.address for item in told}) <= most
        bench.run(30.0)
        bench.sent()


def test_updates_that_pour_in_are_gathered_longer_each_time() -> None:
    """With updates every millisecond gathering lasts longer, up to 40 ms; a pause resets it."""
    bench = Bench()
    bench.meet("a", "b")
    spread = bench.inside.spread
    bench.run(1.0)
    flushes: dict[float, None] = {}
    for number in range(300):
        spread.tell(REGISTRY, number, _records_rumor(number), "p1", "", bench.now)
        spread.flush_if_due(bench.now)
        bench.run(0.001)
        flushes[spread.flushed_at] = None
    gaps = [round((later - sooner) * 1000) for sooner, later in pairwise(flushes)]
    assert gaps[:5] == [5, 10, 20, 40, 40]
    assert gaps[5:] == [40] * len(gaps[5:])
    bench.run(1.0)
    bench.sent()
    bench.core.publish("again", b"v", bench.now)
    assert bench.sent()


def test_a_suspicion_among_many_waits_for_rounds() -> None:
    """The first eight suspicions leave at once, further ones within a round."""
    bench = Bench()
    bench.meet("a", *OTHERS)
    bench.run(1.0)
    bench.sent()
    accused = OTHERS[:9]
    for name in accused:
        bench.hear("a", updates=[about(name, Status.SUSPECT).encode()])
        bench.run(0.05)
        told = {u for item in bench.sent() if not item.packet.messages for u in item.packet.updates}
        assert (about(name, Status.SUSPECT).encode() in told) == (name != accused[8])
    bench.run(0.5)
    assert about(accused[8], Status.SUSPECT).encode() in bench.updates()


def test_equal_roots_end_what_roots_tell() -> None:
    """Three members with our root end a rumor that had its rounds; suspicions go on."""
    bench = Bench()
    bench.meet("a", *OTHERS)
    bench.run(60.0)
    bench.sent()
    queue = bench.inside.spread.queue(MEMBERSHIP)
    records = bench.inside.spread.queue(REGISTRY)
    queue.clear()
    row = bench.core.members["a"]
    bench.inside.spread.tell(MEMBERSHIP, 1, _members_rumor(1), "a", "", bench.now)
    bench.inside.spread.tell(MEMBERSHIP, 2, _members_rumor(2), "a", "", bench.now, rooted=False)
    bench.inside.spread.tell(REGISTRY, 3, _records_rumor(3), "a", "", bench.now)
    before = bench.now
    for after, left in ((1.0, (2, 1)), (1.5, (2, 1)), (2.5, (2, 1)), (3.0, (2, 1)), (3.1, (1, 0))):
        bench.inside.repair.on_root(row, bench.core.root, before + after)
        # The queues are kept by the roots alone here: no round has run.
        assert (len(queue), len(records)) == left
