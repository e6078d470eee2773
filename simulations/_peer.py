"""One peer's process in a simulated mesh: the core, and the work of a runtime."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf, isfinite
from random import Random
from typing import Protocol, TypeVar

from gossamer.gossip import (
    Event,
    Exchange,
    Follower,
    Gossip,
    GossipConfig,
    LeaveCompleted,
    Observer,
    Runner,
    Seal,
)

from ._conversation import Conversation
from ._conversations import Conversations
from ._cuts import Silence
from ._fabric import Fabric, Guard
from ._inbox import Inbox
from ._packet import Address
from ._state import State
from ._stream import StreamEnd

T = TypeVar("T")

# A core that wants ticks without end at one instant has a fault; a driver would spin.
_TICKS_AT_ONE_INSTANT = 1000


class World(Protocol):
    """What a peer needs of the mesh around it."""

    fabric: Fabric

    @property
    def now(self) -> float:
        """Seconds of virtual time."""
        ...

    @property
    def wall(self) -> float:
        """What a right clock on the wall shows, in Unix seconds."""
        ...

    def seal(self, peer: "SimulatedPeer") -> Seal | None:
        """Return the seal of a process that begins; None for a checksum."""
        ...

    def began(self, peer: "SimulatedPeer") -> None:
        """A process has a core, which has not said anything yet."""
        ...

    def happened(self, peer: "SimulatedPeer", events: Sequence[Event]) -> None:
        """A core told of all these, one after the other, at this moment."""
        ...


class SimulatedPeer:
    """A process with one protocol core, at one address of a fabric.

    `skew` is how far this host's wall clock is ahead, in seconds; it may be set at any time.
    Commands act at once, at the mesh's present time.
    """

    def __init__(
        self, world: World, config: GossipConfig, address: Address, rng: Random, *, skew: float
    ) -> None:
        self.config = config
        self.address = address
        self.skew = skew
        self.state = State.NEW
        self.history: list[tuple[float, Event]] = []
        self.followers: list[Follower] = []
        """What stands behind the core of the process that runs; the mesh's own ear is first."""
        self._world = world
        self._fabric = world.fabric
        self._rng = rng
        self._gossip: Gossip | None = None
        self._runner: Runner | None = None
        self._last_epoch = 0
        self._seeds: tuple[Address, ...] = ()
        self._wakes_at = inf
        self._ticked_at = -inf
        self._ticks_here = 0
        self._conversations = Conversations(self, world.fabric)
        self._inbox = Inbox(world.fabric.clock, self._input)
        self._silence: Guard | None = None

    # Views

    @property
    def name(self) -> str:
        """The peer's name."""
        return self.config.name

    @property
    def gossip(self) -> Gossip:
        """The core; raises RuntimeError when the peer was never started."""
        if self._gossip is None:
            raise RuntimeError(f"{self.name} was never started: call start() first")
        return self._gossip

    @property
    def buffer_overflows(self) -> int:
        """How many datagrams found the buffer full while the process was stopped or slow."""
        return self._inbox.overflows

    @property
    def waiting(self) -> tuple[int, int]:
        """How many packets and timers wait for the process, and the buffer's bytes they take."""
        return len(self._inbox), self._inbox.size

    @property
    def running(self) -> bool:
        """Whether there is a process, be it paused."""
        return self.state is State.RUNNING or self.state is State.PAUSED

    @property
    def skew(self) -> float:
        """How far the wall clock is ahead, in seconds; epochs and stamps hang on nothing else."""
        return self._skew

    @skew.setter
    def skew(self, seconds: float) -> None:
        if not isfinite(seconds):
            raise ValueError(f"skew must be a finite number of seconds, not {seconds}")
        self._skew = seconds

    def wall(self) -> float:
        """What this host's wall clock shows, in Unix seconds."""
        return self._world.wall + self.skew

    # Life

    def start(self, seeds: Sequence[Address] = (), *, epoch: int | None = None) -> None:
        """Start the process, and join through `seeds`.

        Without `epoch` it is that of the design: one more than the last, or Unix milliseconds.
        Raises RuntimeError when the process runs already, ValueError when the address is taken.
        """
        if self.running:
            raise RuntimeError(f"{self.name} runs already: crash it or let it leave first")
        self._fabric.attach(self.address, self)
        if self._silence is not None:
            self._silence.remove()
            self._silence = None
        if epoch is None:
            epoch = max(self._last_epoch + 1, int(self.wall() * 1000))
        self._last_epoch = epoch
        self._seeds = tuple(seeds)
        self._wakes_at = inf
        self.state = State.RUNNING
        self._inbox.go_on()
        self._gossip = Gossip(
            self.config,
            epoch=epoch,
            nonce=self._rng.getrandbits(64),
            advertise=self.address,
            rng=Random(self._rng.getrandbits(64)),
            now=self._world.now,
            seal=self._world.seal(self),
        )
        self.followers = [Observer(self._happened)]
        self._world.began(self)
        self._runner = Runner(
            self._gossip,
            self.followers,
            send=partial(self._fabric.send_datagram, self.address),
            call=self._call,
            clock=self._time,
        )
        self._gossip.join(self._seeds, self._world.now)
        self.drain()

    def crash(self, *, host: bool = False) -> None:
        """Kill the process; its kernel resets its streams, unless the host goes as well."""
        self._stop(State.CRASHED, silently=host)
        if host:
            self._silence = self._fabric.add(Silence([self.address[0]]))

    def restart(
        self,
        *,
        address: Address | None = None,
        seeds: Sequence[Address] | None = None,
        keep_epoch: bool = False,
    ) -> None:
        """Start again, killing what still runs, with a new epoch unless it is to be kept."""
        if self.running:
            self.crash()
        if address is not None:
            self.address = address
        epoch = self._last_epoch if keep_epoch else None
        self.start(self._seeds if seeds is None else seeds, epoch=epoch)

    def pause(self) -> None:
        """Stop the process as SIGSTOP does: the kernel keeps its socket and buffers what comes."""
        self._require(State.RUNNING)
        self.state = State.PAUSED
        self._inbox.stop()

    def resume(self) -> None:
        """Let a paused process go on: first it hears what waited, then what time it is."""
        self._require(State.PAUSED)
        self.state = State.RUNNING
        if self._inbox.each and self._inbox:
            self._inbox.put_timer(self._look)
            self._inbox.go_on()
            return
        self._inbox.take_all()
        if self.state is State.RUNNING:
            self._tick()

    def slow_down(self, seconds: float) -> None:
        """Let the process need so many seconds for each packet that it takes in, one by one.

        What comes meanwhile waits in the kernel's buffer or is dropped when that is full; timers
        wait behind the packets that came before.
        A property of the host: it holds for processes that start here later as well.
        Raises ValueError when `seconds` is not above 0.
        """
        if not 0.0 < seconds < inf:
            raise ValueError(
                f"seconds must be finite and above 0, not {seconds}: use speed_up() to end slowness"
            )
        self._inbox.each = seconds

    def speed_up(self) -> None:
        """Let packets take no time again, and what waits be taken in at once."""
        self._inbox.each = 0.0
        if self.state is State.RUNNING:
            self._inbox.take_all()

    # Commands

    def join(self, seeds: Sequence[Address]) -> None:
        """Take these seeds in place of those before."""
        self._require(State.RUNNING)
        self._seeds = tuple(seeds)
        self.gossip.join(self._seeds, self._world.now)
        self.drain()

    def acquaint(self, members: Iterable[bytes], seeds: Sequence[Address]) -> None:
        """Let a process that was just started know these members; it keeps `seeds` for later."""
        self._require(State.RUNNING)
        self._seeds = tuple(seeds)
        self.gossip.acquaint(members, self._world.now)
        self.gossip.join(self._seeds, self._world.now)
        self.drain()

    def leave(self) -> None:
        """Leave gracefully; the process ends by itself when that is done."""
        self._require(State.RUNNING)
        self.gossip.leave(self._world.now)
        self.drain()

    def publish(self, key: str, value: bytes) -> int:
        """Write a record; returns the part's version."""
        self._require(State.RUNNING)
        version = self.gossip.publish(key, value, self._world.now)
        self.drain()
        return version

    def withdraw(self, key: str) -> bool:
        """Remove a record; returns whether there was one."""
        self._require(State.RUNNING)
        found = self.gossip.withdraw(key, self._world.now)
        self.drain()
        return found

    # What the fabric calls

    def receive(self, data: bytes, sender: Address) -> None:
        """A datagram came."""
        if self.state is State.RUNNING and not self._inbox.each:
            assert self._gossip is not None
            self._gossip.receive(data, sender, self._fabric.clock.now)
            self._drain_input()
        else:
            self._inbox.put_datagram(self._hear, data, sender)

    def unreachable(self, address: Address) -> None:
        """A host says that nobody listens at `address`; a process that is stopped misses it."""
        if self.state is State.RUNNING:
            self.handle(self._hear_unreachable, address)

    def accept(self, end: StreamEnd) -> bool:
        """Somebody opened a stream; a stopped process's kernel answers as well."""
        waits = self._inbox.each or self.state is State.PAUSED
        if waits and self._inbox.backlog_full:
            return False
        conversation = self._conversations.answer(end)
        if waits:
            self._inbox.put_knock(conversation.begin)
        else:
            self._input(conversation.begin, None)
        return True

    # What conversations call

    @property
    def now(self) -> float:
        """The time, for conversations."""
        return self._world.now

    def handle(self, action: Callable[[T], None], argument: T) -> None:
        """Carry out an input at once, or when the process goes on, or comes to it."""
        if self.state is State.RUNNING and not self._inbox.each:
            self._input(action, argument)
        elif self.running:
            self._inbox.put_piece(action, argument)

    def at(self, time: float, action: Callable[[None], None]) -> None:
        """Have `action` called at `time`."""
        self._fabric.clock.call_at(time, action, None)

    def closed(self, conversation: Conversation) -> None:
        """A conversation is over."""
        self._conversations.forget(conversation)

    # Driving the core

    def drain(self) -> None:
        """Carry out what the core wants, after something was asked of it or of a follower."""
        assert self._runner is not None
        self._set_alarm(self._runner.drain())

    def _drain_input(self) -> None:
        assert self._runner is not None
        deadline = self._runner.drain_input()
        if deadline < self._wakes_at:
            self._set_alarm(deadline)

    def _set_alarm(self, deadline: float) -> None:
        if deadline < self._wakes_at:
            self._wakes_at = max(deadline, self._fabric.clock.now)
            self._fabric.clock.call_at(self._wakes_at, self._wake, self._wakes_at)

    def _time(self) -> float:
        return self._fabric.clock.now

    def _happened(self, events: Sequence[Event], now: float) -> None:
        self._world.happened(self, events)
        if any(type(event) is LeaveCompleted for event in events):
            self.at(now + self.config.drain, self._left)

    def _left(self, _: None) -> None:
        if self.running:
            self._stop(State.LEFT)

    def _call(self, exchange: Exchange) -> None:
        self._conversations.call(exchange, self.address[0])

    def _input(self, action: Callable[[T], None], argument: T) -> None:
        if self.state is State.RUNNING:
            action(argument)
            self._drain_input()

    def _hear(self, datagram: tuple[bytes, Address]) -> None:
        self.gossip.receive(*datagram, self._world.now)

    def _hear_unreachable(self, address: Address) -> None:
        self.gossip.unreachable(address, self._world.now)

    def _look(self, _: None) -> None:
        if self._deadline <= self._world.now:
            self._tick()

    @property
    def _deadline(self) -> float:
        assert self._runner is not None
        return self._runner.deadline

    # An alarm for a deadline that has changed in the meantime does nothing.
    def _wake(self, when: float) -> None:
        if when != self._wakes_at or not self.running:
            return
        self._wakes_at = inf
        if self.state is State.PAUSED:
            return
        if self._inbox:
            self._inbox.put_timer(self._look)
        elif self._deadline <= self._fabric.clock.now:
            self._tick()
        else:
            self._set_alarm(self._deadline)

    def _tick(self) -> None:
        now = self._fabric.clock.now
        self._ticks_here = self._ticks_here + 1 if now == self._ticked_at else 0
        self._ticked_at = now
        if self._ticks_here > _TICKS_AT_ONE_INSTANT:
            raise RuntimeError(
                f"{self.name} asks for ticks without end at {now}: this is a fault of the core"
            )
        assert self._runner is not None
        self._set_alarm(self._runner.tick(now))

    def _stop(self, state: State, *, silently: bool = False) -> None:
        self._require(State.RUNNING, State.PAUSED)
        self.state = state
        self._fabric.detach(self.address)
        self._inbox.clear()
        self._wakes_at = inf
        self._conversations.drop_all(silently=silently)

    def _require(self, *states: State) -> None:
        if self.state not in states:
            wanted = " or ".join(state.value for state in states)
            raise RuntimeError(f"{self.name} is {self.state.value}, but must be {wanted}")
