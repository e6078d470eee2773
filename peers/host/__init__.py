"""The peer's host: configuration, disk, log."""

from ._config import (
    ADDRESS_LIMIT as ADDRESS_LIMIT,
    SEED_LIMIT as SEED_LIMIT,
    PeerConfig as PeerConfig,
    check_seed as check_seed,
    read_toml as read_toml,
)
from ._disk import write_whole as write_whole
from ._logging import log_event as log_event, logger as logger
from ._storage import Storage as Storage
