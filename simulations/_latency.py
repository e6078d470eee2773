# How long packets take.
#
# A latency rule decides about every packet in its scope, so it belongs at the end of a
# fabric's chain, or before the chain for some hosts.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, log
from statistics import NormalDist
from typing import Final

from ._packet import Carrier, Packet, Rule, Verdict
from ._scope import ScopedRule, seconds_of

# So many standard deviations above the median lies the 99th percentile of a normal distribution.
_P99_DEVIATIONS: Final = NormalDist().inv_cdf(0.99)
# A tail this heavy is a mistake of units; far beyond it exp() would overflow.
_WIDEST: Final = 1e9


class ConstantLatency(ScopedRule):
    """Each packet takes `seconds`."""

    __slots__ = ("_latency",)

    def __init__(self, seconds: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._latency = seconds_of("latency", seconds)

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        return self._latency if self._concerns(packet) else None


class UniformLatency(ScopedRule):
    """Each packet takes between `low` and `high` seconds, so that packets overtake one another."""

    __slots__ = ("_low", "_width")

    def __init__(self, low: float, high: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        self._low = seconds_of("low", low)
        if seconds_of("high", high) < low:
            raise ValueError(f"high must not be below low, but {high} < {low}")
        self._width = high - low

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if self._hosts is not None and not self._concerns(packet):
            return None
        return self._low + self._width * fabric.rng.random()


class LogNormalLatency(ScopedRule):
    """Half of the packets take at most `median`, and 99 in 100 at most `p99` seconds.

    The shape of delays that were measured between data centres: few are a little shorter than the
    median, some are much longer.
    """

    __slots__ = ("_deviation", "_median")

    def __init__(self, median: float, p99: float, hosts: Iterable[str] | None = None) -> None:
        super().__init__(hosts)
        if seconds_of("median", median) == 0.0:
            raise ValueError("median must be more than 0: use ConstantLatency(0) for no delay")
        if not median <= seconds_of("p99", p99) <= median * _WIDEST:
            raise ValueError(
                f"p99 must not be below median, nor above {_WIDEST:g} times it, but median is "
                f"{median} and p99 is {p99}: give both in seconds"
            )
        self._median = median
        self._deviation = (log(p99) - log(median)) / _P99_DEVIATIONS

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if self._hosts is not None and not self._concerns(packet):
            return None
        return self._median * exp(self._deviation * fabric.rng.gauss(0.0, 1.0))


class ZoneLatency(Rule):
    """Hosts stand in zones, and each pair of zones has a latency rule of its own, both ways.

    `zones` names each host's zone, `paths` the rule between two zones (or within one, named
    twice); `default` decides about everything else: packets within a zone, between zones without
    a path, and of hosts that stand in no zone.
    """

    __slots__ = ("_default", "_paths", "_rows", "_zones")

    def __init__(
        self, zones: Mapping[str, str], paths: Mapping[tuple[str, str], Rule], default: Rule
    ) -> None:
        self._default = default
        self._zones: dict[str, str] = {}
        # From a zone to a zone; and the same by host, which saves a step for each packet.
        self._paths: dict[str, dict[str, Rule]] = {}
        self._rows: dict[str, dict[str, Rule]] = {}
        for (one, other), rule in paths.items():
            if other in self._paths.get(one, ()):
                raise ValueError(f"the path between {one} and {other} has two rules: name it once")
            self._paths.setdefault(one, {})[other] = rule
            self._paths.setdefault(other, {})[one] = rule
        for host, zone in zones.items():
            self.place(host, zone)

    def place(self, host: str, zone: str) -> None:
        """Let `host` stand in `zone` from now on."""
        if not host or not zone:
            raise ValueError(f"host and zone must have names, not {host!r} and {zone!r}")
        self._zones[host] = zone
        self._rows[host] = self._paths.setdefault(zone, {})

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        row = self._rows.get(packet.source[0])
        rule = self._default
        if row:
            zone = self._zones.get(packet.destination[0])
            if zone is not None:
                rule = row.get(zone, rule)
        return rule.judge(packet, fabric)
