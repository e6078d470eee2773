"""How updates travel: along a tree at once, then in rounds."""

from ._classes import MEMBERSHIP as MEMBERSHIP, REGISTRY as REGISTRY, UNKNOWN as UNKNOWN
from ._spread import Spread as Spread
from ._unknown import UnknownUpdates as UnknownUpdates
