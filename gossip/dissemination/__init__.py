"""How updates travel: along a tree at once, then in rounds."""

from ._spread import MEMBERSHIP as MEMBERSHIP, REGISTRY as REGISTRY, Spread as Spread
