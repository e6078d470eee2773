# The hosts in a rule's scope, and checks of its parameters.
#
# A host is named by its IP address as text.  A rule with `hosts` applies to packets from or
# to one of them; a rule without `hosts` applies to all packets.

from collections.abc import Iterable
from math import inf

from ._packet import Packet, Rule


def seconds_of(name: str, value: float) -> float:
    """Return `value`, or raise ValueError if it is not a time to wait."""
    if not 0.0 <= value < inf:
        raise ValueError(f"{name} must be a finite number of seconds and not negative, not {value}")
    return value


def share_of(name: str, value: float) -> float:
    """Return `value`, or raise ValueError if it is not a probability."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, not at {value}")
    return value


def hosts_of(hosts: Iterable[str] | None) -> frozenset[str] | None:
    """The hosts as a set, None for all; ValueError when they are none, or a text."""
    if hosts is None:
        return None
    if isinstance(hosts, str):
        raise ValueError(f"hosts must be a list of addresses, not the text {hosts!r}")
    chosen = frozenset(hosts)
    if not chosen:
        raise ValueError("a rule for no hosts would never apply: name at least one")
    return chosen


class ScopedRule(Rule):
    """A rule for some hosts, or for all."""

    __slots__ = ("_hosts",)

    def __init__(self, hosts: Iterable[str] | None) -> None:
        self._hosts = hosts_of(hosts)

    def _concerns(self, packet: Packet) -> bool:
        hosts = self._hosts
        return hosts is None or packet.source[0] in hosts or packet.destination[0] in hosts
