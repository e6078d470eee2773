"""The driver: what it hands the core, in which order, and what it does with the answers."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from gossamer.gossip import Address, Event, Joined, Observer, by_key
from gossamer.peers.network._network import BATCH_LIMIT
from gossamer.peers.runtime._driver import CALL_LIMIT, Driver

STRANGER = ("10.0.0.9", 7940)


class Core:
    """Records its inputs in order; says what a test wants it to say."""

    def __init__(self, inputs: list[str]) -> None:
        self.inputs = inputs
        self.deadline = inf
        self.outbox: list[tuple[Address, bytes]] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.period = inf
        self.on_receive: Callable[[], None] = lambda: None

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        self.inputs.append(datagram.decode())
        self.on_receive()

    def tick(self, now: float) -> None:
        self.inputs.append(f"tick {now:g}")
        self.deadline = now + self.period


class Call:
    """An exchange that wants a stream to a stranger."""

    address = STRANGER
    outbox: tuple[bytes, ...] = ()
    finished = False

    def __init__(self) -> None:
        self.deadline = trio.current_time() + 5
        self.failure: str | None = None

    def fail(self, reason: str, now: float) -> None:
        self.failure = reason


class Follower:
    """Says more through the core when it hears an event, as the registry does."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.deadline = inf
        self.heard = 0
        self.on_event: Callable[[], None] = lambda: None

    def tick(self, now: float) -> None:
        self._core.inputs.append(f"follower {now:g}")
        self.deadline = inf

    def handle_all(self, events: Sequence[Event], now: float) -> None:
        for _ in events:
            self.on_event()
            self.heard += 1
            if self.heard < 3:
                self._core.events.append(Joined())
                self._core.outbox.append((STRANGER, b"said while handling"))


class Wire:
    """An endpoint whose arrivals and departures a test sees."""

    def __init__(self) -> None:
        self.address = ("10.0.0.1", 7940)
        self.arrived: deque[bytes] = deque()
        self.sent: list[tuple[Address, bytes]] = []
        self.bell = trio.Event()
        self.refuses = True

    def send(self, data: bytes, to: Address) -> None:
        self.sent.append((to, data))

    def unreachable(self) -> list[Address]:
        return []

    async def receive(self) -> list[tuple[bytes, Address]]:
        while not self.arrived:
            self.bell = trio.Event()
            await self.bell.wait()
        await trio.lowlevel.checkpoint()
        count = min(BATCH_LIMIT, len(self.arrived))
        return [(self.arrived.popleft(), STRANGER) for _ in range(count)]

    async def accept(self) -> tuple[trio.abc.Stream, Address]:
        await trio.sleep_forever()
        raise AssertionError

    async def connect(self, to: Address) -> trio.abc.Stream:
        if not self.refuses:
            await trio.sleep_forever()
        raise ConnectionRefusedError


class Bench:
    """A driver with all that stands around it."""

    def __init__(self) -> None:
        self.inputs: list[str] = []
        self.core = Core(self.inputs)
        self.follower = Follower(self.core)
        self.wire = Wire()
        self.observed: list[Event] = []
        self.driver = Driver(
            self.core,  # type: ignore[arg-type]
            self.wire,  # type: ignore[arg-type]
            [self.follower, Observer(lambda events, _: self.observed.extend(events))],
        )


@pytest.fixture
def bench_alone() -> Bench:
    return Bench()


@pytest.fixture
async def bench(nursery: trio.Nursery) -> Bench:
    bench = Bench()
    await nursery.start(bench.driver.serve)
    await wait_all_tasks_blocked()
    return bench


@contextmanager
def stopped(clock: MockClock, seconds: float) -> Iterator[None]:
    """Let time pass while the process is stopped: nobody runs, datagrams pile up."""
    yield
    clock.jump(seconds)


async def test_after_a_stop_pending_datagrams_come_before_the_tick(
    bench: Bench, mock_clock: MockClock
) -> None:
    """Answers that lie in the buffer are heard before the core learns how late it is."""
    bench.core.deadline = bench.follower.deadline = trio.current_time() + 1
    bench.driver.drain()
    count = 5 * BATCH_LIMIT + 1

    with stopped(mock_clock, 20):
        bench.wire.arrived += [b"%d" % number for number in range(count)]
        bench.wire.bell.set()
    await wait_all_tasks_blocked()

    assert bench.inputs == [*map(str, range(count)), "tick 20", "follower 20"]


async def test_a_deadline_that_moves_either_way_is_met_exactly(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """One alarm is moved, earlier and later; nothing ticks in between."""
    for wanted in (50.0, 10.0, 30.0):
        bench.core.deadline = wanted
        bench.driver.drain()
    await trio.sleep(100)
    assert bench.inputs == ["tick 30"]


async def test_the_follower_has_its_own_deadline(bench: Bench, autojump_clock: MockClock) -> None:
    """Leases run out while the protocol has nothing to do."""
    bench.follower.deadline = 7.0
    bench.driver.drain()
    await trio.sleep(20)
    assert bench.inputs == ["tick 7", "follower 7"]


async def test_a_deadline_that_stays_in_the_past_does_not_stop_the_clock(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """A fault of the core costs processor time, and does not hang the process."""
    bench.core.period = -1.0
    bench.core.deadline = 0.0
    bench.driver.drain()
    await trio.sleep(0.1)
    assert 50 < len(bench.inputs) <= 110


async def test_all_outputs_are_drained_in_the_same_turn(bench: Bench) -> None:
    """What the follower says while it hears an event leaves before the call returns."""
    bench.core.outbox.append((STRANGER, b"first"))
    bench.core.events.append(Joined())

    bench.driver.drain()

    assert [data for _, data in bench.wire.sent] == [b"first"] + 2 * [b"said while handling"]
    assert len(bench.observed) == bench.follower.heard == 3
    assert not bench.core.outbox
    assert not bench.core.events


async def test_calls_are_bounded_and_each_failure_is_told(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """A call beyond the limit fails at once, a refused one soon, a mute one at its deadline."""
    refused = Call()
    bench.core.calls.append(refused)
    bench.driver.drain()
    await wait_all_tasks_blocked()
    assert refused.failure == "refused"

    bench.wire.refuses = False
    calls = [Call() for _ in range(CALL_LIMIT + 1)]
    bench.core.calls += calls
    bench.driver.drain()
    assert calls[-1].failure == "busy"
    await trio.sleep(6)

    assert {call.failure for call in calls[:-1]} == {"timeout"}
    counters = by_key(bench.driver.metrics())
    assert (counters["streams_refused"], counters["streams_failed"]) == (1, CALL_LIMIT + 1)


async def test_a_stopped_driver_says_nothing_more(bench: Bench) -> None:
    """After a crash not a single datagram leaves."""
    bench.driver.stop()
    bench.core.outbox.append((STRANGER, b"late"))
    bench.driver.drain()
    assert not bench.wire.sent


async def test_a_follower_may_stop_the_driver_within_a_turn(bench: Bench) -> None:
    """What the same turn would still have sent or called is dropped, not refused with an error."""
    bench.follower.on_event = bench.driver.stop
    call = Call()
    bench.core.events.append(Joined())
    bench.core.calls.append(call)

    bench.driver.drain()

    assert bench.wire.sent == []
    assert call.failure is None


async def test_a_driver_needs_no_followers(nursery: trio.Nursery) -> None:
    """It moves bytes and time for a core alone."""
    inputs: list[str] = []
    core, wire = Core(inputs), Wire()
    driver = Driver(core, wire)  # type: ignore[arg-type]
    await nursery.start(driver.serve)
    core.outbox.append((STRANGER, b"alone"))
    core.events.append(Joined())

    driver.drain()

    assert wire.sent == [(STRANGER, b"alone")]
    assert not core.events


def _break() -> None:
    raise ZeroDivisionError


async def test_what_a_follower_raises_in_a_task_of_the_driver_ends_it(bench_alone: Bench) -> None:
    """A peer that lost events must not go on as if it had heard them."""
    bench_alone.follower.on_event = _break

    async def hear_something() -> None:
        bench_alone.core.on_receive = lambda: bench_alone.core.events.append(Joined())
        bench_alone.wire.arrived.append(b"1")
        bench_alone.wire.bell.set()
        await trio.sleep_forever()

    with pytest.raises(ExceptionGroup) as caught:
        await _served(bench_alone, hear_something)
    assert only(caught.value) is ZeroDivisionError


async def test_what_a_follower_raises_in_an_action_is_told_and_ends_the_driver(
    bench_alone: Bench,
) -> None:
    """The action's caller gets the error, and so does the task that serves."""
    bench_alone.follower.on_event = _break

    async def act() -> None:
        bench_alone.core.events.append(Joined())
        with pytest.raises(ZeroDivisionError):
            bench_alone.driver.drain()
        await trio.sleep_forever()

    with pytest.raises(ExceptionGroup) as caught:
        await _served(bench_alone, act)
    assert only(caught.value) is ZeroDivisionError


async def _served(bench: Bench, meanwhile: Callable[[], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.driver.serve)
        await meanwhile()


def only(group: BaseException) -> type[BaseException]:
    """Return the kind of the one error in nested groups."""
    while isinstance(group, BaseExceptionGroup):
        [group] = group.exceptions
    return type(group)
