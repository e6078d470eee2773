from dataclasses import dataclass, field
from hashlib import blake2b
from struct import Struct

from ._packet import Packet

_HEAD = Struct("!dHHI")


@dataclass(slots=True)
class Trace:
    """A fingerprint of a run: of every delivery and every event, with its time, in order.

    Two runs with one digest did the same things at the same times.
    """

    entries: int = 0
    _hash: blake2b = field(default_factory=lambda: blake2b(digest_size=16))

    def delivery(self, now: float, packet: Packet) -> None:
        """Take in a packet that is about to be delivered."""
        self.entries += 1
        source, destination, data = packet.source, packet.destination, packet.data
        update = self._hash.update
        update(_HEAD.pack(now, source[1] & 0xFFFF, destination[1] & 0xFFFF, len(data)))
        update(f"{packet.kind.value} {source[0]} {destination[0]}\n".encode())
        update(data)

    def event(self, now: float, name: str, event: object) -> None:
        """Take in what happened at the peer `name`; an event is known by its repr."""
        self.entries += 1
        self._hash.update(f"{now!r} {name} {event!r}\n".encode())

    @property
    def digest(self) -> str:
        """The fingerprint so far, in hex."""
        return self._hash.hexdigest()
