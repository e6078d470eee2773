"""Forgetting members that are gone, and what is remembered of them: the last epoch of each name.

A member that is dead or has left is listed for a while, then forgotten; its tombstone refuses
updates about the life that is over, which would bring the member back.
"""

from collections.abc import Callable

from gossamer.gossip.basis import BoundedMap
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import Member, MemberForgotten

# Dead members, and members that left, that are kept however short their time is.
_GONE_LIMIT = 4096
_TOMBSTONE_LIMIT = 20_000


class Graves:
    """The tombstones of forgotten members, by name."""

    def __init__(self, context: Context, *, left_by: Callable[[str], int]) -> None:
        """`left_by` returns the last epoch of which an absent owner left a part, or -1."""
        self._config = context.config
        self._table = context.table
        self._events = context.events
        self._left_by = left_by
        # Name to (last epoch, when forgotten).
        self._tombstones = BoundedMap[str, tuple[int, float]](_TOMBSTONE_LIMIT)

    def __len__(self) -> int:
        return len(self._tombstones)

    def last_epoch(self, name: str) -> int:
        """Return the last epoch of a member that was forgotten; -1 if nothing tells of one.

        A peer that never knew the member may hold the part that it left: another process that
        begins with the same epoch would be taken for it, and what that one registers for what is
        held already.
        """
        grave = self._tombstones.get(name)
        if grave is not None:
            return grave[0]
        return -1 if name in self._table.rows else self._left_by(name)

    def reap(self, now: float) -> None:
        """Forget members that are gone for long, and in the end their tombstones."""
        config = self._config
        table = self._table
        for names, kept_for in ((table.dead, config.dead_for), (table.left, config.left_for)):
            # Not in order of time: some were gone for long when this peer heard of them.
            for name in list(names):
                row = table.rows[name]
                if now - row.since >= kept_for or len(names) > _GONE_LIMIT:
                    self._forget(row, now)
        for name, (_, forgotten) in list(self._tombstones.items()):
            if now - forgotten < config.tombstone_for:
                break
            del self._tombstones[name]

    def _forget(self, row: Member, now: float) -> None:
        self._table.remove(row.name)
        self._tombstones.keep(row.name, (row.epoch, now))
        self._events.append(MemberForgotten(row.name))
