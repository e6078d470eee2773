"""The protocol, sans-IO: membership, failure detection, replication, dissemination, repair."""

from ._core import Gossip as Gossip
from .basis import (
    ConfigError as ConfigError,
    GossipConfig as GossipConfig,
    HybridClock as HybridClock,
    Malformed as Malformed,
    Notices as Notices,
    Places as Places,
    Profile as Profile,
    check_name as check_name,
    decode as decode,
    encode as encode,
)
from .kernel import FRAME_LIMIT as FRAME_LIMIT, REFUSAL as REFUSAL, Exchange as Exchange
from .replication import Receipt as Receipt, RecordTooLarge as RecordTooLarge
from .sealing import (
    FINGERPRINT_SIZE as FINGERPRINT_SIZE,
    KEY_ID_MOST as KEY_ID_MOST,
    PLAIN as PLAIN,
    PROOF_SIZE as PROOF_SIZE,
    RING_LIMIT as RING_LIMIT,
    SECRET_SIZE as SECRET_SIZE,
    Key as Key,
    KeyRing as KeyRing,
    Seal as Seal,
    check_key_id as check_key_id,
    key_label as key_label,
)
from .state import (
    KEY_LIMIT as KEY_LIMIT,
    VALUE_LIMIT as VALUE_LIMIT,
    Address as Address,
    EpochRaised as EpochRaised,
    Event as Event,
    IsolationChanged as IsolationChanged,
    Joined as Joined,
    KeyRefused as KeyRefused,
    LeaveCompleted as LeaveCompleted,
    Member as Member,
    MemberFailed as MemberFailed,
    MemberForgotten as MemberForgotten,
    MemberJoined as MemberJoined,
    MemberLeft as MemberLeft,
    MemberReturned as MemberReturned,
    MemberSuspected as MemberSuspected,
    MemberUpdated as MemberUpdated,
    NameConflict as NameConflict,
    OwnKeyRefused as OwnKeyRefused,
    Part as Part,
    PartChanged as PartChanged,
    PartDropped as PartDropped,
    PathChanged as PathChanged,
    PreviousLife as PreviousLife,
    Refuted as Refuted,
    SeedIsSelf as SeedIsSelf,
    Status as Status,
)
