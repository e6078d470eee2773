"""Scenarios as data."""

from ._errors import ScenarioError as ScenarioError
from ._model import (
    Action as Action,
    Block as Block,
    Crash as Crash,
    Cut as Cut,
    Disturb as Disturb,
    Event as Event,
    Group as Group,
    Heal as Heal,
    Hold as Hold,
    Join as Join,
    Latency as Latency,
    Leave as Leave,
    Network as Network,
    Pause as Pause,
    Restart as Restart,
    Scenario as Scenario,
    Skew as Skew,
    Slow as Slow,
    Value as Value,
    Workload as Workload,
    Zone as Zone,
    ZonePath as ZonePath,
)
