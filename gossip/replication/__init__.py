"""The registry's parts: this peer's own part, the replicas of other parts, and receipts."""

from ._own_part import OwnPart as OwnPart, RecordTooLarge as RecordTooLarge
from ._receipts import Receipt as Receipt, Receipts as Receipts
from ._remains import Remains as Remains
from ._replicas import Replicas as Replicas
