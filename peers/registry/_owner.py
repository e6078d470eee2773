"""An owner as this peer sees it: the part that it published, and whether it still vouches for it.

An owner vouches for its part while it is alive or suspect in the life that wrote the part.
When an owner stops vouching, `gone_at` keeps the time.
An instance without a lease ended together with the owner's process.
An instance with a lease may still run, so it is shown until its lease has passed since `gone_at`.
"""

from dataclasses import dataclass, field
from enum import Enum
from math import inf

from gossamer.gossip import Member, Status

from ._records import Record, Subject


class Standing(Enum):
    """Whether an owner vouches for its part, and if not, why."""

    HERE = "here"
    LOST = "lost"
    """The owner was declared dead. Only this standing may be the result of a network fault."""
    GONE = "gone"
    """The owner left, began a later life, or is not known."""


@dataclass(slots=True)
class Owner:
    """The content of an owner's part, as far as this peer has read it, and the owner's standing."""

    name: str
    epoch: int
    standing: Standing = Standing.HERE
    gone_at: float = inf
    values: dict[str, bytes] = field(default_factory=dict)
    """The value that this peer read under each record key."""
    stamps: dict[Subject, int] = field(default_factory=dict)
    """The instances of the part, with the stamp of each registration."""

    def judge(self, member: Member | None, now: float) -> bool:
        """Derive the standing from the member; return whether it or `gone_at` changed."""
        before = self.standing, self.gone_at
        self.standing = _standing(member, self.epoch)
        if self.standing is Standing.HERE:
            self.gone_at = inf
        elif self.gone_at == inf:
            judged = member is not None and not member.status.living and member.epoch == self.epoch
            self.gone_at = min(member.since, now) if member is not None and judged else now
        return before != (self.standing, self.gone_at)

    def shown_until(self, record: Record) -> float:
        """Return the time until which an instance is shown, if it is not preserved."""
        if self.standing is Standing.HERE:
            return inf
        return 0.0 if record.ttl_ms is None else self.gone_at + record.ttl_ms / 1000


# The death of an older life says nothing about the life that wrote the part, so it does not make
# the standing LOST.
def _standing(member: Member | None, epoch: int) -> Standing:
    if member is None or member.epoch > epoch:
        return Standing.GONE
    if member.status.living:
        return Standing.HERE
    if member.epoch < epoch or member.status is Status.LEFT:
        return Standing.GONE
    return Standing.LOST
