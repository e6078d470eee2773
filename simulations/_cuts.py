# Rules that stop packets, or delay them for a time.
#
# All of these rules also check packets at arrival, so a cut drops packets that were on
# their way.  A stream across a cut (see _stream.py) tries again until its owner gives up.

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from ._packet import DROP, HELD, Carrier, Kind, Packet, Rule, Verdict
from ._scope import ScopedRule, hosts_of

# A held link keeps that many packets; later ones are lost, as in a full queue.
HOLD_LIMIT: Final = 10_000


class Cut(Rule):
    """No packet passes between hosts of different groups, in either direction."""

    __slots__ = ("_side",)
    on_arrival = True

    def __init__(self, *groups: Iterable[str]) -> None:
        if len(groups) < 2:
            raise ValueError("a cut needs at least two groups of hosts")
        self._side: dict[str, int] = {}
        for index, group in enumerate(groups):
            for host in sorted(hosts_of(group) or ()):
                if host in self._side:
                    raise ValueError(f"{host} stands on two sides of the cut: name it once")
                self._side[host] = index

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
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
        self._sources = hosts_of(sources) or frozenset()
        self._targets = hosts_of(targets) or frozenset()

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        cut = packet.source[0] in self._sources and packet.destination[0] in self._targets
        return DROP if cut else None


class Silence(ScopedRule):
    """Nothing leaves or reaches the hosts: a machine without power."""

    __slots__ = ()
    on_arrival = True

    def __init__(self, hosts: Iterable[str]) -> None:
        super().__init__(hosts)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        return DROP if self._concerns(packet) else None


class Block(ScopedRule):
    """One transport does not pass: a firewall that knows only the other."""

    __slots__ = ("_kind",)
    on_arrival = True

    def __init__(self, kind: Kind | str, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._kind = Kind(kind)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        return DROP if packet.kind is self._kind and self._concerns(packet) else None


class Hold(ScopedRule):
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
        self._fabric: Carrier | None = None

    @property
    def waiting(self) -> int:
        """How many packets are held."""
        return len(self._waiting)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
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
        """Send on what waits, in the order in which it came, and hold nothing more.

        It passes the chain from its beginning, as if it were sent now.
        """
        self._holding = False
        waiting, self._waiting = self._waiting, deque()
        for packet in waiting:
            if self._fabric is not None:
                self._fabric.send(packet)

    def added(self, fabric: Carrier) -> None:
        self._fabric = fabric

    def removed(self, fabric: Carrier) -> None:
        self.release()
        self._fabric = None
