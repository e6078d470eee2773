"""The parts of all owners, and the fingerprints with which two peers compare all parts at once.

The root is the XOR of the fingerprints of all parts.
There are 1,024 buckets; the owner's name chooses the bucket of a part, and a bucket's fingerprint
is the XOR of its parts.  With them an exchange finds the parts that differ (8 kB for any number of
owners).
Each change of a part updates these fingerprints; they are never computed from all parts.
"""

from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

from ._part import Operation, Part

BUCKETS = 1024


def bucket_of(owner: str) -> int:
    """Return the number of the bucket of `owner`."""
    return crc32(owner.encode()) % BUCKETS


class Store:
    """The parts by owner; `size` is the bytes of all their records."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._buckets = [0] * BUCKETS
        self.root = 0
        self.size = 0

    @property
    def parts(self) -> Mapping[str, Part]:
        """All parts by owner; read only."""
        return self._parts

    @property
    def buckets(self) -> Sequence[int]:
        """The fingerprints of the buckets."""
        return self._buckets

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts.values())

    def get(self, owner: str) -> Part | None:
        """Return the part of `owner`, if there is one."""
        return self._parts.get(owner)

    def open(self, owner: str, epoch: int) -> Part:
        """Return the part of `owner`; make an empty one of `epoch` if there is none."""
        part = self._parts.get(owner)
        if part is None:
            part = self._parts[owner] = Part(owner, epoch)
            self._mix(owner, part.fingerprint)
        return part

    def append(self, part: Part, operations: Sequence[Operation]) -> None:
        """Append operations to the owner's own part."""
        before = part.fingerprint
        self.size -= part.size
        part.append(operations)
        self.size += part.size
        self._mix(part.owner, before ^ part.fingerprint)

    def merge(
        self, part: Part, since: int, operations: Sequence[Operation]
    ) -> tuple[Operation, ...] | None:
        """Do the same as `Part.merge`, and update the fingerprints."""
        before = part.fingerprint
        self.size -= part.size
        fresh = part.merge(since, operations)
        self.size += part.size
        self._mix(part.owner, before ^ part.fingerprint)
        return fresh

    def replace(
        self, part: Part, epoch: int, version: int, records: Mapping[str, bytes]
    ) -> tuple[Operation, ...]:
        """Do the same as `Part.replace`, and update the fingerprints."""
        before = part.fingerprint
        self.size -= part.size
        changes = part.replace(epoch, version, records)
        self.size += part.size
        self._mix(part.owner, before ^ part.fingerprint)
        return changes

    def drop(self, owner: str) -> Part:
        """Forget the part of `owner`, and return it."""
        part = self._parts.pop(owner)
        self.size -= part.size
        self._mix(owner, part.fingerprint)
        return part

    def _mix(self, owner: str, difference: int) -> None:
        self.root ^= difference
        self._buckets[bucket_of(owner)] ^= difference
