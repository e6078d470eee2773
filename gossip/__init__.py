"""The protocol, sans-IO: membership, failure detection, replication, dissemination, repair."""

from ._clock import HybridClock as HybridClock
from ._config import (
    ConfigError as ConfigError,
    GossipConfig as GossipConfig,
    Profile as Profile,
    check_name as check_name,
)
from ._core import Gossip as Gossip
from ._events import (
    EpochRaised as EpochRaised,
    Event as Event,
    IsolationChanged as IsolationChanged,
    Joined as Joined,
    KeyRefused as KeyRefused,
    LeaveCompleted as LeaveCompleted,
    MemberFailed as MemberFailed,
    MemberForgotten as MemberForgotten,
    MemberJoined as MemberJoined,
    MemberLeft as MemberLeft,
    MemberReturned as MemberReturned,
    MemberSuspected as MemberSuspected,
    MemberUpdated as MemberUpdated,
    NameConflict as NameConflict,
    OwnKeyRefused as OwnKeyRefused,
    PartChanged as PartChanged,
    PartDropped as PartDropped,
    PathChanged as PathChanged,
    PreviousLife as PreviousLife,
    Refuted as Refuted,
    SeedIsSelf as SeedIsSelf,
)
from ._exchange import (
    FRAME_LIMIT as FRAME_LIMIT,
    REFUSAL as REFUSAL,
    Exchange as Exchange,
)
from ._keys import (
    FINGERPRINT_SIZE as FINGERPRINT_SIZE,
    KEY_ID_MOST as KEY_ID_MOST,
    PLAIN as PLAIN,
    PROOF_SIZE as PROOF_SIZE,
    RING_LIMIT as RING_LIMIT,
    SECRET_SIZE as SECRET_SIZE,
    Key as Key,
    KeyRing as KeyRing,
    check_key_id as check_key_id,
    key_label as key_label,
)
from ._log import KEY_LIMIT as KEY_LIMIT, VALUE_LIMIT as VALUE_LIMIT, Part as Part
from ._members import Address as Address, Member as Member, Status as Status
from ._notices import Notices as Notices
from ._own_part import RecordTooLarge as RecordTooLarge
from ._places import Places as Places
from ._receipts import Receipt as Receipt
from ._seal import Seal as Seal
from ._wire import Malformed as Malformed, decode as decode, encode as encode
