"""Who lives: probes, suspicions, verdicts, evidence, departure."""

from ._departure import Departure as Departure
from ._detector import Detector as Detector
from ._membership import Membership as Membership, Source as Source
from ._own_life import OwnLife as OwnLife
from ._planner import ProbePlanner as ProbePlanner
