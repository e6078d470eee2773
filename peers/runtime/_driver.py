"""Drives one protocol core over one endpoint.

After every input (a datagram, a frame, a tick, a command) the core's outputs are carried out at
once, in the order that `gossip.Runner` gives for all drivers.

A process that was stopped finds its deadlines long passed and the answers it waited for in the
socket's buffer. They are handed over before the core hears what time it is.
"""

from collections.abc import Iterator, Sequence

import trio

from gossamer.gossip import (
    REFUSAL,
    Address,
    Exchange,
    Follower,
    Gossip,
    Metric,
    Places,
    Runner,
    measured,
)
from gossamer.peers.network import Endpoint, converse

from ._statistics import DRIVER

# Exchanges that this peer opens at once. The core asks for a handful; more is a fault of its.
CALL_LIMIT = 32
# Inbound streams at once, each bounded in time by its exchange. Probes over streams must find a
# free place also while the three exchanges that the core serves are taken, and one host that opens
# silent ones again and again must not keep out all others.
INBOUND_LIMIT = 64
# The shortest time between two ticks that the deadline alone asks for.
_TICK_PAUSE = 0.001
# Batches read before a tick: after a stop of minutes the socket's buffer may be full.
_BATCHES_BEFORE_TICK = 64


class Driver:
    """Moves bytes, time and events between a core, its followers and an endpoint.

    Followers hear events, and are ticked, in the order in which they are given.
    An error of a follower ends the peer: the action or the task of the driver that caused the turn
    raises it, and `serve` raises it too.
    """

    def __init__(
        self, gossip: Gossip, endpoint: Endpoint, followers: Sequence[Follower] = ()
    ) -> None:
        self._gossip = gossip
        self._endpoint = endpoint
        self._runner = Runner(
            gossip,
            followers,
            send=self._send,
            call=self._start_call,
            clock=trio.current_time,
        )
        self._nursery: trio.Nursery | None = None
        self._failure: BaseException | None = None
        self._sleep = trio.CancelScope()
        self._sleeps_until = float("inf")
        self._calls = 0
        self._inbound = Places(INBOUND_LIMIT)
        self._batches = 0
        self._heard = trio.Event()
        self._ticked_at = float("-inf")
        self._counters = dict.fromkeys((each.key for each in DRIVER), 0)

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._read_datagrams)
                nursery.start_soon(self._keep_time)
                nursery.start_soon(self._accept_streams)
                self.drain()
                task_status.started()
        finally:
            self._nursery = None

    def stop(self) -> None:
        """Say nothing more from now on."""
        self._nursery = None
        self._heard.set()

    async def hear(self) -> None:
        """Return when the core has taken in more datagrams, or the driver has stopped."""
        await self._heard.wait()

    def drain(self) -> None:
        """Carry out what the core wants; to be called after every input to it or to a follower."""
        if self._nursery is None:
            return
        try:
            deadline = self._runner.drain()
        except BaseException as error:
            self._fail(error)
            raise
        self._set_alarm(deadline)

    def metrics(self) -> Iterator[Metric]:
        """Return what became of streams, and how often the clock woke the core."""
        return measured(DRIVER, self._counters)

    # A turn that was broken off leaves followers that have not heard of all that happened.
    # An action's caller may go on after the error, this peer must not.
    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._sleep.cancel()

    # A follower may stop the driver within a turn: then nothing more leaves.
    def _send(self, to: Address, data: bytes) -> None:
        if self._nursery is not None:
            self._endpoint.send(data, to)

    async def _read_datagrams(self) -> None:
        while True:
            batch = await self._endpoint.receive()
            self._batches += 1
            now = trio.current_time()
            for datagram, sender in batch:
                self._gossip.receive(datagram, sender, now)
            for address in self._endpoint.unreachable():
                self._gossip.unreachable(address, now)
            self.drain()
            if self._heard.statistics().tasks_waiting:
                self._heard.set()
                self._heard = trio.Event()

    # The alarm is a cancel scope around an endless sleep: `drain` moves its deadline, and the
    # task wakes only when that has come.
    async def _keep_time(self) -> None:
        while True:
            with trio.CancelScope() as self._sleep:
                self._sleeps_until = float("inf")
                self._set_alarm(self._runner.deadline)
                if self._failure is None:
                    await trio.sleep_forever()
            if self._failure is not None:
                raise self._failure
            await self._let_datagrams_in()
            if self._nursery is None:
                return
            now = trio.current_time()
            if now < self._runner.deadline:
                continue
            self._ticked_at = now
            self._counters["ticks"] += 1
            self._set_alarm(self._runner.tick(now))

    def _set_alarm(self, deadline: float) -> None:
        wanted = max(deadline, self._ticked_at + _TICK_PAUSE)
        if wanted != self._sleeps_until:
            self._sleeps_until = wanted
            self._sleep.deadline = wanted

    # One turn of trio's loop lets the reading task hand over one batch. Two turns without one
    # mean that nothing waits.
    async def _let_datagrams_in(self) -> None:
        idle = 0
        for _ in range(_BATCHES_BEFORE_TICK):
            before = self._batches
            await trio.lowlevel.checkpoint()
            idle = idle + 1 if self._batches == before else 0
            if idle == 2:
                return

    def _start_call(self, exchange: Exchange) -> None:
        if self._nursery is None:
            return
        if self._calls >= CALL_LIMIT:
            self._counters["streams_refused"] += 1
            exchange.fail("busy", trio.current_time())
            return
        self._calls += 1
        self._nursery.start_soon(self._call, exchange)

    async def _call(self, exchange: Exchange) -> None:
        try:
            with trio.fail_at(exchange.deadline):
                stream = await self._endpoint.connect(exchange.address)
        except (OSError, trio.TooSlowError) as error:
            self._counters["streams_failed"] += 1
            exchange.fail(_reason(error), trio.current_time())
            self.drain()
        else:
            self._counters["streams_opened"] += 1
            await self._carry(exchange, stream)
        finally:
            self._calls -= 1

    async def _accept_streams(self) -> None:
        while True:
            stream, sender = await self._endpoint.accept()
            if self._nursery is None or not self._inbound.take(sender[0]):
                self._counters["streams_refused"] += 1
                await trio.aclose_forcefully(stream)
                continue
            self._counters["streams_accepted"] += 1
            self._nursery.start_soon(self._answer, stream, sender)

    async def _answer(self, stream: trio.abc.Stream, sender: tuple[str, int]) -> None:
        try:
            exchange = self._gossip.accept(sender, trio.current_time())
            self.drain()
            await self._carry(exchange, stream)
        finally:
            self._inbound.free(sender[0])

    async def _carry(self, exchange: Exchange, stream: trio.abc.Stream) -> None:
        async with stream:
            await converse(exchange, stream, self.drain)


def _reason(error: OSError | trio.TooSlowError) -> str:
    match error:
        case trio.TooSlowError():
            return "timeout"
        case ConnectionRefusedError():
            return REFUSAL
        case _:
            return "unreachable"
