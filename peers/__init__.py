"""A running peer: sockets, disk, the registry as users see it, HTTP."""

from ._address import format_address as format_address, parse_address as parse_address
from ._choose import (
    Policy as Policy,
    RoundRobin as RoundRobin,
    WeightedRandom as WeightedRandom,
)
from ._config import PeerConfig as PeerConfig, read_toml as read_toml
from ._errors import (
    BadInput as BadInput,
    ConfigError as ConfigError,
    Conflict as Conflict,
    GossamerError as GossamerError,
    NoInstanceError as NoInstanceError,
    NotFound as NotFound,
    TooLarge as TooLarge,
    Unavailable as Unavailable,
)
from ._instance import (
    Instance as Instance,
    Lookup as Lookup,
    Override as Override,
    Preserved as Preserved,
    ServiceSummary as ServiceSummary,
)
from ._key_actions import KeyActions as KeyActions
from ._key_file import (
    make_key as make_key,
    read_key_file as read_key_file,
    write_key_file as write_key_file,
)
from ._limits import (
    METADATA_VALUE_LENGTH as METADATA_VALUE_LENGTH,
    RECORD_BYTES as RECORD_BYTES,
    RegistryConfig as RegistryConfig,
)
from ._logging import configure_logging as configure_logging
from ._member import MemberInfo as MemberInfo
from ._network import Endpoint as Endpoint, Network as Network, SocketNetwork as SocketNetwork
from ._open import open_peer as open_peer
from ._peer import Peer as Peer
from ._registry import Registry as Registry
from ._subscription import Subscription as Subscription
from ._thread import (
    ThreadedPeer as ThreadedPeer,
    WaitTimeout as WaitTimeout,
    run_in_thread as run_in_thread,
)
from ._watch import Watch as Watch
