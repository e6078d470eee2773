"""Joining a mesh: the peer tries a few seeds at once, until an exchange with one succeeds."""

from collections.abc import Sequence

from gossamer.gossip.kernel import Context
from gossamer.gossip.state import Address, Joined

from ._exchanges import Exchanges
from ._seeds import Seeds
from ._sync import SyncExchange

_JOINS_AT_ONCE = 3


class Joining:
    """Tries the seeds until one has answered, and knows whether this peer has joined."""

    def __init__(self, context: Context, exchanges: Exchanges, seeds: Seeds) -> None:
        self._signals = context.signals
        self._events = context.events
        self._exchanges = exchanges
        self._seeds = seeds
        self.exchanged = False
        """Whether this peer has exchanged state with another one."""
        seeds.due_again.listen(self._join_more)
        exchanges.ended.listen(self._exchange_ended)

    @property
    def joined(self) -> bool:
        """Whether this peer has received the state of a mesh, or has no seeds.

        A ping from another peer is not enough, because a peer without the state must not answer as
        if it had it.
        """
        return self.exchanged or not self._seeds

    def join(self, addresses: Sequence[Address], now: float) -> None:
        """Replace the seeds with these addresses, and try them."""
        self._seeds.replace(addresses, now)
        self._join_more(now)

    def acquainted(self) -> None:
        """Note that the driver gave this peer the members of the mesh, so it need not join."""
        self.exchanged = True

    def _join_more(self, now: float) -> None:
        """Try seeds until one has answered."""
        if self.exchanged:
            return
        for address in self._seeds.due():
            if len(self._exchanges) >= _JOINS_AT_ONCE:
                return
            self._exchanges.begin("join", address, now)

    def _exchange_ended(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        if reason is None and exchange.peer is not None:
            self._seeds.met_another(exchange.address)
            if not self.exchanged:
                self.exchanged = True
                self._events.append(Joined())
                self._signals.joined(now)
        elif exchange.purpose == "join" and reason is not None:
            self._seeds.failed(exchange.address, exchange.retry_after, now)
        self._join_more(now)
