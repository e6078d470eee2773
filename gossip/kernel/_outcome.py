"""The outcome of an update that this peer heard."""

from enum import Enum


class Outcome(Enum):
    """What became of an update."""

    CHANGED = "it changed what this peer holds"
    UNCHANGED = "it changed nothing, and will not when it is heard again"
    DECLINED = "it was refused, and may be admitted when it is heard again"
