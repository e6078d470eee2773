"""An owner as a peer sees it: the part it published, and whether it still vouches for it.

An owner vouches while it is alive or suspect, in the life that wrote the part.
Otherwise its part has lost its owner, at `gone_at`: instances of the owner's process went with
it, leased ones may live on and are shown until their leases run out, counted from there.
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
    """Declared dead: only this may be a fault of the network."""
    GONE = "gone"
    """Left, replaced by a later life, or not known."""


@dataclass(slots=True)
class Owner:
    """An owner's part as far as it was read, and the owner's standing."""

    name: str
    epoch: int
    standing: Standing = Standing.HERE
    gone_at: float = inf
    values: dict[str, bytes] = field(default_factory=dict)
    """What was read under each key."""
    stamps: dict[Subject, int] = field(default_factory=dict)
    """The instances among it, with their registrations' stamps."""

    def judge(self, member: Member | None, now: float) -> bool:
        """Take the member's state; return whether that changed the standing."""
        before = self.standing, self.gone_at
        self.standing = _standing(member, self.epoch)
        if self.standing is Standing.HERE:
            self.gone_at = inf
        elif self.gone_at == inf:
            judged = member is not None and not member.status.living and member.epoch == self.epoch
            self.gone_at = min(member.since, now) if member is not None and judged else now
        return before != (self.standing, self.gone_at)

    def shown_until(self, record: Record) -> float:
        """Return when an instance goes, unless it is preserved."""
        if self.standing is Standing.HERE:
            return inf
        return 0.0 if record.ttl_ms is None else self.gone_at + record.ttl_ms / 1000


# News of an older life than the part's says nothing about the life that wrote the part.
def _standing(member: Member | None, epoch: int) -> Standing:
    if member is None or member.epoch > epoch:
        return Standing.GONE
    if member.status.living:
        return Standing.HERE
    if member.epoch < epoch or member.status is Status.LEFT:
        return Standing.GONE
    return Standing.LOST
