"""The replicas of other owners' parts, which this peer merges from deltas, heads and snapshots.

A delta that comes out of order waits a moment for the delta before it.
If that does not come, the peer fetches the part from the peer that sent the delta.
An owner announces a change that is too large for a datagram by its head.
A peer passes such a head on only after it has fetched the change, so that it can also serve the
change to the peers that it tells.
"""

from collections.abc import Iterable, Iterator, Mapping

from gossamer.gossip.basis import BoundedMap, Metric, measured
from gossamer.gossip.dissemination import REGISTRY, Spread
from gossamer.gossip.kernel import Context, Outcome
from gossamer.gossip.messages import Delta, Head, encode_dropped, encode_head, encode_part
from gossamer.gossip.state import Operation, Part, PartChanged, PartDropped, operation_size

from ._gaps import Gaps, Waiting
from ._own_part import OwnPart, rumor_limit
from ._remains import Remains
from ._statistics import REPLICAS

_HEADS_LIMIT = 256
_REAP_INTERVAL = 10.0
_TOMBSTONE_LIMIT = 20_000
# A part for which there was no room is not looked at again for this time, nor asked for.
_ROOM_PATIENCE = 30.0
_DECLINED_LIMIT = 1024


class Replicas:
    """Merges the parts of other owners, and knows which changes are missing."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        own: OwnPart,
        remains: Remains,
        now: float,
    ) -> None:
        self._config = context.config
        self._me = context.me
        self._table = context.table
        self._store = context.store
        self._root = context.root
        self._epochs = context.epochs
        self._timers = context.timers
        self._signals = context.signals
        self._counters = context.counters
        self._events = context.events
        self._spread = spread
        self._own = own
        self.remains = remains
        self._rumor_limit = rumor_limit(context)
        self._gaps = Gaps(context)
        self._heads = BoundedMap[str, tuple[Head, bytes]](_HEADS_LIMIT)
        # Owner to the head for which there was no room, and the time.
        self._declined = BoundedMap[str, tuple[tuple[int, int], float]](_DECLINED_LIMIT)
        # Owner to (last epoch, when dropped).
        self._tombstones = BoundedMap[str, tuple[int, float]](_TOMBSTONE_LIMIT)
        # A part has to be dropped everywhere before the first peer forgets that it was.
        margin = context.config.tombstone_for - context.config.part_for
        self._reap_interval = max(0.1, min(_REAP_INTERVAL, margin / 8))
        context.timers.at(now + self._reap_interval, self._reap)

    # Merging

    def on_delta(self, delta: Delta, payload: bytes, teller: str, now: float) -> Outcome:
        """Merge a delta that came by rumor; return what it did."""
        if delta.owner == self._me.name:
            self._own.on_head(delta.epoch, delta.since + len(delta.operations), now)
            return Outcome.UNCHANGED
        refusal = self._refusal(delta.owner, delta.epoch, now)
        if refusal is not None:
            return refusal
        outcome = self._merge(delta, now)
        if outcome is None:
            return self._gaps.wait(Waiting(delta, payload, teller), now)
        if outcome is Outcome.CHANGED:
            key = ("delta", delta.owner, delta.since)
            self._tell(key, payload, delta.owner, teller, now)
            self._resume(delta.owner, now)
        return outcome

    def on_head(self, head: Head, payload: bytes, teller: str, now: float) -> Outcome:
        """Take in that a part stands at a version, and fetch it if it is newer than ours."""
        if head.owner == self._me.name:
            self._own.on_head(head.epoch, head.version, now)
            return Outcome.UNCHANGED
        refusal = self._refusal(head.owner, head.epoch, now)
        if refusal is not None:
            return refusal
        if self.lacks(head.owner, head.epoch, head.version):
            # The oldest is forgotten: its owner may have died before its part was fetched.
            self._heads.keep(head.owner, (head, payload))
            self._signals.part_wanted(head.owner, teller, now)
        return Outcome.UNCHANGED

    def merge_delta(self, delta: Delta, now: float) -> bool:
        """Merge a delta that came in an exchange; return whether it changed anything."""
        if delta.owner == self._me.name:
            if delta.epoch < self._own.part.epoch and delta.since == 0:
                pairs = ((key, value) for key, value in delta.operations if value is not None)
                self._own.report_previous_life(dict(pairs), now)
            else:
                self._own.on_head(delta.epoch, delta.since + len(delta.operations), now)
            return False
        if self._refusal(delta.owner, delta.epoch, now) is not None:
            return False
        changed = self._merge(delta, now) is Outcome.CHANGED
        if changed:
            self._caught_up(delta.owner, now)
        return changed

    def merge_snapshot(
        self, owner: str, epoch: int, version: int, records: Mapping[str, bytes], now: float
    ) -> bool:
        """Replace an older part by a snapshot; return whether it changed anything."""
        store, me = self._store, self._me
        if owner == me.name:
            if epoch < me.epoch:
                self._own.report_previous_life(records, now)
            else:
                self._own.on_head(epoch, version, now)
            return False
        if self._refusal(owner, epoch, now) is not None or not self.lacks(owner, epoch, version):
            return False
        held = store.get(owner)
        size = sum(operation_size(*item) for item in records.items())
        if not self._has_room(owner, size - (0 if held is None else held.size)):
            self._decline(owner, (epoch, version), now)
            return False
        part = store.open(owner, epoch)
        changes = store.replace(part, epoch, version, records)
        self._changed(owner, changes, now)
        self._caught_up(owner, now)
        return True

    def drop_gone(self, owner: str, epoch: int, now: float) -> None:
        """Drop a part that another peer dropped, if its owner is gone in this peer's view too."""
        part = self._store.get(owner)
        if part is not None and owner in self.remains and part.epoch <= epoch:
            self._drop(part, now)

    def lacks(self, owner: str, epoch: int, version: int) -> bool:
        """Whether a head is newer than this peer's replica."""
        part = self._store.get(owner)
        return version > 0 and (part is None or (epoch, version) > part.head)

    def pass_on(self, owner: str, entry: bytes | None, teller: str, now: float) -> None:
        """Make a rumor of a change that an exchange brought: the delta if small, else the head."""
        part = self._store.get(owner)
        if part is None:
            return
        if entry is not None and len(entry) <= self._rumor_limit:
            self._tell(("delta", owner, part.version), entry, owner, teller, now)
        else:
            payload = encode_head(owner, part.epoch, part.version)
            self._tell(("head", owner), payload, owner, teller, now)

    def heads(self, owners: Iterable[str] | None = None) -> list[object]:
        """Return owner, epoch, version, ... of the parts of `owners`, or of all.

        A part for which there was no room is listed too, so that others do not send it again.
        """
        flat: list[object] = []
        for name in self.known if owners is None else owners:
            epoch, version = self.known_head(name)
            if version:
                flat += (name, epoch, version)
        return flat

    @property
    def full(self) -> bool:
        """Whether this peer declined a part lately, because it had no room."""
        return bool(self._declined)

    @property
    def declined(self) -> list[str]:
        """The owners of whom a part was declined lately, for lack of room."""
        return list(self._declined)

    @property
    def announced(self) -> list[str]:
        """The owners whose heads wait until their parts are fetched."""
        return list(self._heads)

    @property
    def known(self) -> Iterable[str]:
        """The owners whose parts this peer has, or declined because it had no room."""
        parts = self._store.parts
        yield from parts
        yield from (owner for owner in self._declined if owner not in parts)

    def known_head(self, owner: str) -> tuple[int, int]:
        """Return the head of a part that others need not send again; (0, 0) if there is none."""
        part = self._store.get(owner)
        head = part.head if part is not None and part.version else (0, 0)
        if owner in self._declined:
            return max(head, self._declined[owner][0])
        return head

    def entries(self, owner: str, epoch: int, version: int) -> list[bytes]:
        """Return the entries that bring a replica at (epoch, version) to this peer's state."""
        part = self._store.get(owner)
        if part is not None and part.version:
            return encode_part(part, epoch, version)
        grave = self._tombstones.get(owner)
        return [encode_dropped(owner, grave[0])] if grave is not None and epoch <= grave[0] else []

    def weight(self, owner: str, epoch: int, version: int) -> int:
        """Return the approximate size of what `entries` would return, without making it."""
        part = self._store.get(owner)
        if part is None:
            return 0
        operations = part.since(version if epoch == part.epoch else 0)
        if operations is None:
            return part.size
        return sum(operation_size(*operation) for operation in operations)

    def has_dropped(self, owner: str, epoch: int) -> bool:
        """Whether this peer dropped that life of the owner, and the owner is still gone."""
        grave = self._tombstones.get(owner)
        return grave is not None and epoch <= grave[0] and not self._lives(owner)

    def metrics(self) -> Iterator[Metric]:
        """Return how much is kept."""
        store = self._store
        return measured(
            REPLICAS,
            {
                "parts": sum(1 for part in store if part.version),
                "records": sum(len(part.records) for part in store),
                "record_bytes": store.size,
                "part_tombstones": len(self._tombstones),
                "waiting_deltas": len(self._gaps),
            },
        )

    def _merge(self, delta: Delta, now: float) -> Outcome | None:
        """Merge a delta and return what it did; None across a gap."""
        store = self._store
        part = store.get(delta.owner)
        if part is not None and delta.epoch < part.epoch:
            return Outcome.UNCHANGED
        if part is None or delta.epoch > part.epoch:
            if delta.since:
                return None
            size = Part(delta.owner, delta.epoch).grown(delta.operations)[1]
            if not self._has_room(delta.owner, size - (0 if part is None else part.size)):
                return self._decline(delta.owner, (delta.epoch, len(delta.operations)), now)
            records: dict[str, bytes] = {}
            part = store.open(delta.owner, delta.epoch)
            gone = store.replace(part, delta.epoch, 0, records)
            added = store.merge(part, 0, delta.operations) or ()
            self._changed(delta.owner, _latest((*gone, *added)), now)
            return Outcome.CHANGED
        if not part.admits(delta.operations):
            self._counters.add("refused_part_size")
            return Outcome.UNCHANGED
        if not self._has_room(delta.owner, part.grown(delta.operations)[1] - part.size):
            version = delta.since + len(delta.operations)
            return self._decline(delta.owner, (delta.epoch, version), now)
        fresh = store.merge(part, delta.since, delta.operations)
        if fresh is None:
            return None
        if not fresh:
            return Outcome.UNCHANGED
        self._changed(delta.owner, _latest(fresh), now)
        return Outcome.CHANGED

    def _has_room(self, owner: str, growth: int) -> bool:
        """Whether the records of all owners stay below their limit if a part grows by so much.

        Records that are here are never dropped for new ones.  If something that owners can choose
        decided which to drop, some owners could drive out others; and if parts came and went,
        roots would keep changing.
        """
        if growth <= 0 or owner == self._me.name:
            return True
        held = self._store.size - self._own.part.size
        return held + growth <= self._config.store_bytes

    def _decline(self, owner: str, head: tuple[int, int], now: float) -> Outcome:
        self._counters.add("refused_store")
        self._declined.keep(owner, (head, now))
        return Outcome.DECLINED

    def _tell(self, key: object, payload: bytes, owner: str, teller: str, now: float) -> None:
        self._spread.tell(REGISTRY, key, payload, owner, teller, now)

    def _changed(self, owner: str, changes: tuple[Operation, ...], now: float) -> None:
        self._root.changed_at = now
        self._events.append(PartChanged(owner, changes))

    def _refusal(self, owner: str, epoch: int, now: float) -> Outcome | None:
        """Return how an owner's part in that epoch is refused; None if it is admitted."""
        if not self._epochs.plausible(epoch, now):
            self._counters.add("refused_epoch_ahead")
            return Outcome.DECLINED
        if self.has_dropped(owner, epoch):
            self._counters.add("refused_part_tombstone")
            return Outcome.UNCHANGED
        if owner in self._declined:
            self._counters.add("refused_store")
            return Outcome.DECLINED
        if owner not in self._store.parts and len(self._store) >= self._config.member_limit:
            self._counters.add("refused_parts")
            return Outcome.DECLINED
        return None

    def _resume(self, owner: str, now: float) -> None:
        """Merge the deltas that waited for the one that has just come."""
        for waiting in self._gaps.end(owner):
            self.on_delta(waiting.delta, waiting.payload, waiting.teller, now)

    def _caught_up(self, owner: str, now: float) -> None:
        """Pass on a head whose change has been fetched; merge the deltas that waited for it."""
        held = self._heads.get(owner)
        if held is not None and not self.lacks(owner, held[0].epoch, held[0].version):
            del self._heads[owner]
            self._tell(("head", owner), held[1], owner, "", now)
        self._resume(owner, now)

    # Forgetting

    def _lives(self, owner: str) -> bool:
        row = self._table.get(owner)
        return row is not None and row.status.living

    def _reap(self, now: float) -> None:
        self._timers.at(now + self._reap_interval, self._reap)
        config, own = self._config, self._me.name
        for part in list(self._store):
            if part.owner == own or self._lives(part.owner):
                self.remains.pop(part.owner, None)
                continue
            epoch, since = self.remains.get(part.owner, (-1, 0.0))
            if epoch != part.epoch:
                since = self._gone_at(part.owner, now)
                self.remains[part.owner] = part.epoch, since
            if now - since >= config.part_for:
                self._drop(part, now)
        for owner, (_, declined) in list(self._declined.items()):
            if now - declined < _ROOM_PATIENCE:
                break
            del self._declined[owner]
        for owner, (_, dropped) in list(self._tombstones.items()):
            if now - dropped < config.tombstone_for:
                break
            del self._tombstones[owner]

    def _gone_at(self, owner: str, now: float) -> float:
        row = self._table.get(owner)
        return now if row is None else row.since

    def _drop(self, part: Part, now: float) -> None:
        self._store.drop(part.owner)
        self.remains.pop(part.owner, None)
        self._tombstones.keep(part.owner, (part.epoch, now))
        self._root.changed_at = now
        self._events.append(PartDropped(part.owner))


def _latest(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return one operation per key, the last."""
    if len(operations) == 1:
        return operations
    return tuple(dict(operations).items())
