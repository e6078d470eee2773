# Rules that delay, duplicate, reorder or lose packets by chance.
#
# TCP sends a lost piece of a stream again, later.  So Loss makes streams slow, but makes
# datagrams vanish.

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ._packet import DROP, Carrier, Datagram, Kind, Packet, Verdict
from ._scope import ScopedRule, seconds_of, share_of

# Linux's smallest time before TCP sends a lost piece again (TCP_RTO_MIN).
RETRANSMIT: Final = 0.2
# After that many losses of one piece in a row the rule lets it through.
RETRANSMIT_LIMIT: Final = 6


class Lag(ScopedRule):
    """Each packet takes `seconds` more than the rest of the chain says."""

    __slots__ = ("_extra",)

    def __init__(self, seconds: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._extra = seconds_of("lag", seconds)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if self._concerns(packet):
            packet.lag += self._extra
        return None


class Loss(ScopedRule):
    """Each datagram is lost with `probability`; streams are delayed as pieces are resent."""

    __slots__ = ("_probability",)

    def __init__(self, probability: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._probability = share_of("probability", probability)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
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


class Duplication(ScopedRule):
    """Each datagram comes twice with `probability`; the second copy has a delay of its own."""

    __slots__ = ("_probability",)

    def __init__(self, probability: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._probability = share_of("probability", probability)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if packet.kind is not Kind.UDP or packet.copied or not self._concerns(packet):
            return None
        if fabric.rng.random() < self._probability:
            copy = Datagram(packet.source, packet.destination, packet.data)
            copy.copied = True
            lag = packet.lag
            fabric.send(copy)
            packet.lag = lag
        return None


class Corruption(ScopedRule):
    """Each datagram arrives damaged with `probability`: some of its bytes are others, or missing.

    Streams are spared, as TCP's checksum has damaged pieces sent again.
    """

    __slots__ = ("_probability",)

    def __init__(self, probability: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._probability = share_of("probability", probability)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if packet.kind is not Kind.UDP or not packet.data or not self._concerns(packet):
            return None
        rng = fabric.rng
        if rng.random() < self._probability:
            damaged = bytearray(packet.data)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] ^= rng.randint(1, 255)
            if rng.random() < 0.2:
                del damaged[rng.randrange(len(damaged)) :]
            packet.data = bytes(damaged)
        return None


class Reordering(ScopedRule):
    """Each datagram takes `seconds` more with `probability`, so that later ones overtake it.

    Streams are not concerned: TCP puts their pieces in order again.
    """

    __slots__ = ("_extra", "_probability")

    def __init__(
        self, probability: float, seconds: float, hosts: Iterable[str] | None = None
    ) -> None:
        super().__init__(hosts)
        self._probability = share_of("probability", probability)
        self._extra = seconds_of("seconds", seconds)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if packet.kind is not Kind.UDP or not self._concerns(packet):
            return None
        if fabric.rng.random() < self._probability:
            packet.lag += self._extra
        return None
