"""Accusations that an exchange brings by the many, of members that live as far as we know.

Mostly that is a partition that has healed: each side holds the other for dead, and those concerned
have only to hear of it to refute it.
To suspect all of them first would turn every table twice and fill the mesh with rumors.
So each peer tells some of those concerned, and suspects only who has not spoken up a few periods
later, as it suspects at once who is accused alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import News, Status

# From so many accusations in one frame on they are doubted.
_MANY = 8
# How many of those concerned one peer tells, for each frame. A single peer that lost all others
# has but one or two who tell for it.
_TOLD = 64
# The time to speak up, in probe intervals.
_PATIENCE = 3


class Doubts:
    """What was heard of members that have not spoken up yet."""

    def __init__(
        self, context: Context, spread: Spread, suspect: Callable[[News, str, float], object]
    ) -> None:
        self._config = context.config
        self._rng = context.rng
        self._table = context.table
        self._timers = context.timers
        self._spread = spread
        self._suspect = suspect
        # By name, so that there are never more than members; each with its teller.
        self._held: dict[str, tuple[News, str]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def concerns(self, news: News) -> bool:
        """Whether news accuse a member that is well as far as this peer knows."""
        row = self._table.get(news.name)
        return (
            row is not None
            and row.status is Status.ALIVE
            and news.status in (Status.SUSPECT, Status.DEAD)
            and news.epoch == row.epoch
            and news.incarnation >= row.incarnation
        )

    def take(self, accusations: Sequence[News], teller: str, now: float) -> None:
        """Suspect those who are accused, or wait for them to speak up if they are many."""
        if len(accusations) < _MANY:
            for news in accusations:
                self._suspect(news, teller, now)
            return
        if not self._held:
            patience = _PATIENCE * self._config.probe_interval
            self._timers.at(now + patience, self._resolve)
        for news in accusations:
            self._held[news.name] = news, teller
        rows = self._table.rows
        for news in self._rng.sample(accusations, min(_TOLD, len(accusations))):
            row = rows[news.name]
            accusation = replace(news, status=Status.SUSPECT, accuser=teller, definite=False)
            self._spread.send(row.address, row.epoch, [], [accusation.encode()])

    def _resolve(self, now: float) -> None:
        """Suspect those who have not spoken up."""
        held, self._held = self._held, {}
        for news, teller in held.values():
            if self.concerns(news):
                self._suspect(news, teller, now)
