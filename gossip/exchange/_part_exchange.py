"""The parts in an exchange: the entries that one side sends, and those that it merges.

The smallest parts go first, so that an interrupted stream has brought as many parts as possible.
"""

from collections.abc import Callable, Iterable

from gossamer.gossip.basis import Malformed, Unknown
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Delta, Dropped, Parts, Piece, Want, decode_entry
from gossamer.gossip.replication import Replicas
from gossamer.gossip.state import PART_BYTES, PART_RECORDS, operation_size

from ._heads import Give
from ._member_exchange import batches

_WANTS_AT_ONCE = 4096
# What one side gives in one exchange; what is beyond waits for the next.
_GIVEN_BYTES = 64 * 1024 * 1024


class PartExchange:
    """What one side of an exchange says of parts, and hears."""

    def __init__(
        self, context: Context, replicas: Replicas, put: Callable[[Parts | Want], None]
    ) -> None:
        self._counters = context.counters
        self._replicas = replicas
        self._put = put
        self.rumors = 0
        """How many of the parts that are taken may still be passed on as rumors."""
        self._given = 0
        self._assembly = Assembly()

    def want(self, wants: list[object]) -> None:
        """Ask for parts: owner, epoch, version, ... of what is held of them here."""
        for first in range(0, len(wants), 3 * _WANTS_AT_ONCE):
            self._put(Want(wants[first : first + 3 * _WANTS_AT_ONCE]))

    def give(self, gives: Iterable[Give]) -> None:
        """Send what brings the other side up to this peer's parts."""
        replicas = self._replicas
        flat: list[bytes] = []
        for give in sorted(gives, key=lambda give: replicas.weight(*give)):
            # Judged before it is made: a peer that asks again and again gets no more for it.
            self._given += replicas.weight(*give)
            if self._given > _GIVEN_BYTES:
                self._counters.add("exchanges_cut")
                break
            flat += replicas.entries(*give)
        for batch in batches(flat):
            self._put(Parts([*batch]))

    def take(self, payload: bytes, teller: str, now: float) -> None:
        """Merge one entry; what it changes is passed on as a rumor, while that is allowed.

        Raises `Malformed` for a snapshot that is too large; another bad entry is counted.
        """
        try:
            entry = decode_entry(payload)
        except Unknown:
            self._counters.add("unknown")
            return
        except Malformed:
            self._counters.add("refused_entry")
            return
        replicas = self._replicas
        match entry:
            case Dropped(owner, epoch):
                replicas.drop_gone(owner, epoch, now)
            case Delta(owner=owner):
                if replicas.merge_delta(entry, now):
                    self._pass_on(owner, payload, teller, now)
            case Piece(owner=owner):
                records = self._assembly.add(entry)
                if records is not None and replicas.merge_snapshot(
                    owner, entry.epoch, entry.version, records, now
                ):
                    self._pass_on(owner, None, teller, now)

    def _pass_on(self, owner: str, entry: bytes | None, teller: str, now: float) -> None:
        """Make a rumor of a part that two sides of a mesh have just exchanged."""
        if self.rumors:
            self.rumors -= 1
            self._replicas.pass_on(owner, entry, teller, now)


class Assembly:
    """Puts the pieces of a snapshot together.

    Pieces come one after another, so that at most one snapshot is incomplete.
    """

    def __init__(self) -> None:
        self._whose: tuple[str, int, int] | None = None
        self._records: dict[str, bytes] = {}
        self._size = 0

    def add(self, piece: Piece) -> dict[str, bytes] | None:
        """Take a piece; return all records when the last piece has come.

        Raises `Malformed` if the snapshot is larger than a part may be.
        """
        whose = (piece.owner, piece.epoch, piece.version)
        if self._whose == whose:
            self._records.update(piece.records)
        else:
            self._whose, self._records, self._size = whose, piece.records, 0
        self._size += sum(operation_size(*item) for item in piece.records.items())
        if self._size > PART_BYTES or len(self._records) > PART_RECORDS:
            raise Malformed("a snapshot is too large")
        if piece.more:
            return None
        self._whose = None
        return self._records
