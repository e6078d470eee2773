from collections.abc import Iterable

from gossamer.simulations import DROP, Fabric, Packet, Rule, Verdict

# What waits longer than this does not fit into the buffer that the kernel keeps for a socket.
_LONGEST_WAIT = 30.0


class Slowness(Rule):
    """Each of the hosts takes packets in one after another, and needs `each` seconds for one.

    A packet stands in line from when it is sent, since this is asked before the latency is known.
    """

    __slots__ = ("_each", "_free_at")

    def __init__(self, each: float, hosts: Iterable[str]) -> None:
        self._each = each
        self._free_at = dict.fromkeys(hosts, 0.0)

    def judge(self, packet: Packet, fabric: Fabric) -> Verdict:
        host = packet.destination[0]
        free_at = self._free_at.get(host)
        if free_at is None:
            return None
        now = fabric.clock.now
        done = max(free_at, now) + self._each
        if done - now > _LONGEST_WAIT:
            return DROP
        self._free_at[host] = done
        packet.lag += done - now
        return None
