"""Scenarios as data."""

from ._catalogue import (
    Description as Description,
    builtin_names as builtin_names,
    describe as describe,
    load_scenario as load_scenario,
    parameter_names as parameter_names,
)
from ._errors import ScenarioError as ScenarioError
from ._groups import peer_zones as peer_zones, resolve as resolve
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
