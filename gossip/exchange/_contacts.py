"""Pings outside of probes: to members that may have been away, and to seeds.

Each ping has a number, by which the peer recognises its answer, or its echo.
"""

from gossamer.gossip.basis import BoundedMap
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context, Sequence
from gossamer.gossip.messages import Ping
from gossamer.gossip.state import Address, Member

from ._seeds import Seeds

_CONTACTS_LIMIT = 64


class Contacts:
    """Pings members and addresses, and tells who answered."""

    def __init__(self, context: Context, spread: Spread, seeds: Seeds) -> None:
        self._me = context.me
        self._table = context.table
        self._questions = context.questions
        self._signals = context.signals
        self._spread = spread
        self._seeds = seeds
        self._addresses = BoundedMap[int, Address](_CONTACTS_LIMIT)
        self._sequence = Sequence(context.rng)

    def __len__(self) -> int:
        """Return how many answers are waited for."""
        return len(self._addresses)

    def contact(self, row: Member, first: list[bytes]) -> None:
        """Ping a member, and tell it who asks and the updates in `first`."""
        first = [self._me.update().encode(), *first]
        self._spread.send(row.address, row.epoch, [Ping(self._ask(row.address), row.name)], first)

    def ask_who_is_there(self, address: Address) -> None:
        """Ping whatever peer is at an address."""
        self._spread.send(address, 0, [Ping(self._ask(address), "")])

    def _ask(self, address: Address) -> int:
        """Return the number of a ping to an address, by which its answer is known."""
        number = self._sequence.next()
        forgotten = self._addresses.keep(number, address)
        self._questions.open(number, self)
        if forgotten is not None:
            self._questions.close(forgotten[0], self)
        return number

    def on_own_ping(self, sequence: int, now: float) -> None:
        """Take in a ping of this peer's own, from whatever address it came back."""
        address = self._addresses.get(sequence)
        if address is not None:
            self._seeds.met_self(address, now)

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Take in the answer to a contact: the speaker may have been away."""
        self._questions.close(sequence, self)
        address = self._addresses.pop(sequence, None)
        if address is None:
            return
        # Also if the answer was reflected by another host than was asked.
        self._seeds.met_another(address)
        if self._table.get(source) is None:
            # Only now can it be told who asked.
            self._spread.send(address, epoch, [], [self._me.update().encode()])
        self._signals.contact_answered(source, address, now)

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Take in the answer of another peer than was asked for; return that one was asked."""
        self.on_ack(sequence, source, epoch, now)
        return True
