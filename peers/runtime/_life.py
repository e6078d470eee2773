"""How a peer lives: from its start to its end, what it holds, and how it goes.

A life begins with `serve` and ends by `abort`, or by `request_leave` once that is carried out.
The users' `Peer` shows of it what is theirs; `open_peer` serves and closes it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import trio

from gossamer.gossip import Event, Follower, Gossip, LeaveCompleted, Metric, Observer, Status
from gossamer.peers.host import Storage, logger
from gossamer.peers.model import Unavailable
from gossamer.peers.network import Endpoint, Seeds, endpoint_metrics

from ._driver import Driver
from ._statistics import UPTIME

# Beyond the core's own time for leaving: for a core that never says that it is done.
_LEAVE_SLACK = 1.0


class Life:
    """One life of a peer: the driver, and the endpoint, seeds and storage that it holds.

    `followers` hear the core's events in the order given, and before those who wait for `changed`
    are woken: what they look at then is up to date.
    """

    def __init__(
        self,
        gossip: Gossip,
        *,
        endpoint: Endpoint,
        seeds: Seeds,
        storage: Storage | None,
        followers: Sequence[Follower],
    ) -> None:
        self._gossip = gossip
        self._endpoint = endpoint
        self._seeds = seeds
        self._storage = storage
        self._driver = Driver(gossip, endpoint, [*followers, Observer(self._hear)])
        self._started_at = trio.current_time()
        self._scope = trio.CancelScope(shield=True)
        self._leave_requested = trio.Event()
        self._departed = trio.Event()
        self._stopped = trio.Event()
        # Replaced whenever it is set: it tells that the membership changed, not how.
        self._changed = trio.Event()
        self._endings: list[Callable[[], None]] = []

    # What it is

    @property
    def is_running(self) -> bool:
        """Whether the peer takes part in the mesh and is not about to leave."""
        return not (self.is_over or self._leave_requested.is_set())

    @property
    def is_over(self) -> bool:
        """Whether it was aborted or has ended."""
        return self._scope.cancel_called or self._stopped.is_set()

    @property
    def has_departed(self) -> bool:
        """Whether the others know that the peer left, or were told often enough."""
        return self._departed.is_set()

    @property
    def uptime(self) -> float:
        """Seconds since it began."""
        return trio.current_time() - self._started_at

    def metrics(self) -> Iterator[Metric]:
        """Return what the driver and the endpoint measure, and the uptime."""
        yield from self._driver.metrics()
        yield from endpoint_metrics(self._endpoint.statistics())
        yield Metric(UPTIME, self.uptime)

    # Its course

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part in the mesh until it ends; not stopped by cancellation.

        Cancellation from outside must not keep the peer from leaving gracefully;
        `open_peer` sees to that, and bounds the time for it.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self._driver.serve)
                    self.join_seeds()
                    nursery.start_soon(
                        self._seeds.serve, lambda: self._gossip.joined, self.join_seeds
                    )
                    nursery.start_soon(self._leave_when_requested)
                    task_status.started()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Release what it holds, without a word to others; one that was never served as well."""
        self._stop()
        with trio.CancelScope(shield=True):
            await self._endpoint.aclose()
        if self._storage is not None:
            self._storage.close()
        self._stopped.set()

    def request_leave(self) -> None:
        """Begin to leave gracefully; `ended` returns when that is done."""
        self._leave_requested.set()

    def abort(self) -> None:
        """Stop at once without leaving; the others find out by themselves."""
        self._stop()
        self._scope.cancel()

    async def ended(self) -> None:
        """Return when it has ended."""
        await self._stopped.wait()

    def when_over(self, ending: Callable[[], None]) -> None:
        """Have `ending` called when it is aborted or has ended; twice must do no harm."""
        self._endings.append(ending)

    # What the peer does in it

    @contextmanager
    def acting(self) -> Iterator[float]:
        """Give an action its time; what it says is on its way when the block is left.

        Raises `Unavailable`, with nothing done, for a peer that is leaving or has stopped.
        """
        self.check_running()
        try:
            yield trio.current_time()
        finally:
            self._driver.drain()

    def check_running(self) -> None:
        """Raise `Unavailable` for a peer that is leaving or has stopped."""
        if not self.is_running:
            raise self.stopped_error()

    def stopped_error(self) -> Unavailable:
        """Return the error for what cannot be had of a peer that has stopped."""
        return Unavailable(f"peer {self._gossip.name} is leaving or has stopped: ask another peer")

    def join_seeds(self) -> None:
        """Have the core join through all addresses that the seeds stand for now."""
        self._gossip.join(self._seeds.addresses, trio.current_time())
        self._driver.drain()

    async def changed(self) -> None:
        """Return when an event was heard, or it is over; not what changed."""
        await self._changed.wait()

    async def datagram(self) -> None:
        """Return when the core has taken in more datagrams, or it is over."""
        await self._driver.hear()

    # Within

    def _stop(self) -> None:
        self._driver.stop()
        for ending in self._endings:
            ending()
        self._ring()

    async def _leave_when_requested(self) -> None:
        await self._leave_requested.wait()
        settings = self._gossip.config
        logger.info("leaving", extra={"peer": self._gossip.name})
        self._gossip.leave(trio.current_time())
        self._driver.drain()
        with trio.move_on_after(settings.leave_timeout + _LEAVE_SLACK):
            await self._departed.wait()
        if any(each.status is Status.ALIVE for each in self._gossip.members.values()):
            await trio.sleep(settings.drain)
        self._scope.cancel()

    def _hear(self, events: Sequence[Event], _: float) -> None:
        if any(isinstance(event, LeaveCompleted) for event in events):
            self._departed.set()
        self._ring()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
