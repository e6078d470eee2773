"""Conversations over streams: joining, healing, repair."""

from ._contacts import Contacts as Contacts
from ._exchanges import Exchanges as Exchanges
from ._fetches import Fetches as Fetches
from ._healing import Healing as Healing
from ._joining import Joining as Joining
from ._repair import Repair as Repair
from ._seeds import Seeds as Seeds
from ._sync import Knowledge as Knowledge, SyncExchange as SyncExchange
