"""The seeds: the addresses through which this peer joins a mesh.

The peer tries all seeds again and again, at growing intervals, until one answers.
Afterwards it pings seeds at which it knows no living member, in the same way as dead members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gossamer.gossip.basis import Signal
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import Address, SeedIsSelf

# In seconds.
_RETRY_FIRST = 0.5
_RETRY_LAST = 10.0
# For so long a peer believes that a seed is itself; then it checks the seed again. A host that
# reflects our datagrams could otherwise make us believe this of any seed without end.
_SELF_FOR = 60.0


@dataclass(slots=True)
class _Seed:
    address: Address
    retry: float = _RETRY_FIRST
    # Whether a timer has to end before the seed is tried again.
    waits: bool = False
    is_self: bool = False


class Seeds:
    """The seeds of one peer, and the results of its attempts."""

    def __init__(self, context: Context) -> None:
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._timers = context.timers
        self._events = context.events
        self._seeds: dict[Address, _Seed] = {}
        self.due_again = Signal[[float]]()
        """Called when the wait of a seed ends."""
        context.signals.met_self.listen(self.met_self)

    def __len__(self) -> int:
        return len(self._seeds)

    @property
    def are_self(self) -> bool:
        """Whether there are seeds, and all of them are this peer itself."""
        return bool(self._seeds) and all(seed.is_self for seed in self._seeds.values())

    def replace(self, addresses: Sequence[Address], now: float) -> None:
        """Replace the seeds with these addresses; a seed that stays keeps its state."""
        before = self._seeds
        self._seeds = {
            address: before.get(address, _Seed(address)) for address in addresses
        }  # fmt: skip
        self.met_self(self._me.address, now)

    def due(self) -> list[Address]:
        """Return the seeds that can be tried now."""
        return [seed.address for seed in self._seeds.values() if not seed.waits]

    def strange(self) -> list[Address]:
        """Return the seeds at which this peer knows no living member; omits itself."""
        lives_at = self._table.lives_at
        return [
            address
            for address, seed in self._seeds.items()
            if not (seed.is_self and seed.waits) and not lives_at(address)
        ]

    def failed(self, address: Address, after: float | None, now: float) -> None:
        """Make a seed wait after a failed attempt: for `after` seconds, if the seed gave a time."""
        seed = self._seeds.get(address)
        if seed is None or seed.waits:
            return
        wait = after if after is not None else seed.retry * (0.5 + self._rng.random() / 2)
        seed.retry = min(2 * seed.retry, _RETRY_LAST)
        self._wait(seed, wait, now)

    def met_self(self, address: Address, now: float) -> None:
        """Note for the next minute that the peer at an address is this peer itself."""
        seed = self._seeds.get(address)
        if seed is None:
            return
        if not seed.is_self:
            seed.is_self = True
            self._events.append(SeedIsSelf(address))
        if not seed.waits:
            self._wait(seed, _SELF_FOR, now)

    def met_another(self, address: Address) -> None:
        """Note that another peer is at an address."""
        seed = self._seeds.get(address)
        if seed is not None:
            seed.is_self = False

    def _wait(self, seed: _Seed, seconds: float, now: float) -> None:
        seed.waits = True

        def end(when: float) -> None:
            seed.waits = False
            self.due_again(when)

        self._timers.at(now + seconds, end)
