from collections.abc import Callable

from gossamer.peers.model import Instance, Lookup, Preserved, ServiceSummary

from ._preservation import Preservation
from ._records import Subject
from ._replication import Replication
from ._view import View


class Answers:
    """What may be asked of the registry.

    `lookup`, `knows` and `services` only read references that are replaced as a whole, so any
    thread may call them; everything else belongs to the thread that drives the core.
    """

    def __init__(
        self,
        mesh: Replication,
        view: View,
        preservation: Preservation,
        wall: Callable[[], float],
    ) -> None:
        self._mesh = mesh
        self._view = view
        self._preservation = preservation
        self._wall = wall

    def lookup(
        self,
        service: str,
        *,
        tag: str | None = None,
        zone: str | None = None,
        all: bool = False,
    ) -> Lookup:
        """Return the instances of a service that are `UP`, or all; none if it is not known."""
        snapshot = self._view.services.snapshots.get(service)
        if snapshot is None:
            index = self._view.services.index_of(service)
            return Lookup(service, (), degraded=self._is_cut_off, index=index)
        instances = snapshot.every if all else snapshot.up
        if tag is not None:
            instances = tuple(each for each in instances if tag in each.tags)
        if zone is not None:
            instances = tuple(each for each in instances if each.zone == zone)
        degraded = snapshot.doubtful or self._is_cut_off
        return Lookup(service, instances, degraded=degraded, index=snapshot.index)

    def knows(self, service: str) -> bool:
        """Whether a service has an instance, of whatever status."""
        return service in self._view.services.snapshots

    def services(self) -> list[ServiceSummary]:
        """Return every service that has an instance, by name."""
        return [
            ServiceSummary(name, len(snapshot.every), len(snapshot.up))
            for name, snapshot in sorted(self._view.services.snapshots.items())
        ]

    def find(self, service: str, id: str) -> Instance | None:
        """Return one instance of whatever status, if it is known."""
        return self._view.find((service, id))

    @property
    def degraded(self) -> bool:
        """Whether some lookups are."""
        return self._is_cut_off or self._view.services.unverified > 0

    @property
    def _is_cut_off(self) -> bool:
        return self._mesh.isolated or not self._mesh.joined

    def preserved(self, now: float) -> list[Preserved]:
        """Return the services that self-preservation keeps instances of, by name."""
        counts: dict[str, int] = {}
        ends: dict[str, float] = {}
        for owner, subject in self._preserved():
            service = subject[0]
            counts[service] = counts.get(service, 0) + 1
            ends[service] = max(ends.get(service, 0.0), self._preservation.ends_at(owner))
        offset = self._wall() - now
        return [Preserved(name, counts[name], ends[name] + offset) for name in sorted(counts)]

    def _preserved(self) -> list[tuple[str, Subject]]:
        return [
            (owner, subject)
            for owner in self._preservation.kept
            for subject in self._view.instances_of(owner)
            if self._preservation.keeps(owner, subject[0])
            and (shown := self._view.find(subject)) is not None
            and shown.owner == owner
        ]
