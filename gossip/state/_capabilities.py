"""The capabilities of a peer: what it understands.  They are in the tail of its updates.

The tail has the items behind the ten frozen items of an update about a member, as one array in a
byte string.  Its first item is the capabilities.
A peer keeps the tail with the member, and copies it unread into all that it makes from the member.
What stands there in place of a whole number is kept as well, and means no capabilities.
"""

from enum import IntFlag
from functools import lru_cache

from gossamer.gossip.basis import Malformed, array, decode, encode, whole

# The room for what later versions say about a member.  Two updates of the greatest length do not
# fit into one datagram, and travel in two.
TAIL_LIMIT = 256
_CAPABILITIES_LIMIT = (1 << 64) - 1


class Capability(IntFlag):
    """What a peer understands beyond the frozen forms; a bit never changes its meaning."""

    TAILS = 1
    """The peer reads longer forms by the items that it knows, keeps the tails of members and
    records, and passes on updates of unknown kinds."""


OWN_CAPABILITIES = Capability.TAILS
OWN_TAIL = encode([int(OWN_CAPABILITIES)])
# Unknown bits of other peers are removed, because Python keeps every combination of flags.
_KNOWN = int(OWN_CAPABILITIES)


@lru_cache(maxsize=1024)
def capabilities_of(tail: bytes) -> Capability:
    """Return a member's capabilities, as far as this version knows them; none if there are none."""
    if not tail:
        return Capability(0)
    try:
        told = whole(array(decode(tail))[0], _CAPABILITIES_LIMIT)
    except (Malformed, IndexError):
        return Capability(0)
    return Capability(told & _KNOWN)
