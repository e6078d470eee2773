"""Leaving gracefully: told directly to several peers, until they acknowledge it.

It goes out before all other traffic and is not left to rumors alone.
"""

from collections.abc import Callable

from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Leave
from gossamer.gossip.state import Address, LeaveCompleted

# One lost datagram costs this much of the departure.
_REPEAT = 0.05
_TOLD_DIRECTLY = 8
# So many acknowledgements make sure that the news outlive this peer.
_ACKNOWLEDGED = 3


class Departure:
    """Tells that this peer leaves and waits for it to be acknowledged."""

    def __init__(self, context: Context, spread: Spread, *, is_meeting: Callable[[], bool]) -> None:
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._timers = context.timers
        self._questions = context.questions
        self._events = context.events
        self._spread = spread
        # Whether an exchange is under way: somebody may have heard of us whom we do not know yet.
        self._is_meeting = is_meeting
        self._waiting: dict[int, str] = {}
        self._acknowledged: dict[str, None] = {}
        self._ends_at = 0.0
        self.completed = False

    def begin(self, now: float) -> None:
        """Leave the mesh; a second call does nothing."""
        me = self._me
        if me.left:
            return
        me.left = True
        me.incarnation += 1
        self._ends_at = now + self._config.leave_timeout
        self._tell(now)

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Take in that a member knows that this peer has left."""
        self._questions.close(sequence, self)
        if self._waiting.pop(sequence, None) == source:
            self._acknowledged[source] = None
            self._check()

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Return that nobody was asked: a farewell needs no other answer than an ack."""
        return False

    def _tell(self, now: float) -> None:
        if self.completed:
            return
        own = self._me.name
        alone = len(self._table.ring) < 2 and not self._is_meeting()
        if now >= self._ends_at or alone:
            self._complete()
            return
        names = [
            name for name in self._table.ring if name != own and name not in self._acknowledged
        ]
        payload = self._me.news().encode()
        for name in self._rng.sample(names, min(_TOLD_DIRECTLY, len(names))):
            row = self._table.rows[name]
            sequence = self._rng.getrandbits(32)
            self._waiting[sequence] = name
            self._questions.open(sequence, self)
            self._spread.send(row.address, row.epoch, [Leave(sequence)], [payload])
        self._timers.at(min(now + _REPEAT, self._ends_at), self._tell)

    def _check(self) -> None:
        others = len(self._table.ring) - 1
        if len(self._acknowledged) >= min(_ACKNOWLEDGED, others):
            self._complete()

    def _complete(self) -> None:
        if not self.completed:
            self.completed = True
            for sequence in self._waiting:
                self._questions.close(sequence, self)
            self._waiting.clear()
            self._events.append(LeaveCompleted(len(self._acknowledged)))
