from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gossamer.gossip import (
    Event,
    Gossip,
    Malformed,
    Member,
    MemberForgotten,
    PartChanged,
    PartDropped,
)
from gossamer.peers.registry import Unknown

from ._key_records import KEYS_RECORD, KeyRecord, decode_key_record


@dataclass(frozen=True, slots=True)
class _Last:
    """The last key record of a peer, and the epoch of the life that published it."""

    epoch: int
    record: KeyRecord


class Heard:
    """The last key record of each other peer.

    A record is kept when the part of a dead member is dropped, because the member may return.
    Until the member is forgotten, the mesh must not remove the key that it needs to return.
    """

    def __init__(self, mesh: Gossip) -> None:
        self._mesh = mesh
        self._last: dict[str, _Last] = {}

    @property
    def names(self) -> Iterable[str]:
        """The peers whose key record is kept; a peer may be here before it is a member."""
        return self._last.keys()

    def take(self, owner: str, record: KeyRecord) -> None:
        """Keep the key record that a peer has now."""
        part = self._mesh.parts.get(owner)
        self._last[owner] = _Last(0 if part is None else part.epoch, record)

    def withdrawn(self, owner: str) -> None:
        """Note that the part of a peer has no key record any more, or was dropped.

        The last record of a member stays if the whole part was dropped.
        """
        if owner in self._mesh.parts or owner not in self._mesh.members:
            self._last.pop(owner, None)

    def forget(self, owner: str) -> None:
        """Discard the last record of a peer, because this peer cannot read its new record."""
        self._last.pop(owner, None)

    def handle(self, event: Event) -> None:
        """Take in one event of the core."""
        match event:
            case PartChanged(owner):
                last, part = self._last.get(owner), self._mesh.parts.get(owner)
                if last is not None and part is not None and last.epoch != part.epoch:
                    # A later life published the same bytes, so the registry did not call `apply`.
                    self._last[owner] = _Last(part.epoch, last.record)
            case MemberForgotten(name):
                self._last.pop(name, None)
            case PartDropped(owner) if owner not in self._mesh.members:
                self._last.pop(owner, None)
            case _:
                pass

    def known(self) -> Iterator[tuple[str, KeyRecord | None]]:
        """Yield every other member, dead ones included, with the key record of its present life.

        The record is None if the member has published none, or one that this peer cannot read.
        """
        for name, member in sorted(self._mesh.members.items()):
            yield name, self._record_of(member)

    def _record_of(self, member: Member) -> KeyRecord | None:
        part = self._mesh.parts.get(member.name)
        if part is None:
            # This peer drops the part of a dead member long before it forgets the member.
            last = self._last.get(member.name)
            return None if last is None or last.epoch < member.epoch else last.record
        data = part.records.get(KEYS_RECORD)
        if data is None or part.epoch < member.epoch:
            return None
        try:
            return decode_key_record(data)
        except (Malformed, Unknown):
            return None
