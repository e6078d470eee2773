from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from struct import Struct

from gossamer.gossip import Event, MemberFailed, MemberReturned, MemberSuspected

from ._packet import Kind, Packet

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
        head = _HEAD.pack(now, source[1] & 0xFFFF, destination[1] & 0xFFFF, len(data))
        kind = "udp" if packet.kind is Kind.UDP else "stream"
        self._hash.update(head + f"{kind} {source[0]} {destination[0]}\n".encode() + data)

    def happened(self, now: float, name: str, events: Sequence[Event]) -> None:
        """Take in what happened at the peer `name`: to whom, and what is known of it then."""
        self.entries += len(events)
        lines = [f"{now!r} {name}"]
        for event in events:
            match event:
                # Nearly all events are of members; their repr takes five times as long.
                case MemberReturned(row) | MemberSuspected(row) | MemberFailed(row):
                    known = f"{row.name} {row.epoch} {row.incarnation} {int(row.status)}"
                    lines.append(f"{type(event).__name__} {known}")
                case _:
                    lines.append(repr(event))
        lines.append("")
        self._hash.update("\n".join(lines).encode())

    @property
    def digest(self) -> str:
        """The fingerprint so far, in hex."""
        return self._hash.hexdigest()
