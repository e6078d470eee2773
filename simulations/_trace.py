from dataclasses import dataclass, field
from hashlib import blake2b
from struct import Struct

from gossamer.gossip import Event, MemberFailed, MemberReturned, MemberSuspected

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

    def event(self, now: float, name: str, event: Event) -> None:
        """Take in what happened at the peer `name`: to whom, and what is known of it then."""
        self.entries += 1
        match event:
            # Nearly all events are of members; their repr takes five times as long.
            case MemberSuspected(row) | MemberFailed(row) | MemberReturned(row):
                known = f"{row.name} {row.epoch} {row.incarnation} {row.status:d}"
                line = f"{now!r} {name} {type(event).__name__} {known}\n"
            case _:
                line = f"{now!r} {name} {event!r}\n"
        self._hash.update(line.encode())

    @property
    def digest(self) -> str:
        """The fingerprint so far, in hex."""
        return self._hash.hexdigest()
