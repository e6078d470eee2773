"""What a peer's user may want to know, in the past tense; drained from `Gossip.events`.

Slotted, not frozen: a frozen dataclass costs two and a half times as much to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ._members import Address, Member
from ._part import Operation


@dataclass(slots=True)
class MemberJoined:
    """A member was heard of for the first time."""

    member: Member


@dataclass(slots=True)
class MemberUpdated:
    """A living member has another address or zone."""

    member: Member


@dataclass(slots=True)
class MemberSuspected:
    """A member did not answer `by`; it now has to speak up."""

    member: Member
    by: str


@dataclass(slots=True)
class MemberFailed:
    """A member is held for dead; `definite` if there is evidence and not only silence.

    `by` is the peer that accused it first, as far as is known here.
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
    """A member that was suspect or dead is alive, or a new life of it took the old one's place."""

    member: Member


@dataclass(slots=True)
class MemberForgotten:
    """A member that was dead or left is listed no more."""

    name: str


@dataclass(slots=True)
class PartChanged:
    """An owner's part changed; `changes` are the new values by key, None where removed."""

    owner: str
    changes: tuple[Operation, ...]


@dataclass(slots=True)
class PartDropped:
    """The part of an owner that is gone was forgotten as a whole."""

    owner: str


@dataclass(slots=True)
class PreviousLife:
    """The mesh still had the records of an earlier life of this peer."""

    records: Mapping[str, bytes]


@dataclass(slots=True)
class Refuted:
    """This peer was accused and raised its incarnation."""

    incarnation: int


@dataclass(slots=True)
class EpochRaised:
    """This peer took a higher epoch, because the mesh knew its own or a later one."""

    epoch: int


@dataclass(slots=True)
class IsolationChanged:
    """This peer holds itself for isolated, or no longer does."""

    isolated: bool


@dataclass(slots=True)
class PathChanged:
    """One transport to a living member does not pass, or all do again.

    `path` is `udp blocked`, `tcp blocked`, or None; of a member that is gone it is None as well.
    """

    name: str
    path: str | None


@dataclass(slots=True)
class Joined:
    """State was exchanged with another peer for the first time."""


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
    """Somebody in this cluster seals with a key that is not accepted here (0: with none).

    `held` if another key of that id is.  Told once in a while for each host.
    """

    address: Address
    key_id: int
    held: bool


@dataclass(slots=True)
class OwnKeyRefused:
    """Somebody does not accept what this peer seals with."""

    address: Address


@dataclass(slots=True)
class LeaveCompleted:
    """The departure was acknowledged by so many peers, or the time for it is over."""

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
