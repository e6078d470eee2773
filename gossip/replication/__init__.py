"""The registry's parts: the own one, those of others, and receipts."""

from ._own_part import OwnPart as OwnPart, RecordTooLarge as RecordTooLarge
from ._receipts import Receipt as Receipt, Receipts as Receipts
from ._remains import Remains as Remains
from ._replicas import Replicas as Replicas
