"""Protocol cores for tests: one on a bench with everybody else played, or several on a link."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from gossamer.gossip import (
    Address,
    Event,
    Exchange,
    Gossip,
    GossipConfig,
    KeyRefused,
    Observer,
    Runner,
    Seal,
    Status,
    encode,
)
from gossamer.gossip.kernel import Context, Identity
from gossamer.gossip.messages import (
    Ask,
    Message,
    Open,
    Packet,
    decode_body,
    encode_body,
    encode_delta,
)
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.gossip.state import OWN_TAIL, MemberUpdate, Operation

T = TypeVar("T")

EPOCH = 1_700_000_000_000
NOW = 1000.0
ROOT = bytes(16)
SEAL = ChecksumSeal("default")


def address_of(name: str) -> Address:
    """Return where the tests have `name` live."""
    return f"10.0.{sum(name.encode()) % 256}.{len(name)}", 7940


def about(name: str, status: Status = Status.ALIVE, **changes: Any) -> MemberUpdate:
    """Return an update about a member in its first incarnation; its accuser, if any, is `judge`.

    The member understands what this version does.
    """
    values: dict[str, Any] = {
        "epoch": EPOCH,
        "incarnation": 0,
        "status": status,
        "address": address_of(name),
        "zone": "",
        "nonce": sum(name.encode()),
        "accuser": "judge" if status in (Status.SUSPECT, Status.DEAD) else "",
        "tail": OWN_TAIL,
        **changes,
    }
    return MemberUpdate(name, **values)


def datagram(
    source: str,
    messages: Iterable[Message] = (),
    updates: Iterable[bytes] = (),
    *,
    epoch: int = EPOCH,
    to_epoch: int = EPOCH,
    cluster: str = "default",
) -> bytes:
    """Return a datagram as `source` would send it."""
    body = encode_body(source, epoch, list(messages), list(updates))
    return ChecksumSeal(cluster).seal(body, to_epoch)


def delta(owner: str, since: int, *operations: Operation, epoch: int = EPOCH) -> bytes:
    """Return the update that carries operations of an owner."""
    return encode_delta(owner, epoch, since, list(operations))


def gossip(
    name: str,
    *,
    seed: int = 1,
    epoch: int = EPOCH,
    nonce: int = 0,
    seal: Seal | None = None,
    **config: Any,
) -> Gossip:
    """Return a core at its start."""
    return Gossip(
        GossipConfig(name=name, **config),
        epoch=epoch,
        nonce=nonce or sum(name.encode()),
        advertise=address_of(name),
        rng=random.Random(seed),
        now=NOW,
        seal=seal,
    )


def context(name: str = "me", *, wall_ms: int | None = None, **config: Any) -> Context:
    """Return what the parts of a peer's protocol are built from, to build one of them alone."""
    me = Identity(name, EPOCH, sum(name.encode()), address_of(name), "")
    settings = GossipConfig(name=name, **config)
    return Context.begin(settings, me, SEAL, random.Random(1), NOW, wall_ms=wall_ms)


@dataclass
class Sent:
    """A datagram that a core has sent, opened."""

    address: Address
    to_epoch: int
    packet: Packet
    size: int

    def kinds(self) -> list[type[Message]]:
        """Return the kinds of its messages."""
        return [type(message) for message in self.packet.messages]

    def told(self, kind: type[T]) -> T:
        """Return its message of a kind."""
        return next(message for message in self.packet.messages if isinstance(message, kind))


class Bench:
    """One real core; what it says is looked at, and the others' part is said by the test.

    What it says is opened with `opener`; it hears plain text.
    """

    def __init__(self, name: str = "me", *, opener: Seal = SEAL, **options: Any) -> None:
        self.core = gossip(name, **options)
        self._opener = opener
        self.inside = self.core.inside
        self.context = self.inside.context
        self.now = NOW

    def meet(self, *names: str) -> None:
        """Have members tell that they live; what the core makes of it is drained."""
        for name in names:
            self.hear(name, updates=[about(name).encode()])
        self.run(0.05)
        self.sent()
        self.events()

    def hear(
        self,
        source: str,
        *messages: Message,
        updates: Iterable[bytes] = (),
        sender: Address | None = None,
        epoch: int = EPOCH,
        to_epoch: int = EPOCH,
    ) -> None:
        """Have the core receive a datagram of `source`."""
        data = datagram(source, messages, updates, epoch=epoch, to_epoch=to_epoch)
        self.core.receive(data, sender or address_of(source), self.now)

    def run(self, seconds: float) -> None:
        """Let time pass, with ticks when they are wanted."""
        until = self.now + seconds
        while self.core.deadline <= until:
            self.now = max(self.now, self.core.deadline)
            self.core.tick(self.now)
        self.now = until

    def sent(self, *kinds: type[Message]) -> list[Sent]:
        """Return and drain what was sent (if kinds are given: that carries such a message)."""
        opened = []
        for address, data in self.core.outbox:
            to_epoch, body = self._opener.open(data)
            opened.append(Sent(address, to_epoch, decode_body(body), len(data)))
        self.core.outbox.clear()
        return [item for item in opened if not kinds or set(kinds) & set(item.kinds())]

    def updates(self) -> list[bytes]:
        """Return and drain the updates sent, each once."""
        return list(dict.fromkeys(u for item in self.sent() for u in item.packet.updates))

    def events(self, kind: type[T] | None = None) -> list[Any]:
        """Return and drain the events (of one kind)."""
        taken = [event for event in self.core.events if kind is None or isinstance(event, kind)]
        self.core.events.clear()
        return taken

    def calls(self, *purposes: str) -> list[Exchange]:
        """Return and drain the streams that the core wants (for some purposes)."""
        taken = [call for call in self.core.calls if not purposes or call.purpose in purposes]
        self.core.calls.clear()
        return taken

    def counts(self, *names: str) -> tuple[int, ...]:
        """Return counters."""
        return tuple(self.core.statistics()[name] for name in names)


class Link:
    """Cores with a fake link between them: what one sends the other has at once.

    `passes` decides about each datagram and each stream; datagrams are opened for nobody.
    """

    def __init__(self, *cores: Gossip) -> None:
        self.cores = {core.address: core for core in cores}
        self.now = NOW
        self.events: dict[str, list[Event]] = {core.name: [] for core in cores}
        self.passes: Callable[[Address, Address], bool] = lambda source, target: True
        self.datagrams: list[tuple[Address, Address, bytes]] = []
        self.streams: list[tuple[str, int]] = []
        self._runners: dict[Gossip, Runner] = {}

    def settle(self) -> None:
        """Carry everything until nobody has anything to say."""
        while any(core.outbox or core.events or core.calls for core in self.cores.values()):
            for core in list(self.cores.values()):
                if core not in self._runners:
                    self._runners[core] = self._runner(core)
                self._runners[core].drain()

    def _runner(self, core: Gossip) -> Runner:
        def hear(events: Sequence[Event], _: float) -> None:
            self.events[core.name] += events

        return Runner(
            core,
            [Observer(hear)],
            send=partial(self._deliver, core.address),
            call=partial(self._carry, core.address),
            clock=lambda: self.now,
        )

    def _deliver(self, source: Address, target: Address, data: bytes) -> None:
        self.datagrams.append((source, target, data))
        if target in self.cores and self.passes(source, target):
            self.cores[target].receive(data, source, self.now)

    def _carry(self, source: Address, call: Exchange) -> None:
        other = self.cores.get(call.address)
        if other is None or not self.passes(source, call.address):
            call.fail("refused", self.now)
            return
        self.streams.append(
            (call.purpose, converse(call, other.accept(source, self.now), self.now))
        )

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        self.settle()
        while (due := min(core.deadline for core in self.cores.values())) <= until:
            self.now = max(self.now, due)
            for core in self.cores.values():
                if core.deadline <= self.now:
                    core.tick(self.now)
            self.settle()
        self.now = until

    def join(self) -> None:
        """Have all cores join through the first, and everything be known to all."""
        first = next(iter(self.cores))
        for address, core in self.cores.items():
            if address != first:
                core.join([first], self.now)
                self.run(0.3)
        self.run(3.0)
        assert all(len(core.members) == len(self.cores) - 1 for core in self.cores.values())


def converse(
    caller: Exchange,
    callee: Exchange,
    now: float,
    *,
    spoil: Callable[[int, bytes], bytes | None] = lambda number, frame: frame,
) -> int:
    """Carry one conversation to its end and return its bytes.

    `spoil` sees each frame with its number; what it returns is carried, on None the stream breaks.
    """
    number = total = 0
    while caller.outbox or callee.outbox:
        for sender, receiver in ((caller, callee), (callee, caller)):
            frames = list(sender.outbox)
            sender.outbox.clear()
            for frame in frames:
                carried = spoil(number, frame)
                number += 1
                if carried is None:
                    caller.fail("broken", now)
                    callee.fail("broken", now)
                    return total
                total += len(carried)
                receiver.receive(carried, now)
    for side in (caller, callee):
        side.fail("closed early", now)
    return total


def open_exchange(
    core: Gossip, name: str, sender: Address, *, owners: list[str] | None = None
) -> Exchange:
    """Return an exchange that `name`, who holds nothing, has opened and asked in."""
    called = core.accept(sender, NOW)
    opening = [Open.KIND, about(name).encode()]
    for message in (opening, [Ask.KIND, 1, ROOT, owners, [], None]):
        called.receive(SEAL.seal(encode(message), EPOCH), NOW)
    return called


def exchange(caller: Gossip, callee: Gossip, now: float, purpose: Any = "heal") -> int:
    """Have one core exchange state with another; return the bytes."""
    assert caller.inside.exchanges.begin(purpose, callee.address, now)
    call = caller.calls.pop()
    return converse(call, callee.accept(caller.address, now), now)


def declare_dead(bench: Bench, names: list[str]) -> None:
    """Let the member `a` declare these members dead, and drop what this peer sends."""
    for name in names:
        bench.hear("a", updates=[about(name, Status.DEAD).encode()])
    bench.sent()
    bench.calls()


def without_notices(core: Gossip) -> tuple[list[bytes], list[Event]]:
    """Return and drain what a core says, and tells but for that a key is not accepted.

    Damage can look like the seal of somebody with a key.
    """
    said = [data for _, data in core.outbox]
    told: list[Event] = [each for each in core.events if not isinstance(each, KeyRefused)]
    core.outbox.clear()
    core.events.clear()
    return said, told


def held(core: Gossip) -> dict[str, tuple[int, int, dict[str, bytes]]]:
    """Return all that a core holds of the registry."""
    return {
        owner: (part.epoch, part.version, dict(part.records))
        for owner, part in core.parts.items()
        if part.version
    }
