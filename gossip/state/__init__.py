"""The state of a peer: members, parts of the registry, and the events that report changes."""

from ._capabilities import (
    OWN_CAPABILITIES as OWN_CAPABILITIES,
    OWN_TAIL as OWN_TAIL,
    TAIL_LIMIT as TAIL_LIMIT,
    Capability as Capability,
)
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
from ._members import (
    EPOCH_LIMIT as EPOCH_LIMIT,
    HOST_LIMIT as HOST_LIMIT,
    INCARNATION_JUMP as INCARNATION_JUMP,
    INCARNATION_LIMIT as INCARNATION_LIMIT,
    MEMBER as MEMBER,
    Address as Address,
    Member as Member,
    MemberTable as MemberTable,
    MemberUpdate as MemberUpdate,
    Status as Status,
    decode_member_update as decode_member_update,
    encoded_update as encoded_update,
    fingerprint as fingerprint,
    parse_member_update as parse_member_update,
    update_about as update_about,
)
from ._part import (
    KEY_LIMIT as KEY_LIMIT,
    PART_BYTES as PART_BYTES,
    PART_RECORDS as PART_RECORDS,
    VALUE_LIMIT as VALUE_LIMIT,
    VERSION_LIMIT as VERSION_LIMIT,
    Operation as Operation,
    Part as Part,
    operation_size as operation_size,
)
from ._store import BUCKETS as BUCKETS, Store as Store, bucket_of as bucket_of
