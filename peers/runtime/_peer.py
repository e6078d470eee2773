import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Unpack

import trio

from gossamer.gossip import Address, Gossip, Metric, Status, by_key, measured
from gossamer.peers.catalog import Condition
from gossamer.peers.host import PeerConfig, check_seed
from gossamer.peers.keys import KEYS, KeyActions
from gossamer.peers.model import (
    BadInput,
    Conflict,
    Instance,
    Lookup,
    MemberInfo,
    Registration,
    RegistrationFields,
    ServiceSummary,
    Unavailable,
    format_address,
    missing,
)
from gossamer.peers.network import Seeds, refuse_loopback
from gossamer.peers.registry import Registry
from gossamer.peers.selection import Chooser, Policy, PolicyName

from ._fronts import Fronts
from ._life import Life
from ._report import report
from ._watch import Watch, Watches

if TYPE_CHECKING:
    from gossamer.peers.keys import Keys


class Peer:
    """One running peer, made by `open_peer`.

    Actions are plain calls that take effect at once; the others hear of them within milliseconds.
    Lookups never wait and never fail; they may be called from any thread, nothing else may.
    After the peer has left or stopped, lookups still answer with what it knew last, and actions
    raise `Unavailable`.
    """

    def __init__(
        self,
        config: PeerConfig,
        *,
        gossip: Gossip,
        registry: Registry,
        life: Life,
        seeds: Seeds,
        fronts: Fronts,
        rng: random.Random,
        keys: "Keys | None" = None,
    ) -> None:
        self.config = config
        self._gossip = gossip
        self._registry = registry
        self._life = life
        self._seeds = seeds
        self._keys = keys
        self._watches = Watches(registry, self.lookup)
        life.when_over(self._watches.close)
        self._fronts = fronts
        self._chooser = Chooser(rng)

    # What it is

    @property
    def name(self) -> str:
        """Its name in the mesh."""
        return self._gossip.name

    @property
    def address(self) -> Address:
        """Where the others reach it."""
        return self._gossip.address

    @property
    def addresses(self) -> dict[str, tuple[Address, ...]]:
        """Where its fronts are bound, by name, such as `http`."""
        return self._fronts.addresses

    @property
    def http_address(self) -> Address | None:
        """The first address of `addresses["http"]`; None if it does not serve HTTP."""
        return next(iter(self.addresses.get("http", ())), None)

    def condition(self) -> Condition:
        """Return how this peer stands to its mesh; takes microseconds."""
        gossip = self._gossip
        return Condition(
            joined=gossip.joined,
            isolated=gossip.isolated,
            degraded=self._registry.degraded or bool(gossip.blocked_paths),
            leaving=not self.is_running,
            conflict=gossip.conflict,
        )

    def info(self) -> dict[str, object]:
        """Return what this peer knows of itself and the mesh, in the shape of `info --json`."""
        return report(
            self.config,
            self._gossip,
            self._registry,
            counters=self.statistics(),
            seeds=self._seeds,
            addresses=self.addresses,
            keys=None if self._keys is None else self._keys.summary(),
            leaving=not self.is_running,
            uptime=self._life.uptime,
            now=trio.current_time(),
        )

    def members(self) -> list[MemberInfo]:
        """Return all members by name, this peer included."""
        gossip = self._gossip
        blocked = gossip.blocked_paths
        own = MemberInfo(
            name=gossip.name,
            address=gossip.address,
            status=(Status.LEFT if self._life.has_departed else Status.ALIVE).label,
            incarnation=gossip.incarnation,
            epoch=gossip.epoch,
            zone=self.config.zone,
            instances=self._registry.instances_of(gossip.name),
        )
        others = (
            MemberInfo(
                name=member.name,
                address=member.address,
                status=member.status.label,
                incarnation=member.incarnation,
                epoch=member.epoch,
                zone=member.zone or None,
                instances=self._registry.instances_of(member.name),
                path=blocked.get(member.name),
            )
            for member in gossip.members.values()
        )
        return sorted([own, *others], key=lambda member: member.name)

    def metrics(self) -> Iterator[Metric]:
        """Return all that this peer measures, with its values at this moment."""
        yield from self._gossip.metrics()
        yield from self._life.metrics()
        yield from self._registry.metrics()
        yield from self._fronts.metrics()
        refused = 0 if self._keys is None else self._keys.refused
        yield from measured(KEYS, {"refused_key_records": refused})

    def statistics(self) -> dict[str, int]:
        """Return the numbers among the metrics, by the keys that `info` has for them."""
        return by_key(self.metrics())

    @property
    def keys(self) -> KeyActions:
        """What can be done with the mesh's keys; raises `Conflict` for a peer without any."""
        if self._keys is None:
            raise Conflict(
                "this peer was started without keys: start it with a key_file", field="key_file"
            )
        return KeyActions(self._keys, self._life.acting)

    # Joining and leaving

    async def join(self, seeds: Sequence[str]) -> list[Address]:
        """Join through more seeds, which the peer keeps from then on; return their addresses.

        The call does not wait for an answer: `joined` does.
        Raises `BadInput` for `join`, with nothing changed, if one is not an address or does not
        resolve.
        """
        if isinstance(seeds, str):
            raise BadInput("join", f'join takes a list of HOST:PORT, as in ["{seeds}"]')
        parsed = [check_seed(seed) for seed in seeds]
        self._seeds.check_room(parsed)
        found = await self._seeds.look_up(parsed)
        for seed, addresses in found.items():
            if not addresses:
                raise BadInput(
                    "join",
                    f"join {format_address(seed)} does not resolve to an address that this peer"
                    " can send to: check the name",
                )
        addresses = [each for group in found.values() for each in group]
        refuse_loopback(self.address, addresses)
        with self._life.acting():
            self._seeds.keep(found)
            self._life.join_seeds()
        return addresses

    async def joined(self) -> None:
        """Return when this peer has met another, or has no seed to meet one through.

        Raises `Unavailable` when it stops before.
        """
        await trio.lowlevel.checkpoint()
        while not self._gossip.joined:
            self._life.check_running()
            await self._life.changed()

    @property
    def is_running(self) -> bool:
        """Whether it takes part in the mesh and is not about to leave."""
        return self._life.is_running

    def request_leave(self) -> None:
        """Begin to leave gracefully; `left` returns when that is done."""
        self._life.request_leave()

    async def left(self) -> None:
        """Return when the peer has left or stopped."""
        await self._life.ended()

    async def leave(self) -> None:
        """Leave gracefully: tell the others, wait for their acks, and answer a little longer."""
        self.request_leave()
        await self.left()

    def abort(self) -> None:
        """Stop at once without leaving; the others find out by themselves."""
        self._life.abort()

    # Lookups

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """Return the instances of a service that are `UP`, or all; empty if it is not known."""
        return self._registry.lookup(service, tag=tag, zone=zone, all=all)

    def find(self, service: str, id: str) -> Instance:
        """Return one instance of any status; raises `NotFound`."""
        found = self._registry.find(service, id)
        if found is None:
            raise missing(service, id) if self.knows(service) else missing(service)
        return found

    def knows(self, service: str) -> bool:
        """Whether a service has an instance, of any status."""
        return self._registry.knows(service)

    def services(self) -> list[ServiceSummary]:
        """Return every service that has an instance, by name."""
        return self._registry.services()

    def choose(
        self,
        service: str,
        policy: PolicyName | Policy = "weighted",
        *,
        tag: str | None = None,
        zone: str | None = None,
    ) -> Instance:
        """Return one instance that is `UP`; raises `NoInstanceError` when there is none."""
        return self._chooser.choose(self.lookup(service, tag=tag, zone=zone), policy)

    def watch(self, service: str | None = None) -> Watch:
        """Return an iterator of lookups of a service, or of each service that changes.

        It begins with the present state; a slow reader skips states, and delays nothing else.
        """
        return self._watches.open(service, present=True)

    async def wait_for(self, service: str, count: int = 1) -> Lookup:
        """Return the lookup of a service as soon as it has that many instances `UP`."""
        with self.watch(service) as watch:
            async for found in watch:
                if len(found) >= count:
                    return found
        raise self._life.stopped_error()

    def index(self, service: str | None) -> int:
        """Return the index of a service, or of the registry, which grows with every change."""
        with self._watches.open(service, present=False) as watch:
            return watch.index

    async def changed(self, service: str | None, index: int) -> int:
        """Return the index of a service (None: of any) as soon as it is not `index`.

        Raises `Unavailable` when the peer stops.
        """
        await trio.lowlevel.checkpoint()
        with self._watches.open(service, present=False) as watch:
            while watch.index == index and not watch.closed:
                await watch.wait()
                watch.skip()
            if watch.index == index:
                raise self._life.stopped_error()
            return watch.index

    # Actions

    def register(self, service: str, **fields: Unpack[RegistrationFields]) -> Instance:
        """Register an instance, or replace it; `fields` are those of `Registration`.

        The address is this peer's own, the id is made of service, address and port, unless given.
        Without `ttl` the instance lives as long as this peer; with it, it needs a heartbeat at
        least every `ttl` seconds.
        Raises `BadInput`, `TooLarge` or `Unavailable`, with nothing changed.
        """
        instance, _ = self.register_or_replace(Registration(service=service, **fields))
        return instance

    def register_or_replace(self, wanted: Registration) -> tuple[Instance, bool]:
        """As `register`; return also whether the instance is new."""
        with self._life.acting() as now:
            return self._registry.register(wanted, now)

    def deregister(self, service: str, id: str) -> Instance:
        """Deregister an instance of any owner, and return it.

        Raises `NotFound`, with nothing changed.
        """
        with self._life.acting() as now:
            return self._registry.deregister(service, id, now)

    def heartbeat(self, service: str, id: str) -> None:
        """Renew an instance's lease; after `NotFound` the service should register again."""
        with self._life.acting() as now:
            self._registry.heartbeat(service, id, now)

    def report(self, service: str, id: str, status: str, *, output: str | None = None) -> Instance:
        """Set the service's own status, with a line or two of output.

        The service itself and health checks use this, at any peer. An override stays, and decides
        what lookups show. Output is cut off after 256 bytes.
        Raises `BadInput` or `NotFound`, with nothing changed.
        """
        with self._life.acting() as now:
            return self._registry.report(service, id, status, output=output, now=now)

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
        """Override the status of an instance of any owner, for `expires` seconds or without end.

        Raises `BadInput` or `NotFound`, with nothing changed.
        """
        with self._life.acting() as now:
            return self._registry.set_status(
                service, id, status, reason=reason, expires=expires, by=by, now=now
            )

    def clear_status(self, service: str, id: str) -> Instance:
        """Take back what `set_status` set; raises `NotFound`, with nothing changed."""
        with self._life.acting() as now:
            return self._registry.clear_status(service, id, now=now)

    def accept_loss(self, service: str | None = None) -> int:
        """Give up the instances that self-preservation keeps; return how many."""
        with self._life.acting() as now:
            return self._registry.accept_loss(service, now)

    async def replicated(self, instance: Instance, peers: int = 2) -> tuple[str, ...]:
        """Return the names of that many other peers, once they hold an instance of this peer's.

        A registration that others hold outlives this peer's machine. The call waits while there
        are fewer peers.
        Raises `Conflict` for an instance of another owner, `Unavailable` when this peer stops.
        """
        if type(peers) is not int or peers < 1:
            raise BadInput("peers", f"peers must be a whole number, at least 1, not {peers!r}")
        if instance.owner != self.name:
            raise Conflict(
                f"instance {instance.id!r} is owned by {instance.owner}: ask that peer", field="id"
            )
        with self._life.acting() as now:
            receipt = self._gossip.confirm(peers, now)
        try:
            while not receipt.complete:
                self._life.check_running()
                if receipt.cancelled:
                    raise Unavailable("too many calls wait for confirmations: ask again later")
                await self._life.datagram()
        finally:
            receipt.cancelled = True
        return tuple(receipt.holders)
