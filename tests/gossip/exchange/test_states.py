"""Which frame an exchange takes when: what the diagram does not show ends the conversation."""

from collections.abc import Callable

import pytest
from cores import EPOCH, NOW, ROOT, SEAL, Bench, about, address_of

from gossamer.gossip import encode
from gossamer.gossip.exchange import SyncExchange
from gossamer.gossip.exchange._sync import State
from gossamer.gossip.messages import (
    LAST_KIND,
    Another,
    Ask,
    Busy,
    Done,
    EpochRefused,
    Heads,
    Hello,
    Members,
    Open,
    Parts,
    Probe,
    Want,
)
from gossamer.gossip.state import BUCKETS

FRAMES: dict[int, list[object]] = {
    Probe.KIND: [Probe.KIND, 7, "me"],
    1: [1, 7],  # the answer to a probe
    Another.KIND: [Another.KIND],
    Open.KIND: [Open.KIND, about("other").encode()],
    Busy.KIND: [Busy.KIND, 100],
    Hello.KIND: [Hello.KIND, about("other").encode()],
    Members.KIND: [Members.KIND, [about("m").encode()], [0]],
    Heads.KIND: [Heads.KIND, bytes(BUCKETS // 8), []],
    Want.KIND: [Want.KIND, []],
    Parts.KIND: [Parts.KIND, []],
    Done.KIND: [Done.KIND],
    EpochRefused.KIND: [EpochRefused.KIND],
    Ask.KIND: [Ask.KIND, 1, ROOT, None, [], None],
}
WHAT_DIFFERS = {Another.KIND, Members.KIND, Want.KIND, Parts.KIND, Done.KIND}
TAKEN = {
    State.OPENED: {Another.KIND, Hello.KIND, EpochRefused.KIND},
    State.ASKED_BY_HEADS: WHAT_DIFFERS | {Busy.KIND},
    State.ASKED_BY_BUCKETS: {Another.KIND, Busy.KIND, Members.KIND, Heads.KIND, Done.KIND},
    State.ANSWERED: WHAT_DIFFERS,
    State.ACCEPTED: {Another.KIND, Probe.KIND, Open.KIND},
    State.GREETED: {Another.KIND, Ask.KIND, Done.KIND},
    State.SERVING: WHAT_DIFFERS,
}


def _say(exchange: SyncExchange, kind: int) -> None:
    exchange.receive(SEAL.seal(encode(FRAMES[kind]), EPOCH), NOW)


def _called(bench: Bench) -> SyncExchange:
    assert bench.inside.exchanges.begin("heal", address_of("other"), NOW)
    [call] = bench.calls()
    assert isinstance(call, SyncExchange)
    return call


def _accepted(bench: Bench) -> SyncExchange:
    exchange = bench.core.accept(address_of("other"), NOW)
    assert isinstance(exchange, SyncExchange)
    return exchange


def _crowd(bench: Bench) -> None:
    """Have a core hold so many parts that it asks with fingerprints."""
    for number in range(300):
        bench.context.store.open(f"owner-{number}", EPOCH)


PATHS: dict[State, tuple[Callable[[Bench], SyncExchange], list[int], bool]] = {
    State.OPENED: (_called, [], False),
    State.ASKED_BY_HEADS: (_called, [Hello.KIND], False),
    State.ASKED_BY_BUCKETS: (_called, [Hello.KIND], True),
    State.ANSWERED: (_called, [Hello.KIND, Want.KIND], False),
    State.ACCEPTED: (_accepted, [], False),
    State.GREETED: (_accepted, [Open.KIND], False),
    State.SERVING: (_accepted, [Open.KIND, Ask.KIND], False),
}


def _reach(bench: Bench, state: State) -> SyncExchange:
    begin, kinds, crowded = PATHS[state]
    if crowded:
        _crowd(bench)
    exchange = begin(bench)
    for kind in kinds:
        _say(exchange, kind)
    assert exchange.state is state
    assert not exchange.finished
    return exchange


@pytest.mark.parametrize("kind", FRAMES, ids=lambda kind: f"kind {kind}")
@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_a_frame_is_taken_where_the_diagram_shows_it(state: State, kind: int) -> None:
    """In each state the kinds of the diagram are taken; all others end it, counted as malformed."""
    bench = Bench()
    exchange = _reach(bench, state)
    _say(exchange, kind)

    taken = kind in TAKEN[state]
    assert bench.counts("refused_malformed") == (0 if taken else 1,)
    if not taken:
        assert exchange.finished
        assert "m" not in bench.core.members
        assert bench.inside.exchanges.served == 0


def test_all_kinds_of_frames_are_tried() -> None:
    """A new kind of frame needs a place in the table; FOREIGN is taken in by all conversations."""
    assert set(FRAMES) == set(range(LAST_KIND + 1)) - {12}


def test_heads_are_told_once() -> None:
    """After HEADS the rest is what differs: another HEADS ends the exchange."""
    bench = Bench()
    exchange = _reach(bench, State.ASKED_BY_BUCKETS)
    _say(exchange, Members.KIND)
    _say(exchange, Heads.KIND)
    assert bench.counts("refused_malformed") == (0,)
    _say(exchange, Heads.KIND)
    assert exchange.finished
    assert bench.counts("refused_malformed") == (1,)


def test_a_peer_that_has_answered_is_not_busy() -> None:
    """BUSY is an answer of its own; behind another one it ends the exchange as damage."""
    bench = Bench()
    exchange = _reach(bench, State.ANSWERED)
    _say(exchange, Busy.KIND)
    assert exchange.finished
    assert exchange.retry_after is None


def test_an_exchange_knows_who_is_there_once_it_believes_it() -> None:
    """The member that was expected, and the peer that is there, are told apart."""
    bench = Bench()
    bench.meet("a")
    row = bench.core.members["a"]
    assert bench.inside.exchanges.begin("repair", row.address, NOW, row=row)
    [call] = bench.calls()
    assert isinstance(call, SyncExchange)
    assert (call.expected, call.peer) == ("a", None)
    _say(call, Hello.KIND)
    assert (call.expected, call.peer) == ("a", "other")
