"""ICMP errors of a UDP socket, with the address that each error is about (Linux).

An unconnected UDP socket gets no ICMP errors unless `IP_RECVERR` is set.
With it, the kernel puts each error into a separate queue, which `MSG_ERRQUEUE` reads; the error
names the destination of the failed datagram (ip(7), recv(2)).
On other systems the queue is always empty, and the peer works without these errors.
"""

import socket
import sys
from struct import Struct

from gossamer.gossip import Address

# <linux/in.h>, <linux/in6.h>, <linux/errqueue.h>; Python names none of them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_EXTENDED_ERROR = Struct("=IBBBBII")
_FROM_ICMP = 2
_FROM_ICMP6 = 3
_PORT_UNREACHABLE = {_FROM_ICMP: (3, 3), _FROM_ICMP6: (1, 4)}
# One error and the address of the host that found it.
_ANCILLARY_BYTES = socket.CMSG_SPACE(_EXTENDED_ERROR.size + 28) if sys.platform != "win32" else 0
# Errors read at once, and destinations kept until `take`; more of them would say nothing new.
_READ_AT_ONCE = 256
_KEPT = 64


class ErrorQueue:
    """The addresses at which no process listens, as their hosts said."""

    def __init__(self, datagrams: socket.socket) -> None:
        self._socket = datagrams
        self._told: dict[Address, None] = {}
        self._available = sys.platform == "linux" and _ask_for_errors(datagrams)

    @property
    def told(self) -> bool:
        """Whether `take` would return an address."""
        return bool(self._told)

    def take(self) -> list[Address]:
        """Return the addresses, and forget them."""
        told, self._told = list(self._told), {}
        return told

    def read(self) -> None:
        """Empty the kernel's queue; never blocks, never raises."""
        if not self._available:
            return
        for _ in range(_READ_AT_ONCE):
            try:
                _, ancillary, _, about = self._socket.recvmsg(
                    0, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
                )
            except OSError:  # empty, or the socket was closed
                return
            if about and len(self._told) < _KEPT and any(map(_is_port_unreachable, ancillary)):
                self._told[about[0].removeprefix("::ffff:"), about[1]] = None


def _ask_for_errors(datagrams: socket.socket) -> bool:
    asked = False
    options = [(socket.IPPROTO_IP, _IP_RECVERR)]
    if datagrams.family == socket.AF_INET6:
        options.append((socket.IPPROTO_IPV6, _IPV6_RECVERR))
    for level, option in options:
        try:
            datagrams.setsockopt(level, option, 1)
        except OSError:
            continue  # an IPv6 socket that does not carry IPv4
        asked = True
    return asked


def _is_port_unreachable(item: tuple[int, int, bytes]) -> bool:
    level, kind, data = item
    if (level, kind) not in (
        (socket.IPPROTO_IP, _IP_RECVERR),
        (socket.IPPROTO_IPV6, _IPV6_RECVERR),
    ):
        return False
    if len(data) < _EXTENDED_ERROR.size:
        return False
    _, origin, icmp_type, code, *_ = _EXTENDED_ERROR.unpack_from(data)
    return _PORT_UNREACHABLE.get(origin) == (icmp_type, code)
