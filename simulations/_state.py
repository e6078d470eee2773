from enum import Enum


class State(Enum):
    """What has become of a process."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"
    LEFT = "left"
