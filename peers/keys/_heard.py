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

from ._key_news import KEYS_RECORD, KeyNews, decode_key_news


@dataclass(frozen=True, slots=True)
class _Said:
    """What a member said of its keys, and in which of its lives."""

    epoch: int
    news: KeyNews


class Heard:
    """What the other members said of their keys.

    It stays known when the part of a dead member is dropped: a key must not be removed that the
    member will need when it is back.
    """

    def __init__(self, mesh: Gossip) -> None:
        self._mesh = mesh
        self._said: dict[str, _Said] = {}

    @property
    def names(self) -> Iterable[str]:
        """The peers of which something is remembered, members or not."""
        return self._said.keys()

    def take(self, owner: str, news: KeyNews) -> None:
        """Remember what a peer says now."""
        part = self._mesh.parts.get(owner)
        self._said[owner] = _Said(0 if part is None else part.epoch, news)

    def withdrawn(self, owner: str) -> None:
        """A peer says nothing any more, or its part was dropped."""
        if owner in self._mesh.parts or owner not in self._mesh.members:
            self._said.pop(owner, None)

    def forget(self, owner: str) -> None:
        """What a peer says now cannot be read, and what it said before counts no more."""
        self._said.pop(owner, None)

    def handle(self, event: Event) -> None:
        """Take in one event of the core."""
        match event:
            case PartChanged(owner):
                said, part = self._said.get(owner), self._mesh.parts.get(owner)
                if said is not None and part is not None and said.epoch != part.epoch:
                    # A later life said the same, of which the family of records is not told.
                    self._said[owner] = _Said(part.epoch, said.news)
            case MemberForgotten(name):
                self._said.pop(name, None)
            case PartDropped(owner) if owner not in self._mesh.members:
                self._said.pop(owner, None)
            case _:
                pass

    def known(self) -> Iterator[tuple[str, KeyNews | None]]:
        """Yield the other members, dead ones too, and what each said in its present life."""
        for name, member in sorted(self._mesh.members.items()):
            yield name, self._news_of(member)

    def _news_of(self, member: Member) -> KeyNews | None:
        part = self._mesh.parts.get(member.name)
        if part is None:
            # The records of the dead are dropped long before they are forgotten themselves.
            said = self._said.get(member.name)
            return None if said is None or said.epoch < member.epoch else said.news
        record = part.records.get(KEYS_RECORD)
        if record is None or part.epoch < member.epoch:
            return None
        try:
            return decode_key_news(record)
        except (Malformed, Unknown):
            return None
