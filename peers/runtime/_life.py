from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakSet

import trio

from gossamer.gossip import EpochRaised, Event, Gossip, LeaveCompleted, SeedIsSelf, Status
from gossamer.peers.host import PeerConfig, Storage, log_event, logger
from gossamer.peers.model import GossamerError, Unavailable
from gossamer.peers.network import Endpoint, Seeds
from gossamer.peers.registry import Registry

from ._driver import Driver
from ._watch import Watch

if TYPE_CHECKING:
    from gossamer.peers.keys import Keys

# Beyond the core's own time for leaving: for a core that never says that it is done.
_LEAVE_SLACK = 1.0


class Life:
    """From the start of a peer to its end: what it holds, and how it goes."""

    def __init__(
        self,
        config: PeerConfig,
        *,
        gossip: Gossip,
        registry: Registry,
        endpoint: Endpoint,
        seeds: Seeds,
        storage: Storage | None,
        keys: "Keys | None" = None,
    ) -> None:
        self.config = config
        self._gossip = gossip
        self._registry = registry
        self._endpoint = endpoint
        self._seeds = seeds
        self._storage = storage
        self._keys = keys
        self._driver = Driver(gossip, endpoint, registry, self._observe)
        self._started_at = trio.current_time()
        self._scope = trio.CancelScope(shield=True)
        self._leave_requested = trio.Event()
        self._departed = trio.Event()
        self._stopped = trio.Event()
        # Replaced whenever it is set: it tells that the membership changed, not how.
        self._membership_changed = trio.Event()
        self._watches: WeakSet[Watch] = WeakSet()

    @property
    def name(self) -> str:
        """Its name in the mesh."""
        return self._gossip.name

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part in the mesh until `request_leave` or `abort`; not stopped by cancellation.

        Cancellation from outside must not keep the peer from leaving gracefully;
        `open_peer` sees to that, and bounds the time for it.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self._driver.serve)
                    self._join_seeds()
                    nursery.start_soon(
                        self._seeds.serve, lambda: self._gossip.joined, self._join_seeds
                    )
                    nursery.start_soon(self._leave_when_requested)
                    task_status.started()
        finally:
            await self.discard()

    async def discard(self) -> None:
        """Release what the peer holds, without a word to others."""
        self._stop()
        with trio.CancelScope(shield=True):
            await self._endpoint.aclose()
        if self._storage is not None:
            self._storage.close()
        self._stopped.set()

    def request_leave(self) -> None:
        """Begin to leave gracefully; `left` returns when that is done."""
        self._leave_requested.set()

    async def left(self) -> None:
        """Return when the peer has left or stopped."""
        await self._stopped.wait()

    async def leave(self) -> None:
        """Leave gracefully: tell the others, have it acknowledged, answer a little longer."""
        self.request_leave()
        await self.left()

    def abort(self) -> None:
        """Stop at once without leaving; the others find out by themselves."""
        self._stop()
        self._scope.cancel()

    def crash(self) -> None:
        """As `abort`, by the name that tests and demonstrations call it."""
        self.abort()

    @property
    def is_running(self) -> bool:
        """Whether it takes part in the mesh and is not about to leave."""
        over = self._scope.cancel_called or self._stopped.is_set()
        return not (over or self._leave_requested.is_set())

    def _stop(self) -> None:
        self._driver.stop()
        for watch in list(self._watches):
            watch.close()
        self._ring()

    async def _leave_when_requested(self) -> None:
        await self._leave_requested.wait()
        settings = self._gossip.config
        logger.info("leaving", extra={"peer": self.name})
        self._gossip.leave(trio.current_time())
        self._driver.drain()
        with trio.move_on_after(settings.leave_timeout + _LEAVE_SLACK):
            await self._departed.wait()
        if any(each.status is Status.ALIVE for each in self._gossip.members.values()):
            await trio.sleep(settings.drain)
        self._scope.cancel()

    # What an action says is on its way before the action returns.
    @contextmanager
    def _acting(self) -> Iterator[float]:
        self._check_running()
        try:
            yield trio.current_time()
        finally:
            self._driver.drain()

    def _check_running(self) -> None:
        if not self.is_running:
            raise self._stopped_error()

    def _stopped_error(self) -> Unavailable:
        return Unavailable(f"peer {self.name} is leaving or has stopped: ask another peer")

    def _join_seeds(self) -> None:
        self._gossip.join(self._seeds.addresses, trio.current_time())
        self._driver.drain()

    def _observe(self, event: Event) -> None:
        log_event(self.name, event)
        if self._keys is not None:
            self._keys.handle(event, trio.current_time())
        match event:
            case LeaveCompleted():
                self._departed.set()
            case EpochRaised(epoch):
                self._persist(epoch)
            case SeedIsSelf() if self._gossip.seed_is_self:
                logger.warning(
                    "this peer has not joined: every seed is this peer itself; add another seed",
                    extra={"peer": self.name},
                )
            case _:
                pass
        self._ring()

    def _ring(self) -> None:
        self._membership_changed.set()
        self._membership_changed = trio.Event()

    def _persist(self, epoch: int) -> None:
        if self._storage is None:
            return
        try:
            self._storage.save(epoch)
        except GossamerError as error:
            # The peer goes on; only a clock that is set back before its next start would tell.
            logger.error("%s", error, extra={"peer": self.name})
