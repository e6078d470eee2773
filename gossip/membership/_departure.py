"""A graceful leave: the peer tells several members directly, until they acknowledge it.

The update goes out before all other traffic, because rumors alone could be too slow.
"""

from collections.abc import Callable

from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Leave
from gossamer.gossip.state import Address, LeaveCompleted

# A lost datagram is sent again after this time.
_REPEAT = 0.05
_TOLD_DIRECTLY = 8
# After this many acknowledgements the update survives the end of this peer.
_ACKNOWLEDGED = 3


class Departure:
    """Tells members that this peer leaves, and waits for acknowledgements."""

    def __init__(self, context: Context, spread: Spread, *, is_meeting: Callable[[], bool]) -> None:
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._timers = context.timers
        self._questions = context.questions
        self._events = context.events
        self._spread = spread
        # Whether an exchange is under way: a peer that we do not know yet may know us.
        self._is_meeting = is_meeting
        self._waiting: dict[int, str] = {}
        self.acknowledged: dict[str, None] = {}
        """The members that know that this peer has left."""
        self._ends_at = 0.0
        self.completed = False

    @property
    def unanswered(self) -> int:
        """How many farewells may still be answered."""
        return len(self._waiting)

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
        """Note that a member knows that this peer has left."""
        self._questions.close(sequence, self)
        if self._waiting.pop(sequence, None) == source:
            self.acknowledged[source] = None
            self._check()

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Ignore the answer: a departure needs only acks."""
        return False

    def _tell(self, now: float) -> None:
        if self.completed:
            return
        own = self._me.name
        alone = len(self._table.ring) < 2 and not self._is_meeting()
        if now >= self._ends_at or alone:
            self._complete()
            return
        names = [name for name in self._table.ring if name != own and name not in self.acknowledged]
        payload = self._me.update().encode()
        for name in self._rng.sample(names, min(_TOLD_DIRECTLY, len(names))):
            row = self._table.rows[name]
            sequence = self._rng.getrandbits(32)
            self._waiting[sequence] = name
            self._questions.open(sequence, self)
            self._spread.send(row.address, row.epoch, [Leave(sequence)], [payload])
        self._timers.at(min(now + _REPEAT, self._ends_at), self._tell)

    def _check(self) -> None:
        others = len(self._table.ring) - 1
        if len(self.acknowledged) >= min(_ACKNOWLEDGED, others):
            self._complete()

    def _complete(self) -> None:
        if not self.completed:
            self.completed = True
            for sequence in self._waiting:
                self._questions.close(sequence, self)
            self._waiting.clear()
            self._events.append(LeaveCompleted(len(self.acknowledged)))
