"""The members in an exchange: each side lists the members that it knows, and how long dead and left
members have been gone.

One side may list a member whose epoch is over for the other side, which then tells it so.
"""

from collections.abc import Callable, Iterable

from gossamer.gossip.basis import Malformed, blob, whole
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.membership import Membership
from gossamer.gossip.messages import Members
from gossamer.gossip.state import MemberUpdate, decode_member_update

_UPDATE_SIZE = 1400
# Seconds; no peer keeps a member that is gone for longer than some years.
_AGE_LIMIT = (1 << 31) - 1
_FRAME_BYTES = 64 * 1024


class MemberExchange:
    """What one side of an exchange says of members, and hears."""

    def __init__(
        self,
        context: Context,
        membership: Membership,
        spread: Spread,
        put: Callable[[Members], None],
    ) -> None:
        self._table = context.table
        self._counters = context.counters
        self._membership = membership
        self._spread = spread
        self._put = put
        self._sent = False
        self._obituaries: list[bytes] = []

    def send(self, now: float) -> None:
        """Tell of all members, once."""
        if self._sent:
            return
        self._sent = True
        told = self._membership.table_updates(now)
        ages = iter([age for _, age in told])
        for batch in batches([update for update, _ in told]):
            self._put(Members([*batch], [next(ages) for _ in batch]))

    def hear(
        self,
        frame: Members,
        teller: str,
        now: float,
        *,
        silently: bool,
    ) -> None:
        """Take in what the other side tells, and tell in return; `silently` is without rumors.

        Raises `Malformed` if an age is missing; a bad update is counted.
        """
        updates, ages = frame.updates, frame.ages
        if len(updates) != len(ages):
            raise Malformed("members without ages")
        self.send(now)
        # Where two peers agree, little of a table is new.
        known = {row.encoded for row in self._table}
        told: list[tuple[MemberUpdate, bytes, int]] = []
        for row, told_age in zip(updates, ages, strict=True):
            if type(row) is bytes and row in known:
                continue
            try:
                payload = blob(row, _UPDATE_SIZE)
                update = decode_member_update(payload)
                age = whole(told_age, _AGE_LIMIT)
            except Malformed:
                self._counters.add("refused_member")
                continue
            told.append((update, payload, age))
        self._spread.muted = silently
        try:
            self._membership.hear_table(told, teller, now)
        finally:
            self._spread.muted = False
        for update, _, _ in told:
            self.note_obituary(update)
        self.answer()

    def note_obituary(self, update: MemberUpdate) -> None:
        """Note what is to be answered if that life is over for us."""
        obituary = self._membership.obituary(update)
        if obituary is not None:
            self._obituaries.append(obituary)

    def answer(self) -> None:
        """Tell the other of lives that it lists and that are over for us."""
        for batch in batches(self._obituaries):
            self._put(Members([*batch], [0] * len(batch)))
        self._obituaries.clear()


def batches(items: list[bytes]) -> Iterable[list[bytes]]:
    """Yield the items in lists that each make a frame of moderate size."""
    batch: list[bytes] = []
    size = 0
    for item in items:
        if batch and size + len(item) > _FRAME_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item)
    if batch:
        yield batch
