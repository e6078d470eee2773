from collections.abc import Callable

from gossamer.peers.model import Preserved

from ._preservation import Preservation
from ._records import Subject
from ._view import View


class Losses:
    """What self-preservation keeps in the answers, in the words of services and instances."""

    def __init__(self, view: View, preservation: Preservation, wall: Callable[[], float]) -> None:
        self._view = view
        self._preservation = preservation
        self._wall = wall
        # There can be many, and `info` asks twice: kept until something may have changed.
        self._found: list[tuple[str, Subject]] | None = None

    def changed(self) -> None:
        """Note that what is shown, or what is kept, may have changed."""
        self._found = None

    def instances(self) -> list[tuple[str, Subject]]:
        """Return the instances that are shown although their owner is lost, each with its owner."""
        if self._found is None:
            self._found = [
                (owner, subject)
                for owner in self._preservation.kept
                for subject in self._view.instances_of(owner)
                if self._preservation.keeps(owner, subject[0])
                and (shown := self._view.find(subject)) is not None
                and shown.owner == owner
            ]
        return self._found

    def by_service(self, now: float) -> list[Preserved]:
        """Return the services that such instances belong to, by name."""
        counts: dict[str, int] = {}
        ends: dict[str, float] = {}
        for owner, (service, _) in self.instances():
            counts[service] = counts.get(service, 0) + 1
            ends[service] = max(ends.get(service, 0.0), self._preservation.ends_at(owner))
        offset = self._wall() - now
        return [Preserved(name, counts[name], ends[name] + offset) for name in sorted(counts)]

    def accept(self, service: str | None, now: float) -> None:
        """Give up the instances of one service, or of all."""
        if service is None:
            self._preservation.accept_all(now)
            return
        for owner, subject in self.instances():
            if subject[0] == service:
                self._preservation.accept(owner, service)
