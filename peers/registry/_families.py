"""The families of records: the first word of a key says what kind of record is under it.

A part holds records of several families: instances, decisions on others' instances, what a peer
says of its keys, and whatever a later version adds.
Each family is read by one object, found by that word in a table.
A record of a family that is not in the table is kept and passed on by the replication as all are,
and here is counted as unknown and otherwise ignored: that is a later version, and no damage.
"""

from typing import Protocol

INSTANCES = "i"
INTERVENTIONS = "o"
REPORTS = "r"


class Refused(ValueError):
    """A record from the mesh is not what it should be; nothing was changed."""


class Unknown(ValueError):
    """A record from the mesh was written by a later version; nothing was changed."""


class Family(Protocol):
    """Reads the records of one family."""

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Take in what the part of `owner` says under `key` now; None if nothing any more.

        Called once for each change.
        Raises `Refused` for damage, and `Unknown` for what a later version wrote; whatever was
        under the key before counts no more, as if there were nothing.
        """


class Ignored:
    """A family that is known, and of no concern here."""

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Do nothing."""


def family_of(key: str) -> str:
    """Return the word that names a key's family.

    It is empty for the key under which the replication takes a place in its log.
    """
    return key.partition("\n")[0]
