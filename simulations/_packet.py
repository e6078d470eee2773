# Packets, and the verdicts of rules about them.
#
# A rule answers one of
#   None       pass: the next rule is asked
#   >= 0       deliver after that many seconds
#   DROP       the packet is lost
#   HELD       the rule has kept the packet and will send it again itself
# Plain floats, because this is asked for each packet of a mesh of a thousand peers.

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from random import Random
from typing import Final, Protocol

from ._clock import Clock

Address = tuple[str, int]
Verdict = float | None

DROP: Final = -1.0
HELD: Final = -2.0


class Kind(Enum):
    """The transport a packet belongs to."""

    UDP = "udp"
    STREAM = "stream"


class Packet:
    """One packet between two addresses.

    `lag` is added to the delay that the chain decides: a rule that only makes packets slower adds
    to it and passes.
    `copied` marks the second of a duplicated packet.
    """

    __slots__ = ("copied", "data", "destination", "kind", "lag", "source")

    def __init__(self, source: Address, destination: Address, kind: Kind, data: bytes) -> None:
        self.source = source
        self.destination = destination
        self.kind = kind
        self.data = data
        self.lag = 0.0
        self.copied = False

    def arrive(self, fabric: Carrier) -> bool:
        """The packet is there; False when nobody listens."""
        raise NotImplementedError

    def lost(self, fabric: Carrier) -> None:
        """The packet was dropped on its way."""


class Datagram(Packet):
    """A packet that nobody repeats."""

    __slots__ = ()

    def __init__(self, source: Address, destination: Address, data: bytes) -> None:
        # Not super(): this runs for each datagram of the mesh.
        self.source = source
        self.destination = destination
        self.kind = Kind.UDP
        self.data = data
        self.lag = 0.0
        self.copied = False

    def arrive(self, fabric: Carrier) -> bool:
        port = fabric.ports.get(self.destination)
        if port is None:
            if self.destination[0] in fabric.hosts:
                fabric.send(PortUnreachable(self.destination, self.source, Kind.UDP, b""))
            return False
        port.receive(self.data, self.source)
        return True


class PortUnreachable(Packet):
    """What a host answers to a datagram for a port at which nobody listens (ICMP)."""

    __slots__ = ()

    def arrive(self, fabric: Carrier) -> bool:
        port = fabric.ports.get(self.destination)
        if port is None:
            return False
        port.unreachable(self.source)
        return True


class Rule:
    """One link of a fabric's chain; subclasses answer in `judge`.

    With `on_arrival` the rule is asked a second time when the packet arrives, so that it also
    catches what was on its way when the rule was added.
    """

    __slots__ = ()
    on_arrival = False

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        """None to pass, seconds to deliver after, DROP or HELD."""
        raise NotImplementedError

    def added(self, fabric: Carrier) -> None:
        """The rule became part of the chain."""

    def removed(self, fabric: Carrier) -> None:
        """The rule was taken out of the chain."""


class DatagramPort(Protocol):
    """A listener, as far as datagrams go."""

    def receive(self, data: bytes, sender: Address) -> None:
        """A datagram arrived."""
        ...

    def unreachable(self, address: Address) -> None:
        """The host of `address` says that no process listens there, to a datagram of this port."""
        ...


class Carrier(Protocol):
    """What packets and rules need of the fabric that carries them."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def rng(self) -> Random:
        """What decides latencies and losses."""
        ...

    @property
    def ports(self) -> Mapping[Address, DatagramPort]:
        """The listeners, by address."""
        ...

    @property
    def hosts(self) -> Collection[str]:
        """The hosts that run."""
        ...

    def send(self, packet: Packet) -> None:
        """Send a packet through the chain of rules."""
        ...
