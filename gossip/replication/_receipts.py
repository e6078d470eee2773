"""Receipts: which other peers hold what this peer has published.

Rumors are sent blindly; whoever wants to know that a change will outlive its peer has some members
say so.
"""

from dataclasses import dataclass, field

from gossamer.gossip.basis import BoundedMap
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Held, Hold

# A rumor has reached most members by then; a question that was lost is repeated as soon.
_REPEAT = 0.05
_OPEN_LIMIT = 1024


@dataclass(slots=True, eq=False)
class Receipt:
    """That `wanted` other peers hold this peer's part at `version` or later."""

    version: int
    wanted: int
    holders: dict[str, None] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def complete(self) -> bool:
        """Whether enough peers have said so."""
        return len(self.holders) >= self.wanted


class Receipts:
    """Asks members whether they hold a version, until enough of them have said yes."""

    def __init__(self, context: Context, spread: Spread) -> None:
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._store = context.store
        self._timers = context.timers
        self._counters = context.counters
        self._spread = spread
        self._open = BoundedMap[int, Receipt](_OPEN_LIMIT)
        self._sequence = 0

    def ask(self, version: int, wanted: int, now: float) -> Receipt:
        """Return a receipt that fills as members answer; cancel it when nobody waits any more."""
        receipt = Receipt(version, wanted)
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        forgotten = self._open.keep(self._sequence, receipt)
        if forgotten is not None:
            forgotten[1].cancelled = True
            self._counters.add("receipts_given_up")
        self._repeat(self._sequence, receipt, now)
        return receipt

    def on_hold(self, message: Hold, source: str, epoch: int) -> Held | None:
        """Return the answer if we hold what `source` asks about."""
        part = self._store.get(source)
        if part is None or part.epoch != epoch or part.version < message.version:
            return None
        return Held(message.sequence)

    def on_held(self, sequence: int, source: str) -> None:
        """Take in that `source` holds what we asked about."""
        receipt = self._open.get(sequence)
        if receipt is not None and source in self._table.rows:
            receipt.holders[source] = None
            if receipt.complete:
                del self._open[sequence]

    def _repeat(self, sequence: int, receipt: Receipt, now: float) -> None:
        if receipt.complete or receipt.cancelled:
            self._open.pop(sequence, None)
            return
        names = [
            name
            for name in self._table.ring
            if name != self._me.name and name not in receipt.holders
        ]
        missing = receipt.wanted - len(receipt.holders)
        # In a new epoch all records stand again from version 1 on.
        version = min(receipt.version, self._store.parts[self._me.name].version)
        for name in self._rng.sample(names, min(missing + 1, len(names))):
            row = self._table.rows[name]
            self._spread.send(row.address, row.epoch, [Hold(sequence, version)])

        def repeat(when: float) -> None:
            self._repeat(sequence, receipt, when)

        self._timers.at(now + _REPEAT, repeat)
