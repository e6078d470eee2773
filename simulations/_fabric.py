# The network between simulated hosts.
#
# Each packet passes a chain of rules; the first verdict wins, and a latency rule ends
# the chain.  The rule that was added last is asked first, so a new cut always takes effect.
#
# A cut takes effect at delivery too: rules with `on_arrival` are asked again when the
# packet arrives, so packets that are in flight when the cut begins are lost.
#
# The fabric knows no peers and no protocol.  It runs on a virtual clock (Mesh) and on
# trio's clock (MemoryNetwork), so both see the same network.

import random
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from ._clock import Clock
from ._cuts import Cut, OneWayCut
from ._latency import UniformLatency
from ._packet import HELD, Address, Datagram, Packet, Rule
from ._stream import Port

# One hop in a data centre, there and not back: half a millisecond, give or take half.
LATENCY_LOW = 0.000_25
LATENCY_HIGH = 0.000_75


class Guard:
    """Holds a rule in its chain; as a context manager or by `remove()` it takes the rule away."""

    __slots__ = ("_fabric", "rule")

    def __init__(self, fabric: "Fabric", rule: Rule) -> None:
        self._fabric: Fabric | None = fabric
        self.rule = rule

    @property
    def active(self) -> bool:
        """Whether the rule is still in the chain."""
        return self._fabric is not None

    def remove(self) -> None:
        """Take the rule away; doing it twice does no harm."""
        if self._fabric is not None:
            fabric, self._fabric = self._fabric, None
            fabric._remove(self.rule)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


class Fabric:
    """Carries packets between the ports attached to it.

    `rng` decides latencies and losses; the same seed and the same packets give the same run.
    `latency` ends the chain and must decide about each packet.
    """

    __slots__ = (
        "_arrival_rules",
        "_arrive",
        "_cuts",
        "_latency",
        "_rules",
        "bytes_delivered",
        "bytes_sent",
        "clock",
        "datagram_bytes",
        "datagrams",
        "delivered",
        "dropped",
        "held",
        "hosts",
        "observer",
        "ports",
        "rng",
        "sent",
        "stream_bytes",
        "unreachable",
    )

    def __init__(self, clock: Clock, rng: random.Random, *, latency: Rule | None = None) -> None:
        self.clock = clock
        self.rng = rng
        self.ports: dict[Address, Port] = {}
        # Machines that somebody ever listened on: they answer for the ports that are closed.
        self.hosts: set[str] = set()
        # Told of each packet right before it is delivered.
        self.observer: Callable[[Packet], None] | None = None
        self._latency = latency or UniformLatency(LATENCY_LOW, LATENCY_HIGH)
        self._rules: list[Rule] = []
        self._arrival_rules: list[Rule] = []
        self._cuts: list[Guard] = []
        self._arrive = self._arrived
        self.sent = 0
        self.delivered = 0
        self.dropped = 0
        self.held = 0
        self.unreachable = 0
        self.bytes_sent = 0
        self.bytes_delivered = 0
        # What hosts said, without the copies and the repetitions that the network makes.
        self.datagrams = 0
        self.datagram_bytes = 0
        self.stream_bytes = 0

    # ports

    def attach(self, address: Address, port: Port) -> None:
        """Let `port` hear what is sent to `address`.

        Raises ValueError when somebody listens there already; nothing changes then.
        """
        if address in self.ports:
            raise ValueError(f"{address[0]}:{address[1]} is taken: detach its port first")
        self.ports[address] = port
        self.hosts.add(address[0])

    def detach(self, address: Address) -> None:
        """Nobody listens at `address` any more; does no harm when nobody did."""
        self.ports.pop(address, None)

    # rules

    def add(self, rule: Rule) -> Guard:
        """Put `rule` in front of the chain; the guard takes it away.

        Raises ValueError when the rule is in the chain already.
        """
        if any(known is rule for known in self._rules):
            raise ValueError(f"{type(rule).__name__} is in the chain already: add a new one")
        self._rules.insert(0, rule)
        self._arrival_rules = [known for known in self._rules if known.on_arrival]
        rule.added(self)
        return Guard(self, rule)

    def _remove(self, rule: Rule) -> None:
        self._rules = [known for known in self._rules if known is not rule]
        self._arrival_rules = [known for known in self._rules if known.on_arrival]
        rule.removed(self)

    def cut(self, *groups: Iterable[str]) -> Guard:
        """Cut the network between groups of hosts, both ways; hosts in no group are not touched."""
        guard = self.add(Cut(*groups))
        self._cuts.append(guard)
        return guard

    def cut_one_way(self, sources: Iterable[str], targets: Iterable[str]) -> Guard:
        """Lose what `sources` send to `targets`; the way back stays open."""
        guard = self.add(OneWayCut(sources, targets))
        self._cuts.append(guard)
        return guard

    def heal(self) -> None:
        """Take away every cut made by `cut` and `cut_one_way`."""
        cuts, self._cuts = self._cuts, []
        for guard in cuts:
            guard.remove()

    # packets

    def send_datagram(self, source: Address, destination: Address, data: bytes) -> None:
        """Send a datagram; what becomes of it the chain decides."""
        self.datagrams += 1
        self.datagram_bytes += len(data)
        self.send(Datagram(source, destination, data))

    def send(self, packet: Packet) -> None:
        """Send a packet through the chain."""
        self.sent += 1
        self.bytes_sent += len(packet.data)
        packet.lag = 0.0
        verdict = None
        for rule in self._rules:
            verdict = rule.judge(packet, self)
            if verdict is not None:
                break
        else:
            verdict = self._latency.judge(packet, self)
            if verdict is None:
                raise RuntimeError("the latency rule at the chain's end must not pass")
        if verdict >= 0.0:
            clock = self.clock
            clock.call_at(clock.now + verdict + packet.lag, self._arrive, packet)
        else:
            self._stopped(packet, verdict)

    def _arrived(self, packet: Packet) -> None:
        for rule in self._arrival_rules:
            verdict = rule.judge(packet, self)
            if verdict is not None:
                if verdict >= 0.0:
                    raise RuntimeError(f"{type(rule).__name__} must not delay what has arrived")
                self._stopped(packet, verdict)
                return
        if self.observer is not None:
            self.observer(packet)
        if packet.arrive(self):
            self.delivered += 1
            self.bytes_delivered += len(packet.data)
        else:
            self.unreachable += 1

    def _stopped(self, packet: Packet, verdict: float) -> None:
        if verdict == HELD:
            self.held += 1
        else:
            self.dropped += 1
            packet.lost(self)

    def statistics(self) -> Mapping[str, int]:
        """Packets and bytes so far; a held packet is sent again when it is released."""
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "dropped": self.dropped,
            "held": self.held,
            "unreachable": self.unreachable,
            "bytes_sent": self.bytes_sent,
            "bytes_delivered": self.bytes_delivered,
        }
