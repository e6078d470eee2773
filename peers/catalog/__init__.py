"""What interfaces to a peer use: reading, following and writing the registry.

No front knows the runtime, the core or the keys; a peer offers it these protocols.
"""

# Fronts have these from here: they import nothing of the core.
from gossamer.gossip import (
    Address as Address,
    Kind as Kind,
    Metric as Metric,
    Statistic as Statistic,
    family as family,
    measured as measured,
)

from ._catalog import Catalog as Catalog, LookupWatch as LookupWatch
from ._condition import Condition as Condition
from ._front import Front as Front
from ._operator import KeyManagement as KeyManagement, Operator as Operator
