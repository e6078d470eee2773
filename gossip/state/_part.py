"""An owner's part of the registry: its records, and the log that brings replicas up to date.

Only the owner writes its part; each operation has a version, which is one more than the last.
Replicas keep the larger (epoch, version).  With one writer this order is total, so merging is
idempotent, commutative and associative.

A delta (a, b] has every operation in that range, in order.  It is merged only into a part at
version a or later, without the operations up to the part's own version.
If operations are missing in between, nothing is merged.
The log is bounded; `floor` is the version above which the log still has all operations.
Below it, and for a new epoch, the whole part travels as a snapshot, and a record that is not in the
snapshot is deleted.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice

Operation = tuple[str, bytes | None]

# The log has room for the changes of many datagrams; with more changes a snapshot is better.
LOG_OPERATIONS = 64
LOG_BYTES = 16 * 1024

KEY_LIMIT = 600
VALUE_LIMIT = 64 * 1024
# The limits of what one owner can make all other peers keep.
PART_RECORDS = 20_000
PART_BYTES = 32 * 1024 * 1024
VERSION_LIMIT = 1 << 48


def operation_size(key: str, value: bytes | None) -> int:
    """Return the bytes of an operation in a log; on the wire it has nearly the same size."""
    return len(key.encode()) + (len(value) if value is not None else 0) + 6


def part_fingerprint(owner: str, epoch: int, version: int) -> int:
    """Return the 64-bit hash of a part, which covers only (owner, epoch, version).

    Two versions of the software that encode records differently still agree on it.
    A part at version 0 is empty and counts as no part.
    """
    if version == 0:
        return 0
    data = f"{owner}\0{epoch}\0{version}".encode()
    return int.from_bytes(blake2b(data, digest_size=8, person=b"gsmr-part").digest())


class Part:
    """One owner's records, at the owner or at a replica."""

    __slots__ = (
        "_log", "_log_bytes", "_records", "_size", "epoch",
        "fingerprint", "floor", "owner", "version",
    )  # fmt: skip

    def __init__(self, owner: str, epoch: int, version: int = 0) -> None:
        self.owner = owner
        self.epoch = epoch
        self.version = version
        self.floor = version
        self.fingerprint = part_fingerprint(owner, epoch, version)
        self._records: dict[str, bytes] = {}
        self._size = 0
        self._log: deque[Operation] = deque()
        self._log_bytes = 0

    @property
    def records(self) -> Mapping[str, bytes]:
        """The live records by key; read only."""
        return self._records

    @property
    def head(self) -> tuple[int, int]:
        """The epoch and version, which decide between two copies of this part."""
        return self.epoch, self.version

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return self._size

    def accepts(self, key: str, value: bytes) -> bool:
        """Whether the record fits into the limits of a part."""
        old = self._records.get(key)
        grown = self._size + operation_size(key, value)
        if old is None:
            return len(self._records) < PART_RECORDS and grown <= PART_BYTES
        return grown - operation_size(key, old) <= PART_BYTES

    def admits(self, operations: Sequence[Operation]) -> bool:
        """Whether the part stays within its limits with these operations."""
        records, size = self.grown(operations)
        return records <= PART_RECORDS and size <= PART_BYTES

    def grown(self, operations: Sequence[Operation]) -> tuple[int, int]:
        """Return how many records and bytes the part would have with these operations."""
        records, size = len(self._records), self._size
        for key, value in dict(operations).items():
            old = self._records.get(key)
            if old is not None:
                records -= 1
                size -= operation_size(key, old)
            if value is not None:
                records += 1
                size += operation_size(key, value)
        return records, size

    def append(self, operations: Iterable[Operation]) -> None:
        """Apply the operations that follow `version`, one version each."""
        for key, value in operations:
            self._apply(key, value)
            self.version += 1
            self._log.append((key, value))
            self._log_bytes += operation_size(key, value)
        while len(self._log) > LOG_OPERATIONS or self._log_bytes > LOG_BYTES:
            self._log_bytes -= operation_size(*self._log.popleft())
        self.floor = self.version - len(self._log)
        self.fingerprint = part_fingerprint(self.owner, self.epoch, self.version)

    def merge(self, since: int, operations: Sequence[Operation]) -> tuple[Operation, ...] | None:
        """Merge the delta after version `since`; return the new operations, None across a gap."""
        if since > self.version:
            return None
        fresh = tuple(operations[self.version - since :])
        if fresh:
            self.append(fresh)
        return fresh

    def replace(
        self, epoch: int, version: int, records: Mapping[str, bytes]
    ) -> tuple[Operation, ...]:
        """Replace this part by a snapshot; return the operations that make the difference."""
        gone: list[Operation] = [(key, None) for key in self._records if key not in records]
        changed: list[Operation] = [
            (key, value) for key, value in records.items() if self._records.get(key) != value
        ]
        self._records = dict(records)
        self._size = sum(operation_size(key, value) for key, value in records.items())
        self._log.clear()
        self._log_bytes = 0
        self.epoch, self.version, self.floor = epoch, version, version
        self.fingerprint = part_fingerprint(self.owner, epoch, version)
        return (*gone, *changed)

    def since(self, version: int) -> tuple[Operation, ...] | None:
        """Return the operations after `version`, or None if they are below the floor."""
        if version < self.floor:
            return None
        return tuple(islice(self._log, version - self.floor, None))

    def _apply(self, key: str, value: bytes | None) -> None:
        old = self._records.get(key)
        if old is not None:
            self._size -= operation_size(key, old)
        if value is None:
            self._records.pop(key, None)
        else:
            self._records[key] = value
            self._size += operation_size(key, value)
