"""Two cores with a fake link between them."""

import random

from cores import (
    EPOCH,
    Link,
    exchange,
    gossip,
    held,
)
from hypothesis import given, settings, strategies as st

from gossamer.gossip import Gossip, Joined, PartChanged, Status
from gossamer.gossip.basis import PROTOCOL
from gossamer.gossip.dissemination import REGISTRY


def _pair() -> tuple[Link, Gossip, Gossip]:
    a, b = gossip("a", seed=1), gossip("b", seed=2)
    link = Link(a, b)
    link.join()
    return link, a, b


def test_two_peers_join_and_agree() -> None:
    """After one exchange both list each other, have the same root, and said so once."""
    link, a, b = _pair()
    assert set(a.members) == {"b"}
    assert set(b.members) == {"a"}
    assert a.root == b.root
    assert sum(isinstance(event, Joined) for event in link.events["b"]) == 1
    assert b.joined


def test_a_change_is_there_with_the_next_datagram() -> None:
    """What one publishes the other holds before time passes; and so with its removal."""
    link, a, b = _pair()
    version = a.publish("k", b"v", link.now)
    link.settle()
    assert held(b)["a"] == (EPOCH, version, {"k": b"v"})
    link.run(0.1)
    assert a.withdraw("k", link.now)
    link.settle()
    assert held(b)["a"] == (EPOCH, version + 1, {})
    changes = [e.changes for e in link.events["b"] if isinstance(e, PartChanged)]
    assert changes == [(("k", b"v"),), (("k", None),)]


def test_what_was_missed_is_repaired() -> None:
    """With every datagram of a change lost the roots tell, and a stream brings it."""
    link, a, b = _pair()
    link.run(5)
    link.streams.clear()
    link.passes = lambda source, target: source != a.address
    a.publish("k", b"v", link.now)
    link.settle()
    a.inside.spread.queue(REGISTRY).clear()
    link.passes = lambda source, target: True
    link.run(4)
    assert a.root == b.root
    assert held(b)["a"][2] == {"k": b"v"}
    assert [purpose for purpose, _ in link.streams].count("repair") >= 1


def test_an_idle_pair_says_little() -> None:
    """With nothing to tell, each peer costs one ping and one ack a second, and no stream."""
    link, _, _ = _pair()
    link.run(10)
    link.datagrams.clear()
    link.streams.clear()
    link.run(60)
    assert 200 <= len(link.datagrams) <= 280
    # Streams are tried once in 30 periods, so that it is known whether they pass.
    assert [purpose for purpose, _ in link.streams] == ["probe"] * 4


def test_a_large_record_arrives_by_stream() -> None:
    """What no datagram holds is fetched as soon as its head is heard."""
    link, a, b = _pair()
    a.publish("k", bytes(50_000), link.now)
    link.settle()
    assert held(b)["a"][2] == {"k": bytes(50_000)}
    assert all(len(data) <= 1400 for _, _, data in link.datagrams)


def test_a_killed_peer_dies_and_a_new_life_takes_its_place() -> None:
    """Silence leads to suspicion and death; a restart is accepted with its first word."""
    link, a, b = _pair()
    del link.cores[b.address]
    link.run(60)
    assert a.members["b"].status is Status.DEAD
    again = gossip("b", epoch=EPOCH + 60_000, nonce=7, seed=9)
    again.publish("k", b"new", link.now)
    again.inside.context.timers.run(link.now)
    link.cores[b.address] = again
    again.join([a.address], link.now)
    link.settle()
    assert (a.members["b"].status, a.members["b"].epoch) == (Status.ALIVE, EPOCH + 60_000)
    assert held(a)["b"] == (EPOCH + 60_000, 1, {"k": b"new"})


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("klm"), st.booleans()),
                max_size=40), st.integers(0, 100), st.integers(0, 1 << 16))  # fmt: skip
def test_under_loss_both_come_to_agree(
    actions: list[tuple[str, str, bool]], loss: int, seed: int
) -> None:
    """Whatever is written on either side and whatever is lost, in the end both hold the same."""
    link, a, b = _pair()
    rng = random.Random(seed)
    link.passes = lambda source, target: rng.randrange(100) >= loss
    for name, key, removes in actions:
        core = a if name == "a" else b
        if removes:
            core.withdraw(key, link.now)
        else:
            core.publish(key, rng.randbytes(rng.choice((3, 300, 1500))), link.now)
        link.run(0.02)
    link.passes = lambda source, target: True
    link.run(20)
    assert a.root == b.root
    assert held(a) == held(b)


def test_one_seed_gives_the_same_bytes() -> None:
    """The same inputs and the same seed lead to the same datagrams, in the same order."""
    runs = []
    for _ in range(2):
        link, a, b = _pair()
        for number in range(20):
            (a, b)[number % 2].publish(f"k{number}", bytes(number * 90), link.now)
            link.run(0.3)
        exchange(a, b, link.now)
        runs.append(link.datagrams)
    assert runs[0] == runs[1]
    assert len(runs[0]) > 50


def test_a_statistic_for_everything_that_is_kept() -> None:
    """All counters are there from the start, and all of them are numbers."""
    statistics = gossip("me").statistics()
    assert {each.key for each in PROTOCOL} < set(statistics)
    assert all(type(value) is int for value in statistics.values())
