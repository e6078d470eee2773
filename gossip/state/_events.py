"""The events that a peer's user may want to know, in the past tense; see `Gossip.events`.

The classes are slotted and not frozen: making a frozen one costs two and a half times as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ._members import Address, Member
from ._part import Operation


@dataclass(slots=True)
class MemberJoined:
    """This peer heard of a member for the first time."""

    member: Member


@dataclass(slots=True)
class MemberUpdated:
    """A living member has another address or zone."""

    member: Member


@dataclass(slots=True)
class MemberSuspected:
    """A member did not answer `by`; it now has to refute."""

    member: Member
    by: str


@dataclass(slots=True)
class MemberFailed:
    """A member was declared dead; `definite` if there is evidence and not only silence.

    `by` is the first accuser that this peer knows.
    """

    member: Member
    by: str
    definite: bool


@dataclass(slots=True)
class MemberLeft:
    """A member left gracefully."""

    member: Member


@dataclass(slots=True)
class MemberReturned:
    """A suspect or dead member is alive, or a new life of a member replaced the old life."""

    member: Member


@dataclass(slots=True)
class MemberForgotten:
    """A member that was dead or left is no longer in the table."""

    name: str


@dataclass(slots=True)
class PartChanged:
    """An owner's part changed; `changes` are the new values by key, None if removed."""

    owner: str
    changes: tuple[Operation, ...]


@dataclass(slots=True)
class PartDropped:
    """The whole part of an absent owner was dropped."""

    owner: str


@dataclass(slots=True)
class PreviousLife:
    """The mesh still had the records of this peer's earlier life."""

    records: Mapping[str, bytes]


@dataclass(slots=True)
class Refuted:
    """This peer was accused, and raised its incarnation."""

    incarnation: int


@dataclass(slots=True)
class EpochRaised:
    """This peer took a higher epoch, because the mesh knew this epoch or a later one."""

    epoch: int


@dataclass(slots=True)
class IsolationChanged:
    """This peer considers itself isolated, or no longer does."""

    isolated: bool


@dataclass(slots=True)
class PathChanged:
    """One transport to a living member is blocked, or both are open again.

    `path` is `udp blocked`, `tcp blocked`, or None; it is None for a member that is gone.
    """

    name: str
    path: str | None


@dataclass(slots=True)
class Joined:
    """This peer exchanged its state with another peer for the first time."""


@dataclass(slots=True)
class SeedIsSelf:
    """A seed turned out to be this peer."""

    address: Address


@dataclass(slots=True)
class NameConflict:
    """Another living process at `address` uses this peer's name."""

    address: Address


@dataclass(slots=True)
class KeyRefused:
    """A peer of this cluster seals with a key that this peer does not accept (0: without a key).

    `held` says that this peer accepts a different key of that id.
    The event comes once in a while for each host.
    """

    address: Address
    key_id: int
    held: bool


@dataclass(slots=True)
class OwnKeyRefused:
    """Another peer does not accept the key that this peer seals with."""

    address: Address


@dataclass(slots=True)
class LeaveCompleted:
    """Enough peers acknowledged the departure, or the time for it is over."""

    acknowledged: int


Event = (
    MemberJoined
    | MemberUpdated
    | MemberSuspected
    | MemberFailed
    | MemberLeft
    | MemberReturned
    | MemberForgotten
    | PartChanged
    | PartDropped
    | PreviousLife
    | Refuted
    | EpochRaised
    | IsolationChanged
    | PathChanged
    | Joined
    | SeedIsSelf
    | NameConflict
    | KeyRefused
    | OwnKeyRefused
    | LeaveCompleted
)
