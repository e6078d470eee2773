"""Receipts: which other peers have a change that this peer published.

Rumors need no answers.
A caller that wants to know whether a change survives its peer asks some members to confirm it.
"""

from dataclasses import dataclass, field

from gossamer.gossip.basis import BoundedMap
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Held, Hold

# After this time a rumor has reached most members, and a question that got no answer is repeated.
_REPEAT = 0.05
_OPEN_LIMIT = 1024


@dataclass(slots=True, eq=False)
class Receipt:
    """The confirmations that `wanted` other peers have this peer's part at `version` or later."""

    version: int
    wanted: int
    holders: dict[str, None] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def complete(self) -> bool:
        """Whether enough peers have confirmed."""
        return len(self.holders) >= self.wanted


class Receipts:
    """Asks members whether they have a version, until enough of them have confirmed."""

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

    def __len__(self) -> int:
        """Return how many receipts are open."""
        return len(self._open)

    def ask(self, version: int, wanted: int, now: float) -> Receipt:
        """Return a receipt that members fill; the caller cancels it when it no longer waits."""
        receipt = Receipt(version, wanted)
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        forgotten = self._open.keep(self._sequence, receipt)
        if forgotten is not None:
            forgotten[1].cancelled = True
            self._counters.add("receipts_given_up")
        self._repeat(self._sequence, receipt, now)
        return receipt

    def on_hold(self, message: Hold, source: str, epoch: int) -> Held | None:
        """Return the confirmation if this peer has the version that `source` asks about."""
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
        # In a new epoch all records are written again, beginning with version 1.
        version = min(receipt.version, self._store.parts[self._me.name].version)
        for name in self._rng.sample(names, min(missing + 1, len(names))):
            row = self._table.rows[name]
            self._spread.send(row.address, row.epoch, [Hold(sequence, version)])

        def repeat(when: float) -> None:
            self._repeat(sequence, receipt, when)

        self._timers.at(now + _REPEAT, repeat)
