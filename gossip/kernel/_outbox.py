"""The outbound datagrams."""

from collections.abc import Iterable

from gossamer.gossip.basis import Counters
from gossamer.gossip.messages import Message, encode_body
from gossamer.gossip.sealing import Seal
from gossamer.gossip.state import Address, Member

from ._identity import Identity


class Outbox:
    """Datagrams that wait for the driver to send them, sealed."""

    def __init__(self, me: Identity, seal: Seal, counters: Counters) -> None:
        self._me = me
        self._seal = seal
        self._counters = counters
        self.datagrams: list[tuple[Address, bytes]] = []

    def send(
        self, address: Address, to_epoch: int, messages: list[Message], updates: list[bytes]
    ) -> None:
        """Put one datagram into the outbox; the caller has kept it within the limit."""
        body = encode_body(self._me.name, self._me.epoch, messages, updates)
        self._put(address, to_epoch, body)

    def send_to_all(self, members: Iterable[Member], updates: list[bytes]) -> None:
        """Put a datagram of updates for each of these members into the outbox."""
        body = encode_body(self._me.name, self._me.epoch, [], updates)
        for member in members:
            self._put(member.address, member.epoch, body)

    def _put(self, address: Address, to_epoch: int, body: bytes) -> None:
        datagram = self._seal.seal(body, to_epoch)
        self.datagrams.append((address, datagram))
        counters = self._counters
        counters["datagrams_sent"] += 1
        counters["bytes_sent"] += len(datagram)
