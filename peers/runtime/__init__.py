"""A running peer: what drives the protocol and the registry on trio."""

from ._peer import Peer as Peer
from ._watch import Watch as Watch
