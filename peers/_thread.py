"""A peer in a thread of its own, for programs that do not run on trio."""

import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, Unpack

import trio

from gossamer.gossip import Address, Metric

from ._open import open_peer
from .catalog import Condition
from .host import PeerConfig
from .keys import KeyName, StrPath
from .model import (
    GossamerError,
    Instance,
    Lookup,
    MemberInfo,
    Registration,
    RegistrationFields,
    ServiceSummary,
    Unavailable,
)
from .network import Network
from .runtime import Peer
from .selection import Policy, PolicyName

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class WaitTimeout(GossamerError, TimeoutError):
    """The time-out of a call that waits has passed; nothing was changed."""


class ThreadedPeer:
    """A `Peer` whose methods may be called from any thread but its own.

    Lookups read this process's memory directly; everything else crosses to the peer's thread
    and back, about a tenth of a millisecond.
    """

    def __init__(self, peer: Peer, token: trio.lowlevel.TrioToken) -> None:
        self._peer = peer
        self._token = token

    @property
    def name(self) -> str:
        """Its name in the mesh."""
        return self._peer.name

    @property
    def address(self) -> Address:
        """Where the others reach it."""
        return self._peer.address

    @property
    def http_address(self) -> Address | None:
        """As `Peer.http_address`."""
        return self._peer.http_address

    @property
    def addresses(self) -> dict[str, tuple[Address, ...]]:
        """As `Peer.addresses`."""
        return self._peer.addresses

    @property
    def config(self) -> PeerConfig:
        """As `Peer.config`."""
        return self._peer.config

    @property
    def is_running(self) -> bool:
        """As `Peer.is_running`."""
        try:
            return self._cross(lambda: self._peer.is_running)
        except Unavailable:
            return False  # its thread has ended

    def condition(self) -> Condition:
        """As `Peer.condition`."""
        return self._cross(self._peer.condition)

    def metrics(self) -> Sequence[Metric]:
        """As `Peer.metrics`."""
        return self._cross(lambda: list(self._peer.metrics()))

    def statistics(self) -> dict[str, int]:
        """As `Peer.statistics`."""
        return self._cross(self._peer.statistics)

    def index(self, service: str | None) -> int:
        """As `Peer.index`."""
        return self._cross(self._peer.index, service)

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """As `Peer.lookup`."""
        return self._peer.lookup(service, tag=tag, zone=zone, all=all)

    def knows(self, service: str) -> bool:
        """As `Peer.knows`."""
        return self._peer.knows(service)

    def services(self) -> list[ServiceSummary]:
        """As `Peer.services`."""
        return self._peer.services()

    def find(self, service: str, id: str) -> Instance:
        """As `Peer.find`."""
        return self._cross(self._peer.find, service, id)

    def choose(
        self,
        service: str,
        policy: PolicyName | Policy = "weighted",
        *,
        tag: str | None = None,
        zone: str | None = None,
    ) -> Instance:
        """As `Peer.choose`."""
        return self._peer.choose(service, policy, tag=tag, zone=zone)

    def members(self) -> list[MemberInfo]:
        """As `Peer.members`."""
        return self._cross(self._peer.members)

    def info(self) -> dict[str, object]:
        """As `Peer.info`."""
        return self._cross(self._peer.info)

    def register(self, service: str, **fields: Unpack[RegistrationFields]) -> Instance:
        """As `Peer.register`."""
        return self._cross(lambda: self._peer.register(service, **fields))

    def register_or_replace(self, wanted: Registration) -> tuple[Instance, bool]:
        """As `Peer.register_or_replace`."""
        return self._cross(self._peer.register_or_replace, wanted)

    def deregister(self, service: str, id: str) -> Instance:
        """As `Peer.deregister`."""
        return self._cross(self._peer.deregister, service, id)

    def heartbeat(self, service: str, id: str) -> None:
        """As `Peer.heartbeat`."""
        self._cross(self._peer.heartbeat, service, id)

    def report(self, service: str, id: str, status: str, *, output: str | None = None) -> Instance:
        """As `Peer.report`."""
        return self._cross(lambda: self._peer.report(service, id, status, output=output))

    def set_status(
        self,
        service: str,
        id: str,
        status: str,
        *,
        reason: str | None = None,
        expires: float | None = None,
        by: str | None = None,
    ) -> Instance:
        """As `Peer.set_status`."""
        return self._cross(
            lambda: self._peer.set_status(
                service, id, status, reason=reason, expires=expires, by=by
            )
        )

    def clear_status(self, service: str, id: str) -> Instance:
        """As `Peer.clear_status`."""
        return self._cross(self._peer.clear_status, service, id)

    def accept_loss(self, service: str | None = None) -> int:
        """As `Peer.accept_loss`."""
        return self._cross(self._peer.accept_loss, service)

    @property
    def keys(self) -> "ThreadedKeys":
        """As `Peer.keys`."""
        return ThreadedKeys(self._peer, self._cross)

    def join(self, seeds: Sequence[str]) -> list[Address]:
        """As `Peer.join`."""
        with self._crossing():
            return trio.from_thread.run(self._peer.join, seeds, trio_token=self._token)

    def joined(self, timeout: float | None = None) -> None:
        """Block until this peer has met another; raises `WaitTimeout` after `timeout` seconds."""
        self._wait(self._peer.joined, timeout, "this peer has not joined")

    def changed(self, service: str | None, index: int, timeout: float | None = None) -> int:
        """Block until the index of a service (None: of any) is not `index`, and return it.

        Raises `WaitTimeout` after `timeout` seconds; None waits without a limit.
        """

        async def wait() -> int:
            return await self._peer.changed(service, index)

        what = "no service" if service is None else f"service {service!r}"
        verb = "has changed" if service is None else "has not changed"
        return self._wait(wait, timeout, f"{what} {verb}")

    def wait_for(self, service: str, count: int = 1, timeout: float | None = None) -> Lookup:
        """Block until a service has that many instances `UP`, and return them.

        Raises `WaitTimeout` after `timeout` seconds; None waits without a limit.
        """

        async def wait() -> Lookup:
            return await self._peer.wait_for(service, count)

        return self._wait(wait, timeout, f"service {service!r} has fewer than {count} instances")

    def _wait(
        self, wait: Callable[[], Awaitable[Result]], timeout: float | None, failure: str
    ) -> Result:
        async def bounded() -> Result:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                return await wait()

        with self._crossing():
            try:
                return trio.from_thread.run(bounded, trio_token=self._token)
            except trio.TooSlowError:
                raise WaitTimeout(f"{failure} after {timeout:g} s: wait longer") from None

    def replicated(
        self, instance: Instance, peers: int = 2, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Block until that many other peers hold an instance; return their names.

        Raises `WaitTimeout` after `timeout` seconds; None waits without a limit.
        """

        async def wait() -> tuple[str, ...]:
            return await self._peer.replicated(instance, peers)

        return self._wait(wait, timeout, f"fewer than {peers} other peers hold {instance.id!r}")

    def _cross(
        self,
        call: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        with self._crossing():
            return trio.from_thread.run_sync(lambda: call(*args, **kwargs), trio_token=self._token)

    @contextmanager
    def _crossing(self) -> Iterator[None]:
        try:
            yield
        except (trio.RunFinishedError, trio.Cancelled):
            raise Unavailable(f"peer {self.name} has stopped: its thread has ended") from None


class ThreadedKeys:
    """`KeyActions` from any thread but the peer's own."""

    def __init__(self, peer: Peer, cross: Callable[..., Any]) -> None:
        self._peer = peer
        self._cross = cross

    def list(self) -> dict[str, object]:
        """As `KeyActions.list`."""
        found: dict[str, object] = self._cross(self._peer.keys.list)
        return found

    def add(self, path: StrPath) -> None:
        """As `KeyActions.add`."""
        self._cross(lambda: self._peer.keys.add(path))

    def add_plain(self) -> None:
        """As `KeyActions.add_plain`."""
        self._cross(self._peer.keys.add_plain)

    def use(self, key: KeyName, *, force: bool = False) -> None:
        """As `KeyActions.use`."""
        self._cross(lambda: self._peer.keys.use(key, force=force))

    def remove(self, key: KeyName, *, force: bool = False) -> None:
        """As `KeyActions.remove`."""
        self._cross(lambda: self._peer.keys.remove(key, force=force))


@contextmanager
def run_in_thread(config: PeerConfig, *, network: Network | None = None) -> Iterator[ThreadedPeer]:
    """Run a peer in a thread for as long as the block lasts, and then leave gracefully.

    Raises `ConfigError` when it cannot start. Not to be called from within trio: use `open_peer`.
    """
    host = _Host(config, network)
    host.start()
    try:
        yield host.peer()
    finally:
        host.stop()


class _Host:
    """The thread of a peer, and what it exchanges with the thread that started it."""

    def __init__(self, config: PeerConfig, network: Network | None) -> None:
        self._config = config
        self._network = network
        self._settled = threading.Event()
        self._peer: ThreadedPeer | None = None
        self._error: BaseException | None = None
        self._stop: trio.Event | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        # A daemon: a program that forgets to leave must still be able to end.
        self._thread = threading.Thread(
            target=self._run, name=f"gossamer {config.name}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()
        self._settled.wait()

    def peer(self) -> ThreadedPeer:
        if self._peer is None:
            assert self._error is not None
            raise self._error
        return self._peer

    def stop(self) -> None:
        if self._token is not None and self._stop is not None:
            try:
                self._token.run_sync_soon(self._stop.set)
            except trio.RunFinishedError:
                pass  # it has ended already
        self._thread.join()
        if self._peer is not None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            trio.run(self._main)
        # The thread that asked for the peer gets every error.
        except BaseException as error:  # noqa: BLE001
            self._error = error
        finally:
            self._settled.set()

    async def _main(self) -> None:
        async with open_peer(self._config, network=self._network) as peer:
            self._stop = trio.Event()
            self._token = trio.lowlevel.current_trio_token()
            self._peer = ThreadedPeer(peer, self._token)
            self._settled.set()
            await self._stop.wait()
