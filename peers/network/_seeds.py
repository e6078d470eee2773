"""The seeds that an operator gave.  The peer keeps them, and resolves their names periodically.

The peer resolves names in parallel, so that a name that hangs does not delay the others.
The core handles seeds that are down: it tries all addresses without end.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import trio

from gossamer.gossip import Address
from gossamer.peers.host import SEED_LIMIT
from gossamer.peers.model import BadInput, format_address, numeric

from ._network import Network

_log = logging.getLogger("gossamer")

_LOOKUP_TIME = 5.0
_PERIOD = 30.0
# An orchestrator publishes the names of peers a few seconds after it starts them.
_PERIOD_UNJOINED = 5.0


class Seeds:
    """The seeds, each with its present addresses."""

    def __init__(self, network: Network, bound: str) -> None:
        self._network = network
        # A socket bound to one family cannot send to the other.
        self._six = ":" in bound
        self._four = ":" not in bound or bound == "::"
        self._found: dict[Address, list[Address]] = {}

    @property
    def addresses(self) -> list[Address]:
        """All addresses, in the order of the seeds, each once."""
        return list(dict.fromkeys(each for found in self._found.values() for each in found))

    @property
    def unresolved(self) -> list[Address]:
        """The seeds without a known address."""
        return [seed for seed, found in self._found.items() if not found]

    def check_room(self, seeds: Sequence[Address]) -> None:
        """Raise `BadInput` if these would be too many."""
        if len(self._found.keys() | set(seeds)) > SEED_LIMIT:
            raise BadInput(
                "join", f"a peer keeps at most {SEED_LIMIT} seeds; two or three are enough"
            )

    def keep(self, found: Mapping[Address, list[Address]]) -> None:
        """Keep seeds with the addresses of `look_up`, or with the earlier ones if it found none."""
        for seed, addresses in found.items():
            self._found[seed] = addresses or self._found.get(seed, [])

    async def look_up(self, seeds: Sequence[Address]) -> dict[Address, list[Address]]:
        """Return the usable addresses of each seed; none if it does not resolve in time."""
        found: dict[Address, list[Address]] = {seed: [] for seed in seeds}

        async def look_up_one(seed: Address) -> None:
            with trio.move_on_after(_LOOKUP_TIME):
                found[seed] = await self._resolve(seed)

        async with trio.open_nursery() as nursery:
            for seed in found:
                nursery.start_soon(look_up_one, seed)
        return found

    async def serve(self, joined: Callable[[], bool], changed: Callable[[], None]) -> None:
        """Resolve the names periodically; call `changed` if the addresses differ."""
        while True:
            await trio.sleep(_PERIOD if joined() else _PERIOD_UNJOINED)
            before = self.addresses
            was_unresolved = self.unresolved
            names = [seed for seed in self._found if numeric(seed[0]) is None]
            self.keep(await self.look_up(names))
            for seed in was_unresolved:
                if self._found[seed]:
                    _log.info("seed %s now resolves", format_address(seed))
            if self.addresses != before:
                changed()

    async def _resolve(self, seed: Address) -> list[Address]:
        literal = numeric(seed[0])
        if literal is not None:
            addresses = [(literal, seed[1])]
        else:
            try:
                addresses = await self._network.resolve(*seed)
            except OSError:
                return []
        return [each for each in addresses if (self._six if ":" in each[0] else self._four)]
