from collections.abc import Callable
from types import TracebackType
from typing import Self
from weakref import WeakSet

import trio

from gossamer.peers.model import Lookup
from gossamer.peers.registry import Registry


class _Mailbox:
    """Names of services that changed since they were last looked up, each once."""

    __slots__ = ("closed", "event", "names")

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.event = trio.Event()
        self.closed = False

    def put(self, name: str) -> None:
        self.names[name] = None
        self.event.set()


class Watch:
    """An endless iterator of lookups: the present one, then one whenever it has changed.

    It has no backlog: a slow consumer misses intermediate states, never the last one.
    It ends when it is closed or the peer stops; forgetting it closes it.
    """

    __slots__ = ("__weakref__", "_lookup", "_mailbox", "_subscription")

    def __init__(
        self,
        registry: Registry,
        service: str | None,
        lookup: Callable[[str], Lookup],
        *,
        present: bool = True,
    ) -> None:
        self._lookup = lookup
        # The registry knows the mailbox and not the watch, so a watch that is forgotten is freed.
        self._mailbox = _Mailbox()
        self._subscription = registry.subscribe(service, self._mailbox.put)
        if not present:
            return
        if service is not None:
            self._mailbox.put(service)
        else:
            for known in registry.services():
                self._mailbox.put(known.name)

    @property
    def index(self) -> int:
        """The index of what is watched, now."""
        return self._subscription.index

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._mailbox.closed

    async def wait(self) -> None:
        """Return when something has changed that was not looked up yet, or it is closed."""
        mailbox = self._mailbox
        await trio.lowlevel.checkpoint()
        while not mailbox.names and not mailbox.closed:
            mailbox.event = trio.Event()
            await mailbox.event.wait()

    def skip(self) -> None:
        """Take what has changed so far for seen."""
        self._mailbox.names.clear()

    def close(self) -> None:
        """End it, and wake the task that waits for it."""
        self._subscription.close()
        self._mailbox.closed = True
        self._mailbox.event.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Lookup:
        await self.wait()
        names = self._mailbox.names
        if self._mailbox.closed:
            raise StopAsyncIteration
        name = next(iter(names))
        del names[name]
        return self._lookup(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self._subscription.close()


class Watches:
    """All watches of one peer, which end with it."""

    def __init__(self, registry: Registry, lookup: Callable[[str], Lookup]) -> None:
        self._registry = registry
        self._lookup = lookup
        self._open: WeakSet[Watch] = WeakSet()
        self._closed = False

    def open(self, service: str | None, *, present: bool) -> Watch:
        """Return a watch of a service, or of all; one that has ended if all are closed."""
        watch = Watch(self._registry, service, self._lookup, present=present)
        self._open.add(watch)
        if self._closed:
            watch.close()
        return watch

    def close(self) -> None:
        """End them all, and those that are opened later at once."""
        self._closed = True
        for watch in list(self._open):
            watch.close()
