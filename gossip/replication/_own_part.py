"""The part that this peer owns: how it is written and announced, and what others know of it.

Changes are gathered for a moment and leave as deltas that fit into a datagram.
The peer announces a change that is too large for a datagram by the head of the part.
"""

from collections.abc import Callable, Mapping

from gossamer.gossip.basis import NAME_LIMIT
from gossamer.gossip.dissemination import REGISTRY, Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import encode_delta, encode_head
from gossamer.gossip.state import (
    KEY_LIMIT,
    PART_BYTES,
    PART_RECORDS,
    VALUE_LIMIT,
    Operation,
    Part,
    PartChanged,
    PreviousLife,
    operation_size,
)

# Bytes of operations in one rumor: a datagram has room for two rumors of this size, or for one and
# some member updates.
_RUMOR_BYTES = 600
# The bytes of a datagram's body without the source's name, and of a delta without the owner's.
_BODY_COST = 24
_DELTA_COST = 32


class RecordTooLarge(ValueError):
    """A record or the whole part would exceed its limit; nothing was changed."""


def rumor_limit(context: Context) -> int:
    """Return the largest rumor that fits into a datagram of any peer, whatever its name."""
    return context.config.packet_limit - context.seal.overhead - NAME_LIMIT - _BODY_COST


class OwnPart:
    """Writes this peer's part, and announces its changes to the mesh."""

    def __init__(
        self, context: Context, spread: Spread, *, overtaken: Callable[[int, float], None]
    ) -> None:
        self._config = context.config
        self._me = context.me
        self._table = context.table
        self._store = context.store
        self._root = context.root
        self._epochs = context.epochs
        self._timers = context.timers
        self._counters = context.counters
        self._events = context.events
        self._spread = spread
        # Called if the mesh knows an epoch of this peer that is equal to its own, or higher.
        self._overtaken = overtaken
        self._rumor_limit = rumor_limit(context)
        self.resumed = False
        """Whether the records of an earlier life were reported."""
        self._announced = 0
        self._announced_at = float("-inf")
        self._announcing = False
        context.store.open(context.me.name, context.me.epoch)
        context.signals.epoch_raised.listen(self.restart)
        context.signals.joined.listen(self.introduce)

    @property
    def part(self) -> Part:
        """This peer's part."""
        return self._store.parts[self._me.name]

    # Writing

    def publish(self, key: str, value: bytes, now: float) -> int:
        """Write one record; return the version of the part."""
        if len(key.encode()) > KEY_LIMIT:
            raise RecordTooLarge(f"the key has more than {KEY_LIMIT} bytes: shorten it")
        if len(value) > VALUE_LIMIT:
            raise RecordTooLarge(f"the record has more than {VALUE_LIMIT} bytes: shorten it")
        if not self.part.accepts(key, value):
            raise RecordTooLarge(
                f"one peer owns at most {PART_RECORDS} records of {PART_BYTES} bytes: "
                "use another peer"
            )
        self._write([(key, value)], now)
        return self.part.version

    def withdraw(self, key: str, now: float) -> bool:
        """Remove one record; return whether there was one."""
        if key not in self.part.records:
            return False
        self._write([(key, None)], now)
        return True

    def introduce(self, now: float) -> None:
        """Announce to a mesh that this peer has just joined what it published before."""
        if self.part.version > self._announced:
            self._want_announcement(now)

    def restart(self, now: float) -> None:
        """Write the part again, under this peer's new epoch."""
        me = self._me
        records = dict(self.part.records)
        self._store.drop(me.name)
        part = self._store.open(me.name, me.epoch)
        self._store.append(part, list(records.items()) or [("", None)])
        self._announced = 0
        self._want_announcement(now)

    def _write(self, operations: list[Operation], now: float) -> None:
        self._store.append(self.part, operations)
        self._root.changed_at = now
        self._events.append(PartChanged(self._me.name, tuple(operations)))
        self._want_announcement(now)

    def _want_announcement(self, now: float, *, hold: bool = False) -> None:
        if self._announcing:
            return
        gather = self._config.gather
        when = now + gather if hold else max(now, self._announced_at + gather)
        if when <= now:
            self._announce(now)
        else:
            self._announcing = True
            self._timers.at(when, self._announce)

    def _announce(self, now: float) -> None:
        """Announce all operations that were not announced yet, in as many rumors as needed."""
        self._announcing = False
        if self._table.living < 2:
            return  # no member would hear it: see `introduce`
        self._announced_at = now
        part, since = self.part, self._announced
        self._announced = part.version
        operations = part.since(since)
        limit = self._rumor_limit - len(part.owner.encode()) - _DELTA_COST
        if operations is None or any(operation_size(*item) > limit for item in operations):
            payload = encode_head(part.owner, part.epoch, part.version)
            self._tell(("head", part.owner), payload, now)
            return
        batch: list[Operation] = []
        size = 0
        for operation in operations:
            if batch and size + operation_size(*operation) > _RUMOR_BYTES:
                self._tell_delta(part, since, batch, now)
                since += len(batch)
                batch, size = [], 0
            batch.append(operation)
            size += operation_size(*operation)
        if batch:
            self._tell_delta(part, since, batch, now)

    def _tell_delta(self, part: Part, since: int, batch: list[Operation], now: float) -> None:
        payload = encode_delta(part.owner, part.epoch, since, batch)
        self._tell(("delta", part.owner, since), payload, now)

    def _tell(self, key: object, payload: bytes, now: float) -> None:
        self._spread.tell(REGISTRY, key, payload, self._me.name, "", now)

    # As others know it

    def on_head(self, epoch: int, version: int, now: float) -> None:
        """Note that another peer has this peer's part at this version."""
        part = self.part
        if epoch == part.epoch and version > part.version:
            # Another process wrote under this name, or the disk was set back: take a new epoch.
            self._counters.add("own_part_ahead")
            self._overtaken(epoch, now)
        elif epoch > part.epoch and self._epochs.plausible(epoch, now):
            self._overtaken(epoch, now)

    def report_previous_life(self, records: Mapping[str, bytes], now: float) -> None:
        """Report the records of an earlier life, once, and replace its part in all replicas.

        A second copy could be older than what the user made of the first, so it is ignored.
        """
        if not self.resumed:
            self.resumed = True
            self._events.append(PreviousLife(records))
        if self.part.version == 0:
            self._store.append(self.part, [("", None)])
        # Wait a moment, so that the records that the user takes over travel with it.
        self._want_announcement(now, hold=True)
