"""The exchanges of one peer, begun here or accepted: their limits, and what follows their end."""

from collections.abc import Mapping

from gossamer.gossip.basis import Signal
from gossamer.gossip.kernel import Context, Purpose
from gossamer.gossip.state import Address, Member

from ._admission import Admission
from ._sync import Knowledge, SyncExchange

_OUTBOUND_LIMIT = 6
# A round trip over a slow link, and some.
_FIRST_FRAME = 2.0


class Exchanges:
    """Begins and accepts exchanges, and tells of their ends.

    `ended` is told the exchange, why it failed (None if it did not), and the time.
    """

    def __init__(self, context: Context, knowledge: Knowledge, now: float) -> None:
        self._context = context
        self._config = context.config
        self._me = context.me
        self._signals = context.signals
        self._counters = context.counters
        self._calls = context.calls
        self._knowledge = knowledge
        self.admission = Admission(context, now)
        self.ended = Signal[[SyncExchange, str | None, float]]()
        self._outbound: dict[Address, SyncExchange] = {}

    def __len__(self) -> int:
        """Return how many exchanges that were begun here are under way."""
        return len(self._outbound)

    @property
    def served(self) -> int:
        """How many exchanges that others began have a place now."""
        return len(self.admission.places)

    @property
    def under_way(self) -> Mapping[Address, SyncExchange]:
        """The exchanges that were begun here and have not ended, by address; read only."""
        return self._outbound

    def begin(
        self,
        purpose: Purpose,
        address: Address,
        now: float,
        *,
        row: Member | None = None,
        owners: list[str] | None = None,
    ) -> bool:
        """Begin an exchange with the peer at an address; False if there is no room for one.

        `row` is the member that is expected there; `owners` are those whose parts are wanted, if
        not all are compared.
        """
        if address in self._outbound or len(self._outbound) >= _OUTBOUND_LIMIT:
            return False
        if address == self._me.address or self._me.left:
            return False
        deadline = now + self._config.stream_timeout
        exchange = SyncExchange(
            self._context, self._knowledge, self, address, purpose, deadline, row=row, owners=owners
        )
        self._outbound[address] = exchange
        self._calls.append(exchange)
        self._counters.add(f"exchanges_{purpose}")
        return True

    def accept(self, sender: Address, now: float) -> SyncExchange:
        """Return the responder's side of a stream that `sender` opened."""
        # A peer that opens a stream has something to say at once; a silent one takes others' time.
        deadline = now + min(_FIRST_FRAME, self._config.stream_timeout)
        return SyncExchange(self._context, self._knowledge, self, sender, "inbound", deadline)

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange; else say in how many ms to come back."""
        return self.admission.enter(host, now)

    def closed(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        """Free an exchange's place, and tell of its end."""
        if exchange.has_place:
            exchange.has_place = False
            self.admission.leave(exchange.address[0], exchange.brought)
        if self._outbound.get(exchange.address) is exchange:
            del self._outbound[exchange.address]
        if reason is not None and exchange.expected and exchange.retry_after is None:
            self._signals.stream_failed(exchange.expected)
        self.ended(exchange, reason, now)
