"""The exchange of state: members, and the parts in which two peers differ.

    initiator                                   responder
    OPEN    self                          -->
                                          <--   HELLO   self
    ASK     root, heads or buckets        -->
                                          <--   MEMBERS if the members differ (or BUSY)
                                          <--   WANT and PARTS, if ASK had heads; else HEADS
    MEMBERS in return; PARTS that the
    other wants, and WANT, PARTS for its
    HEADS                                 -->
                                          <--   PARTS that the initiator wants
    DONE                                  <->   DONE

A small mesh sends its heads at once; a large one sends 1,024 bucket fingerprints (8 kB), and only
heads of the buckets that differ.
Parts go smallest first, so that a cut stream has done the most good.
Each entry and each member is judged by itself.
OPEN can be a recorded one, so nothing is believed, and next to nothing done, before ASK.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gossamer.gossip.basis import Malformed, Unknown, array, blob, whole
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import (
    ANOTHER,
    ASK,
    BUSY,
    DONE,
    HEADS,
    HELLO,
    LAST_KIND,
    MEMBERS,
    OPEN,
    PARTS,
    PROBE,
    REFUSED,
    WANT,
    Context,
    Exchange,
    Purpose,
    frame_kind,
    probe_answer,
)
from gossamer.gossip.membership import Membership
from gossamer.gossip.messages import ROOT_SIZE, Delta, Dropped, Piece, decode_entry, owner_name
from gossamer.gossip.replication import OwnPart, Replicas
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import (
    BUCKETS,
    EPOCH_LIMIT,
    PART_BYTES,
    PART_RECORDS,
    VERSION_LIMIT,
    Address,
    Member,
    bucket_of,
    decode_news,
    operation_size,
)

from ._member_exchange import Roll, batches

# With more owners than this, bucket fingerprints are shorter than all heads.
_HEADS_AT_ONCE = 256
# Heads of so many bytes at most go into one frame; the buckets beyond wait for the next exchange.
_HEADS_BYTES = 512 * 1024
_HEAD_COST = 20
_WANTS_AT_ONCE = 4096
# What one side gives in one exchange; what is beyond waits for the next.
_GIVEN_BYTES = 64 * 1024 * 1024
# How many of the parts that an exchange brought are passed on as rumors.  What repair finds is
# mostly known to the others; a few cost little where they know it, and where they do not, as after
# a cut that was too short for anybody to be held for dead, exchanges alone would take seconds.
_RUMORS: dict[Purpose, int] = {"join": 256, "heal": 256, "repair": 16, "fetch": 0}
_NEWS_SIZE = 1400
_OPENING = 2.0
_BUSY_LIMIT = 60_000
_BUSY_LEAST = 50
_PURPOSE_LIMIT = 255
_PURPOSES: tuple[Purpose, ...] = ("join", "heal", "repair", "fetch")

Heads = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an exchange tells of, and what it changes."""

    spread: Spread
    membership: Membership
    own: OwnPart
    replicas: Replicas


class Hub(Protocol):
    """Bounds the exchanges of one peer."""

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange; else say in how many ms to come back."""

    def closed(self, exchange: "SyncExchange", reason: str | None, now: float) -> None:
        """Take in that an exchange came to its end."""


class SyncExchange(Exchange):
    """One exchange of state, as initiator or (purpose `inbound`) as responder."""

    def __init__(
        self,
        context: Context,
        knowledge: Knowledge,
        hub: Hub,
        address: Address,
        purpose: Purpose,
        deadline: float,
        *,
        row: Member | None = None,
        owners: list[str] | None = None,
    ) -> None:
        super().__init__(context.endpoint, address, purpose, deadline)
        self.peer: str | None = row.name if row is not None else None
        self._to_epoch = row.epoch if row is not None else 0
        self.retry_after: float | None = None
        self.has_place = False
        self.teller = self.peer or ""
        self.owners = owners or []
        self._hub = hub
        self._knowledge = knowledge
        self._signals = context.signals
        self._config = context.config
        self._me = context.me
        self._table = context.table
        self._store = context.store
        self._root = context.root
        self._epochs = context.epochs
        self._counters = context.counters
        self._owners = owners
        self._initiates = purpose != "inbound"
        # A newcomer tells nobody what it learns: everybody else told it.
        self._newcomer = self._initiates and context.table.living < 2
        self._own_untold = False
        self._rumors = _RUMORS.get(purpose, 0)
        self._given = 0
        # Items that the other side has brought.
        self.brought = 0
        self._said_done = False
        self._roll = Roll(context, knowledge.membership, knowledge.spread, self._put)
        self._piece: Piece | None = None
        self._piece_bytes = 0
        self._met = False
        # What the other said of itself when it opened this.
        self._opener: bytes | None = None
        if self._initiates:
            self._put([OPEN, context.me.news().encode()])

    def receive(self, frame: bytes, now: float) -> None:
        """Take in one frame; what it brought is passed on at once."""
        super().receive(frame, now)
        self._knowledge.spread.flush_if_due(now)

    # Beginning

    def _handle(self, message: list[object], now: float) -> None:
        kind = frame_kind(message)
        if kind > LAST_KIND:
            self._within_limit([])
            self._counters.add("unknown")
        elif kind == ANOTHER:
            self.fail("another peer is there", now)
        elif self.peer is not None and self._met:
            self._go_on(kind, message, self.peer, now)
        else:
            self._begin(kind, message, now)

    def _begin(self, kind: int, message: list[object], now: float) -> None:
        """Take in a frame that comes before the two have met."""
        match message:
            case [_, me, *_] if kind == HELLO and self._initiates:
                self._greeted(blob(me, _NEWS_SIZE), now)
            case _ if kind == REFUSED and self._initiates:
                self._counters.add("refused_by_others")
                self.fail("our epoch is not believed: compare the clocks", now)
            case _ if kind == PROBE and not self._initiates and self._opener is None:
                self._put(probe_answer(self._me.name, message))
                self._finish(now)
            case [_, me, *_] if kind == OPEN and not self._initiates and self._opener is None:
                self._opened(blob(me, _NEWS_SIZE), now)
            case [_, code, root, owners, heads, buckets, *_] if kind == ASK and self._opener:
                if self._meet(self._opener, now):
                    self._asked(code, root, owners, heads, buckets, now)
                else:
                    self.fail("the peer there has our name", now)
            case _ if kind == DONE and self._opener:
                self._meet(self._opener, now)
                self.fail("nothing was asked for", now)
            case _:
                raise Malformed("a conversation begins otherwise")

    def _go_on(self, kind: int, message: list[object], peer: str, now: float) -> None:
        match message:
            case [_, ms, *_] if kind == BUSY and self._initiates:
                self.retry_after = max(whole(ms, _BUSY_LIMIT), _BUSY_LEAST) / 1000
                self.fail("busy", now)
            case [_, updates, ages, *_] if kind == MEMBERS:
                items = self._within_limit(updates)
                self._roll.take(items, array(ages), peer, now, silently=self._newcomer)
            case [_, mask, flat, *_] if kind == HEADS:
                self._settle(_heads(self._within_limit(flat, 3)), _mask(mask), now)
                self._say_done(now)
            case [_, flat, *_] if kind == WANT:
                wants = _heads(self._within_limit(flat, 3))
                self._give((owner, *wants[owner]) for owner in wants)
            case [_, entries, *_] if kind == PARTS:
                for entry in self._within_limit(entries):
                    self._take_entry(blob(entry, 1024 * 1024), now)
            case _ if kind == DONE:
                if self._own_untold and not self._knowledge.own.resumed:
                    self._give([(self._me.name, 0, 0)])
                self._say_done(now)
                self._finish(now)
            case _:
                raise Malformed("a frame is of another kind")

    def _within_limit(self, value: object, each: int = 1) -> list[object]:
        """Return an array of items, or end the exchange if it has brought too many.

        A frame counts for one at least: empty ones could go on without end.
        """
        items = array(value)
        self.brought += max(1, len(items) // each)
        if self.brought > self._config.exchange_items:
            raise Refused("items")
        return items

    def _opened(self, me: bytes, now: float) -> None:
        news = decode_news(me)
        self._to_epoch = news.epoch
        if not self._epochs.plausible(news.epoch, now):
            self._put([REFUSED])
            self.fail("its epoch is not believed", now)
            return
        self._opener = me
        # The answer and the question take a round trip, as the opening did.
        self.deadline = max(self.deadline, now + min(_OPENING, self._config.stream_timeout))
        # In any case: an initiator that has reached itself learns it from this.
        self._put([HELLO, self._me.news().encode()])

    def _greeted(self, me: bytes, now: float) -> None:
        if self._meet(me, now):
            self._ask()
            self._roll.answer()
        else:
            self._put([DONE])  # only now the other believes who is here
            self.fail("the peer there has our name", now)

    def _meet(self, me: bytes, now: float) -> bool:
        """Believe who the other is; False if it has this peer's name."""
        news = decode_news(me)
        own = self._me
        if news.name == own.name:
            if news.nonce == own.nonce:
                self._signals.met_self(self.address, now)
            else:
                self._knowledge.membership.hear(news, me, news.name, "direct", now)
            return False
        self._met = True
        self.peer = news.name
        self._to_epoch = news.epoch
        if self._newcomer:
            # A host whose clock is far behind believes the mesh that its operator named.
            self._epochs.believe(news.epoch, now)
        self._knowledge.membership.hear(news, me, news.name, "direct", now)
        self._roll.judge(news)
        return True

    def _ask(self) -> None:
        replicas = self._knowledge.replicas
        heads: list[object] | None = None
        buckets: bytes | None = None
        if self._owners is not None or len(self._store) <= _HEADS_AT_ONCE:
            names = self._owners
            if self._newcomer and not self._knowledge.own.resumed and names is None:
                # Told that our part is newer, nobody would give us what our earlier life left.
                self._own_untold = True
                names = [name for name in replicas.known if name != self._me.name]
            heads = replicas.heads(names)
        else:
            values = self._store.buckets
            buckets = b"".join(value.to_bytes(8) for value in values)
        code = _PURPOSES.index(self.purpose)
        self._put([ASK, code, self._root.digest, self._owners, heads, buckets])

    def _asked(
        self,
        code: object,
        root: object,
        owners: object,
        heads: object,
        buckets: object,
        now: float,
    ) -> None:
        # Now that it has said something, it has the time of an exchange.
        self.deadline = now + self._config.stream_timeout
        number = whole(code, _PURPOSE_LIMIT)
        # A later version may have further purposes; a repair leaves out nothing that differs.
        purpose = _PURPOSES[number] if number < len(_PURPOSES) else "repair"
        fingerprints = blob(buckets, 8 * BUCKETS) if buckets is not None else None
        if owners is not None:
            self._owners = [owner_name(owner) for owner in array(owners)]
        if fingerprints is not None and len(fingerprints) != 8 * BUCKETS:
            raise Malformed("fingerprints of another number of buckets")
        their_root = blob(root, ROOT_SIZE)
        retry = self._hub.enter(self.address[0], now)
        if retry is not None:
            self._put([BUSY, retry])
            self.fail("busy ourselves", now)
            return
        self.has_place = True
        self._rumors = _RUMORS[purpose]
        theirs = _heads(self._within_limit(heads, 3)) if heads is not None else None
        members_differ = purpose != "fetch" and their_root[:8] != self._root.digest[:8]
        if members_differ or purpose in ("join", "heal"):
            self._roll.send(now)
        self._roll.answer()
        if theirs is not None:
            self._settle(theirs, None, now)
            self._say_done(now)
        elif fingerprints is not None:
            mask, names = self._within_a_frame(_differing(fingerprints, self._store.buckets))
            flat = self._knowledge.replicas.heads(names)
            self._put([HEADS, mask.to_bytes(BUCKETS // 8), flat])

    def _within_a_frame(self, mask: int) -> tuple[int, list[str]]:
        """Return the owners in the buckets of a mask, and the mask, cut to what a frame holds."""
        buckets: dict[int, list[str]] = {}
        for name in self._knowledge.replicas.known:
            number = bucket_of(name)
            if mask >> number & 1:
                buckets.setdefault(number, []).append(name)
        names: list[str] = []
        size = 0
        for number, found in buckets.items():
            size += sum(len(name.encode()) + _HEAD_COST for name in found)
            if size <= _HEADS_BYTES or not names:
                names += found
            else:
                mask &= ~(1 << number)
        if size > _HEADS_BYTES:
            self._counters.add("exchanges_cut")
        return mask, names

    # Parts

    def _settle(self, theirs: Heads, mask: int | None, now: float) -> None:
        """Compare heads: ask for what is newer there, give what is newer here."""
        replicas, own = self._knowledge.replicas, self._me.name
        store = self._store
        wants: list[object] = []
        gives: list[tuple[str, int, int]] = []
        for owner, (epoch, version) in theirs.items():
            part = store.get(owner)
            held = part.head if part is not None and part.version else (0, 0)
            if owner == own and epoch < self._me.epoch and not self._knowledge.own.resumed:
                wants += (owner, 0, 0)  # what an earlier life of ours left
            elif replicas.buried(owner, epoch) or held > (epoch, version):
                gives.append((owner, epoch, version))
            elif replicas.known_head(owner) < (epoch, version):
                wants += (owner, *held)
        in_scope: Iterable[str] = self._owners if self._owners is not None else store.parts
        gives.extend(
            (owner, 0, 0)
            for owner in in_scope
            if owner not in theirs and (mask is None or mask >> bucket_of(owner) & 1)
        )
        for first in range(0, len(wants), 3 * _WANTS_AT_ONCE):
            self._put([WANT, wants[first : first + 3 * _WANTS_AT_ONCE]])
        self._give(gives)

    def _give(self, gives: Iterable[tuple[str, int, int]]) -> None:
        replicas = self._knowledge.replicas
        flat: list[bytes] = []
        for give in sorted(gives, key=lambda give: replicas.weight(*give)):
            # Judged before it is made: whoever asks again and again gets no more for it.
            self._given += replicas.weight(*give)
            if self._given > _GIVEN_BYTES:
                self._counters.add("exchanges_cut")
                break
            flat += replicas.entries(*give)
        for batch in batches(flat):
            self._put([PARTS, batch])

    def _take_entry(self, payload: bytes, now: float) -> None:
        try:
            entry = decode_entry(payload)
        except Unknown:
            self._counters.add("unknown")
            return
        except Malformed:
            self._counters.add("refused_entry")
            return
        replicas = self._knowledge.replicas
        match entry:
            case Dropped(owner, epoch):
                replicas.take_gone(owner, epoch, now)
            case Delta(owner=owner):
                if replicas.take_delta(entry, now):
                    self._pass_on(owner, payload, now)
            case Piece(owner=owner):
                whole_part = self._gather(entry)
                if whole_part is not None and replicas.take_snapshot(
                    owner, entry.epoch, entry.version, whole_part, now
                ):
                    self._pass_on(owner, None, now)

    def _gather(self, piece: Piece) -> dict[str, bytes] | None:
        """Collect the pieces of a snapshot; return its records when the last has come."""
        held = self._piece
        whose = (piece.owner, piece.epoch, piece.version)
        # Pieces come one after another, so that at most one snapshot is incomplete.
        if held is not None and (held.owner, held.epoch, held.version) == whose:
            held.records.update(piece.records)
        else:
            held = self._piece = piece
            self._piece_bytes = 0
        self._piece_bytes += sum(operation_size(*item) for item in piece.records.items())
        if self._piece_bytes > PART_BYTES or len(held.records) > PART_RECORDS:
            raise Malformed("a snapshot is too large")
        if piece.more:
            return None
        self._piece = None
        return held.records

    def _pass_on(self, owner: str, entry: bytes | None, now: float) -> None:
        """Make a rumor of a part that two sides of a mesh have just exchanged."""
        if self._rumors and not self._newcomer and self.peer is not None:
            self._rumors -= 1
            self._knowledge.replicas.pass_on(owner, entry, self.peer, now)

    # Ending

    def _say_done(self, now: float) -> None:
        if not self._said_done:
            self._said_done = True
            self._put([DONE])

    def _closed(self, reason: str | None, now: float) -> None:
        self._hub.closed(self, reason, now)


def _heads(flat: list[object]) -> Heads:
    """Return the heads in a flat array of owner, epoch, version, or raise `Malformed`."""
    if len(flat) % 3:
        raise Malformed("a head is incomplete")
    items = iter(flat)
    return {
        owner_name(owner): (whole(epoch, EPOCH_LIMIT), whole(version, VERSION_LIMIT))
        for owner, epoch, version in zip(items, items, items, strict=True)
    }


def _mask(value: object) -> int | None:
    if value is None:
        return None
    return int.from_bytes(blob(value, BUCKETS // 8))


def _differing(theirs: bytes, ours: Iterable[int]) -> int:
    """Return a mask with a bit set for each bucket whose fingerprints differ."""
    mask = 0
    for number, value in enumerate(ours):
        if value.to_bytes(8) != theirs[8 * number : 8 * number + 8]:
            mask |= 1 << number
    return mask
