"""Doubts: many accusations that one exchange brings, about members that are alive here.

The usual reason is a partition that has healed: each side declared the other dead, and the accused
members refute as soon as they hear of it.
If a peer suspected all of them at once, it would change every row twice and fill the mesh with
rumors.
So the peer tells some of the accused members, and waits a few periods.  Then it suspects only the
members that have not refuted.  If there are few accusations, it suspects these members at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import MemberUpdate, Status

# From this many accusations in one frame on, the peer doubts them.
_MANY = 8
# How many accused members the peer tells, for each frame. A single peer that lost all others has
# only one or two peers that do this for it.
_TOLD = 64
# The time to refute, in probe intervals.
_PATIENCE = 3


class Doubts:
    """The accusations of members that have not refuted yet."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        suspect: Callable[[MemberUpdate, str, float], object],
    ) -> None:
        self._config = context.config
        self._rng = context.rng
        self._table = context.table
        self._timers = context.timers
        self._spread = spread
        self._suspect = suspect
        # By name, so that there are at most as many as members; each with the peer that told it.
        self._waiting: dict[str, tuple[MemberUpdate, str]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def concerns(self, update: MemberUpdate) -> bool:
        """Whether an update accuses a member that is alive at this peer."""
        row = self._table.get(update.name)
        return (
            row is not None
            and row.status is Status.ALIVE
            and update.status in (Status.SUSPECT, Status.DEAD)
            and update.epoch == row.epoch
            and update.incarnation >= row.incarnation
        )

    def hear(self, accusations: Sequence[MemberUpdate], teller: str, now: float) -> None:
        """Suspect the accused members; if they are many, wait for them to refute."""
        if len(accusations) < _MANY:
            for update in accusations:
                self._suspect(update, teller, now)
            return
        if not self._waiting:
            patience = _PATIENCE * self._config.probe_interval
            self._timers.at(now + patience, self._resolve)
        for update in accusations:
            self._waiting[update.name] = update, teller
        rows = self._table.rows
        for update in self._rng.sample(accusations, min(_TOLD, len(accusations))):
            row = rows[update.name]
            accusation = replace(update, status=Status.SUSPECT, accuser=teller, definite=False)
            self._spread.send(row.address, row.epoch, [], [accusation.encode()])

    def _resolve(self, now: float) -> None:
        """Suspect the members that have not refuted."""
        waiting, self._waiting = self._waiting, {}
        for update, teller in waiting.values():
            if self.concerns(update):
                self._suspect(update, teller, now)
