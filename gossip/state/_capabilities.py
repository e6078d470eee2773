"""What a peer understands, told in the tail of the updates about it.

A tail is what stands behind the ten items of an update about a member: one byte string, an array
of its own, whose first item is the capabilities.
It is kept with the member and copied, unread, into all that is made from it.
"""

from enum import IntFlag
from functools import lru_cache

from gossamer.gossip.basis import Malformed, array, decode, encode, whole

# All that later versions may tell of a member; two of the longest updates do not fit into one
# datagram any more, and go in two.
TAIL_LIMIT = 256
_CAPABILITIES_LIMIT = (1 << 64) - 1


class Capability(IntFlag):
    """What a peer understands beyond the frozen forms; a bit keeps its meaning for ever."""

    TAILS = 1
    """It reads longer forms by the items that it knows, keeps members' and records' tails, and
    passes on updates of kinds that it does not know."""


OWN_CAPABILITIES = Capability.TAILS
OWN_TAIL = encode([int(OWN_CAPABILITIES)])
# Others' bits are not made flags of: each new combination would be kept for good.
_KNOWN = int(OWN_CAPABILITIES)


def check_tail(further: list[object]) -> None:
    """Raise `Malformed` if the items behind the frozen ten are not what a tail may begin with."""
    if further:
        whole(further[0], _CAPABILITIES_LIMIT)


@lru_cache(maxsize=1024)
def capabilities_of(tail: bytes) -> Capability:
    """Return those of a member's capabilities that this version knows; none without a tail."""
    if not tail:
        return Capability(0)
    try:
        told = whole(array(decode(tail))[0], _CAPABILITIES_LIMIT)
    except (Malformed, IndexError):
        return Capability(0)
    return Capability(told & _KNOWN)
