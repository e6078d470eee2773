"""In which order what a core says is carried out, and its followers hear of it."""

from collections.abc import Callable, Sequence
from math import inf

import pytest

from gossamer.gossip import Address, Event, Exchange, Follower, Joined, Observer, Runner

HERE = ("10.0.0.1", 7940)
THERE = ("10.0.0.2", 7940)


class Core:
    """Says what a test wants it to say."""

    def __init__(self) -> None:
        self.deadline = inf
        self.outbox: list[tuple[Address, bytes]] = []
        self.events: list[Event] = []
        self.calls: list[str] = []
        self.ticks: list[float] = []

    def tick(self, now: float) -> None:
        self.ticks.append(now)
        self.deadline = inf


class Ticked:
    """A follower with a deadline, which only tells what it was told."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name = name
        self._told = told
        self.deadline = inf

    def tick(self, now: float) -> None:
        self._told.append(f"{self._name} ticks {now:g}")
        self.deadline = inf

    def handle_all(self, events: Sequence[Event], now: float) -> None:
        self._told.append(f"{self._name} hears {len(events)} at {now:g}")


class Bench:
    """A runner, and all that is carried out, in order."""

    def __init__(self) -> None:
        self.core = Core()
        self.done: list[str] = []
        self.followers: list[Follower] = []
        self.on_send: Callable[[Address], None] = lambda to: None
        self.runner = Runner(
            self.core,  # type: ignore[arg-type]
            self.followers,
            send=self._send,
            call=self._call,
            clock=lambda: 7.0,
        )

    def _send(self, to: Address, data: bytes) -> None:
        self.done.append(data.decode())
        self.on_send(to)

    def _call(self, exchange: Exchange) -> None:
        self.done.append(f"call {exchange}")

    def ticked(self, name: str) -> Ticked:
        follower = Ticked(name, self.done)
        self.followers.append(follower)
        return follower


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_outbox_goes_first_then_events_then_calls(bench: Bench) -> None:
    """Each follower hears all events that came together, in the order of the followers."""
    bench.ticked("one")
    bench.ticked("two")
    bench.core.calls.append("c")
    bench.core.events += [Joined(), Joined()]
    bench.core.outbox += [(THERE, b"a"), (THERE, b"b")]

    bench.runner.drain()

    assert bench.done == ["a", "b", "one hears 2 at 7", "two hears 2 at 7", "call c"]
    assert (bench.core.outbox, bench.core.events, bench.core.calls) == ([], [], [])


def test_what_is_said_while_a_follower_hears_is_carried_out_in_the_same_turn(bench: Bench) -> None:
    """A follower may act on the core; the nested call for a turn leaves it to the one under way."""

    def act(events: Sequence[Event], now: float) -> None:
        if len(bench.done) < 3:
            bench.core.events.append(Joined())
            bench.core.outbox.append((THERE, b"more"))
            bench.runner.drain()
        bench.done.append("heard")

    bench.followers.append(Observer(act))
    bench.core.events.append(Joined())
    bench.runner.drain()
    assert bench.done == ["heard", "more", "heard", "more", "heard"]


def test_a_core_that_sends_to_itself_loses_nothing(bench: Bench) -> None:
    """Where delivery takes no time, the outbox grows while it is sent."""
    left = [b"2", b"3"]

    def deliver(to: Address) -> None:
        if left:
            bench.core.outbox.append((HERE, left.pop(0)))

    bench.on_send = deliver
    bench.core.outbox.append((HERE, b"1"))
    bench.runner.drain()
    assert bench.done == ["1", "2", "3"]


def test_the_deadline_is_the_earliest_of_all(bench: Bench) -> None:
    """What an action changed at a follower is asked for by the turn that follows the action."""
    follower = bench.ticked("one")
    bench.followers.append(Observer(lambda events, now: None))
    assert bench.runner.deadline == inf
    bench.core.deadline = 9.0
    assert bench.runner.deadline == 9.0
    follower.deadline = 5.0
    assert bench.runner.drain() == bench.runner.deadline == 5.0


def test_a_follower_that_heard_events_is_asked_for_its_deadline(bench: Bench) -> None:
    """An input of the core changes a follower through events alone."""
    follower = bench.ticked("one")
    follower.deadline = 5.0
    bench.core.outbox.append((THERE, b"a"))
    assert bench.runner.drain_input() == inf
    bench.core.events.append(Joined())
    assert bench.runner.drain_input() == 5.0


@pytest.mark.parametrize(("now", "ticked"), [(4.9, []), (5.0, ["one ticks 5"])])
def test_a_tick_reaches_the_followers_that_are_due(
    bench: Bench, now: float, ticked: list[str]
) -> None:
    """The core is ticked each time, and first; a follower not before its deadline."""
    bench.ticked("one").deadline = 5.0
    bench.ticked("two").deadline = 6.0
    bench.runner.drain()

    deadline = bench.runner.tick(now)

    assert bench.core.ticks == [now]
    assert bench.done == ticked
    assert deadline == (6.0 if ticked else 5.0)


def test_what_a_follower_raises_reaches_the_caller_and_the_next_turn_works(bench: Bench) -> None:
    """The followers behind it do not hear the events of that turn; the driver has to decide."""

    def fail(events: Sequence[Event], now: float) -> None:
        raise ZeroDivisionError

    broken = Observer(fail)
    bench.followers.append(broken)
    bench.ticked("behind")
    bench.core.events.append(Joined())
    with pytest.raises(ZeroDivisionError):
        bench.runner.drain()
    assert bench.done == []

    bench.followers.remove(broken)
    bench.core.events.append(Joined())
    bench.runner.drain()
    assert bench.done == ["behind hears 1 at 7"]
