# The bandwidth of a host's link.
#
# A host sends one packet after another, at the speed of its link.  Other packets wait in
# the queue, and a packet that finds the queue full is lost (tail drop).  The rule stores no
# queue of packets: the time at which the link will be free says how much waits.
#
# The rule adds to a packet's lag and passes, and the latency of the path comes on top.
# Add this rule last, so that it is asked first: a packet that is lost behind the link has
# used the link as well.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Final

from ._packet import DROP, Carrier, Kind, Packet, Rule, Verdict
from ._scope import hosts_of

# IPv4 without options takes 20 bytes, UDP 8 (RFC 768) and TCP 20 (RFC 9293).  What is below IP
# (Ethernet's 38 bytes for each frame) is not counted, as in the bandwidths that operators quote.
UDP_HEADERS: Final = 28
TCP_HEADERS: Final = 40
# Ethernet's largest IP packet, and what TCP puts into one.  A piece of a stream is as long as
# its owner likes, and travels in as many segments as it takes.
LARGEST_PACKET: Final = 1500
SEGMENT: Final = LARGEST_PACKET - TCP_HEADERS


class Bandwidth(Rule):
    """Each sending host has a link of its own, with `rate` bits per second and a queue.

    Up to `queue` bytes wait for the link, with those that it is sending; a packet that finds no
    room is lost.
    A piece of a stream needs room for its first segment only, as TCP hands on the next ones when
    there is room again.
    With `hosts` only what they send is concerned; what a host sends to itself never is.
    """

    __slots__ = ("_free_at", "_hosts", "_longest_wait", "_seconds_per_byte", "overflowed")

    def __init__(self, rate: float, queue: int, hosts: Iterable[str] | None = None) -> None:
        if not 1.0 <= rate < inf:
            raise ValueError(
                f"rate must be a finite number of bits per second, at least 1, not {rate}"
            )
        if not LARGEST_PACKET <= queue < inf:
            raise ValueError(
                f"queue must have room for one packet, {LARGEST_PACKET} bytes, not {queue}"
            )
        self._hosts = hosts_of(hosts)
        self._seconds_per_byte = 8.0 / rate
        # Half a byte more, so that what just fits is not lost to rounding.
        self._longest_wait = (queue + 0.5) * self._seconds_per_byte
        self._free_at: dict[str, float] = {}
        # How many packets found the queue full.
        self.overflowed = 0

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        host = packet.source[0]
        if self._hosts is not None and host not in self._hosts:
            return None
        if packet.destination[0] == host:
            return None
        size = len(packet.data)
        if packet.kind is Kind.UDP:
            needed = size = size + UDP_HEADERS
        else:
            size += TCP_HEADERS * (-(-size // SEGMENT) or 1)
            needed = min(size, LARGEST_PACKET)
        now = fabric.clock.now
        seconds_per_byte = self._seconds_per_byte
        wait = self._free_at.get(host, now) - now
        wait = max(wait, 0.0)
        if wait + needed * seconds_per_byte > self._longest_wait:
            self.overflowed += 1
            return DROP
        wait += size * seconds_per_byte
        self._free_at[host] = now + wait
        packet.lag += wait
        return None

    def waiting(self, host: str, now: float) -> float:
        """How many bytes wait for the host's link at `now`, with those that it is sending."""
        return max(self._free_at.get(host, 0.0) - now, 0.0) / self._seconds_per_byte

    def statistics(self) -> Mapping[str, int]:
        """What was lost, by name."""
        return {"queue_full": self.overflowed}

    def added(self, fabric: Carrier) -> None:
        # Another fabric has another clock.
        self._free_at.clear()
