"""Who lives: probes, suspicions, verdicts, evidence, departure."""

from ._departure import Departure as Departure
from ._membership import Membership as Membership, Source as Source
from ._own_life import OwnLife as OwnLife
from ._paths import Paths as Paths
from ._planner import ProbePlanner as ProbePlanner
from ._prober import Prober as Prober
from ._relays import Relays as Relays
