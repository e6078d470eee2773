# The rules a network is made of.
#
# Hosts are named by their IP as text; a rule with `hosts` concerns packets that come
# from or go to one of them, and a rule without concerns all.
#
# A lost piece of a stream is not lost to the stream: TCP sends it again, later.  So
# Loss makes streams slow where it makes datagrams vanish; a cut stops both, and the
# stream (see _stream.py) tries again until its owner gives up.

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Final

from ._packet import DROP, HELD, Datagram, Kind, Packet, Rule, Verdict

if TYPE_CHECKING:
    from ._fabric import Fabric

# Linux's smallest time before TCP sends a lost piece again (TCP_RTO_MIN).
RETRANSMIT: Final = 0.2
# After that many losses of one piece in a row the rule lets it through.
RETRANSMIT_LIMIT: Final = 6
# A held link keeps that many packets; later ones are lost, as in a full queue.
HOLD_LIMIT: Final = 10_000


def _seconds(name: str, value: float) -> float:
    if not 0.0 <= value < inf:
        raise ValueError(f"{name} must be a finite number of seconds and not negative, not {value}")
    return value


def _probability(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a probability lies between 0 and 1, not at {value}")
    return value


def _hosts(hosts: Iterable[str] | None) -> frozenset[str] | None:
    if hosts is None:
        return None
    if isinstance(hosts, str):
        raise ValueError(f"hosts must be a list of addresses, not the text {hosts!r}")
    chosen = frozenset(hosts)
    if not chosen:
        raise ValueError("a rule for no hosts would never apply: name at least one")
    return chosen


class _ScopedRule(Rule):
    __slots__ = ("_hosts",)

    def __init__(self, hosts: Iterable[str] | None) -> None:
        self._hosts = _hosts(hosts)

    def _concerns(self, packet: Packet) -> bool:
        hosts = self._hosts
        return hosts is None or packet.source[0] in hosts or packet.destination[0] in hosts


class ConstantLatency(_ScopedRule):
    """Each packet takes `seconds`."""

    __slots__ = ("_latency",)

    def __init__(self, seconds: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._latency = _seconds("latency", seconds)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        return self._latency if self._concerns(packet) else None


class UniformLatency(_ScopedRule):
    """Each packet takes between `low` and `high` seconds, so that packets overtake one another."""

    __slots__ = ("_low", "_width")

    def __init__(self, low: float, high: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._low = _seconds("low", low)
        if _seconds("high", high) < low:
            raise ValueError(f"high must not be below low, but {high} < {low}")
        self._width = high - low

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        if self._hosts is not None and not self._concerns(packet):
            return None
        return self._low + self._width * fabric.rng.random()


class Lag(_ScopedRule):
    """Each packet takes `seconds` more than the rest of the chain says."""

    __slots__ = ("_extra",)

    def __init__(self, seconds: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._extra = _seconds("lag", seconds)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        if self._concerns(packet):
            packet.lag += self._extra
        return None


class Loss(_ScopedRule):
    """Each datagram is lost with `probability`; streams are delayed as pieces are resent."""

    __slots__ = ("_probability",)

    def __init__(self, probability: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._probability = _probability(probability)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        if not self._concerns(packet):
            return None
        if packet.kind is Kind.UDP:
            return DROP if fabric.rng.random() < self._probability else None
        wait = RETRANSMIT
        for _ in range(RETRANSMIT_LIMIT):
            if fabric.rng.random() >= self._probability:
                break
            packet.lag += wait
            wait *= 2
        return None


class Duplication(_ScopedRule):
    """Each datagram comes twice with `probability`; the second copy has a delay of its own."""

    __slots__ = ("_probability",)

    def __init__(self, probability: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._probability = _probability(probability)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        if packet.kind is not Kind.UDP or packet.copied or not self._concerns(packet):
            return None
        if fabric.rng.random() < self._probability:
            copy = Datagram(packet.source, packet.destination, packet.data)
            copy.copied = True
            lag = packet.lag
            fabric.send(copy)
            packet.lag = lag
        return None


class Cut(Rule):
    """No packet passes between hosts of different groups, in either direction."""

    __slots__ = ("_side",)
    on_arrival = True

    def __init__(self, *groups: Iterable[str]) -> None:
        if len(groups) < 2:
            raise ValueError("a cut needs at least two groups of hosts")
        self._side: dict[str, int] = {}
        for index, group in enumerate(groups):
            for host in sorted(_hosts(group) or ()):
                if host in self._side:
                    raise ValueError(f"{host} stands on two sides of the cut: name it once")
                self._side[host] = index

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        source = self._side.get(packet.source[0])
        if source is None:
            return None
        destination = self._side.get(packet.destination[0])
        return None if destination is None or destination == source else DROP


class OneWayCut(Rule):
    """No packet passes from `sources` to `targets`; the other direction is not touched."""

    __slots__ = ("_sources", "_targets")
    on_arrival = True

    def __init__(self, sources: Iterable[str], targets: Iterable[str]) -> None:
        self._sources = _hosts(sources) or frozenset()
        self._targets = _hosts(targets) or frozenset()

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        cut = packet.source[0] in self._sources and packet.destination[0] in self._targets
        return DROP if cut else None


class Silence(_ScopedRule):
    """Nothing leaves or reaches the hosts: a machine without power."""

    __slots__ = ()
    on_arrival = True

    def __init__(self, hosts: Iterable[str]) -> None:
        super().__init__(hosts)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        return DROP if self._concerns(packet) else None


class Block(_ScopedRule):
    """One transport does not pass: a firewall that knows only the other."""

    __slots__ = ("_kind",)
    on_arrival = True

    def __init__(self, kind: Kind | str, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._kind = Kind(kind)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        return DROP if packet.kind is self._kind and self._concerns(packet) else None


class Hold(_ScopedRule):
    """Packets wait, also those on their way, until `release` or until the rule is taken away.

    Holds up to `limit` packets; what comes after that is lost.
    """

    __slots__ = ("_fabric", "_holding", "_limit", "_waiting")
    on_arrival = True

    def __init__(self, hosts: Iterable[str] | None = None, *, limit: int = HOLD_LIMIT) -> None:
        super().__init__(hosts)
        if limit < 0:
            raise ValueError(f"limit must not be negative, not {limit}")
        self._limit = limit
        self._waiting: deque[Packet] = deque()
        self._holding = True
        self._fabric: Fabric | None = None

    @property
    def waiting(self) -> int:
        """How many packets are held."""
        return len(self._waiting)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        if not self._holding or not self._concerns(packet):
            return None
        if len(self._waiting) >= self._limit:
            return DROP
        self._waiting.append(packet)
        return HELD

    def hold(self) -> None:
        """Hold packets again after a release."""
        self._holding = True

    def release(self) -> None:
        """Send on what waits, in the order in which it came, and hold nothing more."""
        self._holding = False
        waiting, self._waiting = self._waiting, deque()
        for packet in waiting:
            if self._fabric is not None:
                self._fabric.send(packet)

    def added(self, fabric: Fabric) -> None:
        self._fabric = fabric

    def removed(self, fabric: Fabric) -> None:
        self.release()
        self._fabric = None
