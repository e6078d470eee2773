"""Updates of kinds that only later versions understand: this peer passes them on unread.

All that is known of them is how they begin: [kind, origin, epoch, number, ...].
An origin counts its updates of a kind, so that each travels once: an update is passed on if its
(epoch, number) is above the last that was heard of its origin and kind.
So a later update takes the place of all before it.  Two that follow each other closely travel by
different trees, and where the second overtakes the first, the first ends: each must hold all that
its origin has to say of its kind.

Of a known member only updates of the life that this peer knows are passed on.  Others' words under
an epoch that the member never had would end all that it says until its clock has come there.
"""

from gossamer.gossip.basis import BoundedMap
from gossamer.gossip.kernel import Context, Outcome
from gossamer.gossip.messages import LaterUpdate

from ._classes import UNKNOWN
from ._spread import Spread

# Some 200 bytes each.  What is forgotten here could travel twice, until it has been sent often
# enough a second time.
_ORIGINS_LIMIT = 16_384


class UnknownUpdates:
    """Passes on what this version does not understand, once each."""

    def __init__(self, context: Context, spread: Spread) -> None:
        self._me = context.me
        self._table = context.table
        self._epochs = context.epochs
        self._counters = context.counters
        self._spread = spread
        # (origin, kind) to the last (epoch, number); the one that changed last at the end.
        self._last = BoundedMap[tuple[str, int], tuple[int, int]](_ORIGINS_LIMIT)

    def __len__(self) -> int:
        return len(self._last)

    def hear(self, update: LaterUpdate, payload: bytes, teller: str, now: float) -> Outcome:
        """Count an update, and pass it on if it is newer than the last of its origin and kind."""
        self._counters.add("unknown")
        if not self._epochs.plausible(update.epoch, now):
            self._counters.add("refused_epoch_ahead")
            return Outcome.DECLINED
        if update.origin == self._me.name:
            return Outcome.UNCHANGED  # of an earlier life, which was a later version
        row = self._table.get(update.origin)
        if row is not None and row.epoch != update.epoch:
            # What is said in a life that is not known here yet is heard again behind its beginning.
            return Outcome.DECLINED if update.epoch > row.epoch else Outcome.UNCHANGED
        key = update.origin, update.kind
        standing = update.epoch, update.number
        if standing <= self._last.get(key, (-1, -1)):
            return Outcome.UNCHANGED
        self._last.keep(key, standing)
        self._spread.tell(UNKNOWN, key, payload, update.origin, teller, now, rooted=False)
        return Outcome.CHANGED
