"""The registry, free of I/O: records, views, leases, overrides."""

from ._families import Family as Family, Ignored as Ignored, Refused as Refused, Unknown as Unknown
from ._records import FORM as FORM
from ._registry import Registry as Registry
from ._replication import Replication as Replication
from ._subscription import Subscription as Subscription
