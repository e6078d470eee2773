from gossamer.gossip import BoundedMap
from gossamer.peers.model import Instance

from ._listing import Listing, Snapshot
from ._records import Subject

# Emptied services whose last index is remembered by name.
_EMPTIED = 1024


class _Service:
    __slots__ = ("every", "shown", "unverified", "up")

    def __init__(self) -> None:
        self.shown: dict[str, Instance] = {}
        self.every = Listing()
        self.up = Listing()
        self.unverified = 0

    def show(self, id: str, instance: Instance | None) -> None:
        old = self.shown.pop(id, None)
        if old is not None:
            self.every.remove(old)
            self.unverified -= not old.verified
            if old.status == "UP":
                self.up.remove(old)
        if instance is not None:
            self.shown[id] = instance
            self.every.add(instance)
            self.unverified += not instance.verified
            if instance.status == "UP":
                self.up.add(instance)


class Services:
    """What is shown, by service, and the index of each.

    `snapshots` may be read from any thread: each is replaced as a whole.
    """

    def __init__(self, index: int) -> None:
        """Begin to count at `index`."""
        self.index = index
        self.instances = 0
        self.unverified = 0
        self._services: dict[str, _Service] = {}
        self._emptied = BoundedMap[str, int](_EMPTIED)
        self._unknown_index = 0
        self._dirty: dict[str, None] = {}
        self.snapshots: dict[str, Snapshot] = {}

    def find(self, subject: Subject) -> Instance | None:
        """Return an instance as it is shown."""
        service = self._services.get(subject[0])
        return None if service is None else service.shown.get(subject[1])

    def show(self, subject: Subject, instance: Instance | None) -> None:
        """Show an instance as it is now, or no longer."""
        name, key = subject
        service = self._services.get(name)
        old = None if service is None else service.shown.get(key)
        if instance == old:
            return
        if service is None:
            service = self._services[name] = _Service()
        self.instances += (instance is not None) - (old is not None)
        before = service.unverified
        service.show(key, instance)
        self.unverified += service.unverified - before
        self._dirty[name] = None

    def index_of(self, service: str) -> int:
        """Return the index of a service, also of one that is not known."""
        snapshot = self.snapshots.get(service)
        if snapshot is not None:
            return snapshot.index
        # Indices are unique, so that of another service's end means nothing but "empty" here.
        return self._emptied.get(service, self._unknown_index)

    def unsettle(self) -> None:
        """Give every service a new index, since what an answer is worth has changed."""
        self._dirty.update(dict.fromkeys(self.snapshots))

    def commit(self) -> list[str]:
        """Replace the snapshots of services that changed and return their names."""
        changed = list(self._dirty)
        self._dirty.clear()
        for name in changed:
            self.index += 1
            self._freeze(name)
        return changed

    def kept(self) -> dict[str, int]:
        """Return how many services are kept, and how many ended ones are remembered."""
        return {"services": len(self._services), "emptied": len(self._emptied)}

    def _freeze(self, name: str) -> None:
        service = self._services.get(name)
        if service is not None and service.shown:
            self._emptied.pop(name, None)
            self.snapshots[name] = Snapshot(
                self.index, service.every.freeze(), service.up.freeze(), service.unverified > 0
            )
            return
        self._services.pop(name, None)
        if self.snapshots.pop(name, None) is not None:
            forgotten = self._emptied.keep(name, self.index)
            if forgotten is not None:
                self._unknown_index = forgotten[1]
