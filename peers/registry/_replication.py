from collections.abc import Mapping
from typing import Protocol

from gossamer.gossip import Member, Part


class Replication(Protocol):
    """What the registry needs of the core beneath it: whose records there are, and who is here.

    `Gossip` is one; a replay of records that were kept on a disk can be another.
    """

    @property
    def name(self) -> str:
        """This peer's name: the owner of the part that `publish` and `withdraw` change."""
        ...

    @property
    def members(self) -> Mapping[str, Member]:
        """All others that are known, by name."""
        ...

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts of all owners, this peer's included, by name."""
        ...

    @property
    def joined(self) -> bool:
        """Whether the mesh was joined."""
        ...

    @property
    def isolated(self) -> bool:
        """Whether this peer takes itself to be cut off from all others."""
        ...

    def publish(self, key: str, value: bytes, now: float) -> int:
        """Write a record; raises `RecordTooLarge`, nothing changed."""
        ...

    def withdraw(self, key: str, now: float) -> bool:
        """Remove a record; return whether there was one."""
        ...
