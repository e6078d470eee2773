"""The registry, free of I/O: records, views, leases, overrides."""

from ._records import FORM as FORM, KEYS_RECORD as KEYS_RECORD
from ._registry import Registry as Registry
from ._subscription import Subscription as Subscription
