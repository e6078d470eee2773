"""The basis of all other rooms: settings, timers, bounded tables, strict CBOR."""

from ._bounded import BoundedMap as BoundedMap
from ._cbor import (
    Malformed as Malformed,
    Unknown as Unknown,
    array as array,
    blob as blob,
    decode as decode,
    encode as encode,
    join_tail as join_tail,
    known_items as known_items,
    split_tail as split_tail,
    text as text,
    whole as whole,
)
from ._clock import STAMP_LIMIT as STAMP_LIMIT, HybridClock as HybridClock
from ._config import (
    NAME_LIMIT as NAME_LIMIT,
    ZONE_LIMIT as ZONE_LIMIT,
    ConfigError as ConfigError,
    GossipConfig as GossipConfig,
    Profile as Profile,
    check_name as check_name,
)
from ._counters import PROTOCOL as PROTOCOL, Counters as Counters
from ._notices import Notices as Notices
from ._places import Places as Places
from ._signal import Signal as Signal
from ._statistics import (
    Distribution as Distribution,
    Histogram as Histogram,
    Kind as Kind,
    Metric as Metric,
    Statistic as Statistic,
    Value as Value,
    by_key as by_key,
    family as family,
    measured as measured,
)
from ._timers import Timer as Timer, Timers as Timers
