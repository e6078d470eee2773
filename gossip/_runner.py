"""Gives one core and what follows it their turns, in one order, for every driver.

A driver (`peers.runtime` on sockets, `simulations` on a virtual clock, a test) brings bytes and
time in.
What comes out is carried out here, so that all drivers do it alike:

1. the outbox is sent;
2. the events are handed to the followers, all of them to one follower after the other, in the
   order in which the followers were given;
3. the calls are begun;

and so on until nothing is left.
A follower that makes the core say more while it hears an event is drained in the same turn.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol

from ._core import Gossip
from .kernel import Exchange
from .state import Address, Event


class Follower(Protocol):
    """What stands behind a core and hears its events: the registry, the keys, the log, a disk."""

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next."""
        ...

    def tick(self, now: float) -> None:
        """Let time pass; a tick that comes early does no harm."""

    def handle_all(self, events: Sequence[Event], now: float) -> None:
        """Hear events that came together."""


class Observer:
    """A follower that is one function, and wants no ticks."""

    __slots__ = ("_hear",)
    deadline = inf

    def __init__(self, hear: Callable[[Sequence[Event], float], None]) -> None:
        self._hear = hear

    def tick(self, now: float) -> None:
        """Nothing is ever due."""

    def handle_all(self, events: Sequence[Event], now: float) -> None:
        """Hear events that came together."""
        self._hear(events, now)


class Runner:
    """A core with its followers, which are held as the list that is given: it may grow.

    `send` and `call` carry out what the core wants, `clock` tells the time of the core's clock.

    Nothing guards one follower from another: what one raises goes through `drain` or `tick` to the
    caller, and the followers after it do not hear the events of that turn.
    A driver must not go on then as if nothing had happened.
    """

    __slots__ = ("_awaited", "_call", "_clock", "_draining", "_followers", "_gossip", "_send")

    def __init__(
        self,
        gossip: Gossip,
        followers: Sequence[Follower],
        *,
        send: Callable[[Address, bytes], None],
        call: Callable[[Exchange], None],
        clock: Callable[[], float],
    ) -> None:
        self._gossip = gossip
        self._followers = followers
        self._send = send
        self._call = call
        self._clock = clock
        self._draining = False
        self._awaited = self._earliest()

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next, by the core or by a follower."""
        core = self._gossip.deadline
        return min(self._awaited, core)

    def tick(self, now: float) -> float:
        """Let the core do what is due, and then the followers; return the next deadline."""
        self._gossip.tick(now)
        deadline = self.drain_input()
        if self._awaited > now:
            return deadline
        for follower in self._followers:
            if follower.deadline <= now:
                follower.tick(now)
        return self.drain()

    def drain(self) -> float:
        """Carry out all that the core wants; return the next deadline.

        To be called after something was asked of the core or of a follower.
        Does nothing while a turn is under way: what was said in it is carried out before it ends.
        """
        if not self._draining:
            self.drain_input()
            self._awaited = self._earliest()
        return self.deadline

    def drain_input(self) -> float:
        """As `drain`, after an input of the core alone, such as a packet.

        Followers are asked for their deadlines only if there were events for them.
        """
        gossip = self._gossip
        # One function with all of it: a simulated mesh comes here for each packet.
        if not self._draining and (gossip.outbox or gossip.events or gossip.calls):
            self._draining = True
            heard = False
            try:
                while gossip.outbox or gossip.events or gossip.calls:
                    if outbox := gossip.outbox:
                        send = self._send
                        # Where delivery takes no time, a core may be sent what it sends itself:
                        # the loop goes on with what is appended, so nothing is cleared unsent.
                        for to, data in outbox:
                            send(to, data)
                        outbox.clear()
                    if gossip.events:
                        heard = True
                        events = gossip.events.copy()
                        gossip.events.clear()
                        now = self._clock()
                        for follower in self._followers:
                            follower.handle_all(events, now)
                    if gossip.calls:
                        calls = gossip.calls.copy()
                        gossip.calls.clear()
                        for exchange in calls:
                            self._call(exchange)
            finally:
                self._draining = False
            if heard:
                self._awaited = self._earliest()
        core = gossip.deadline
        return min(self._awaited, core)

    def _earliest(self) -> float:
        return min((follower.deadline for follower in self._followers), default=inf)
