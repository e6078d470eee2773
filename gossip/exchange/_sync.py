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

Which frame may come when is in the table at the end of this file; any other ends the conversation.
Each entry and each member is judged by itself.
OPEN can be a recorded one, so nothing is believed, and next to nothing done, before ASK.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gossamer.gossip.basis import Malformed, array, blob, known_items, whole
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import (
    ANOTHER,
    ASK,
    BUSY,
    DONE,
    EPOCH_REFUSED,
    FRAME_LIMIT,
    HEADS,
    HELLO,
    LAST_KIND,
    MEMBERS,
    OPEN,
    PARTS,
    PROBE,
    WANT,
    Context,
    Exchange,
    Purpose,
    frame_kind,
    probe_answer,
)
from gossamer.gossip.membership import Membership
from gossamer.gossip.messages import ROOT_SIZE, owner_name
from gossamer.gossip.replication import OwnPart, Replicas
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import Address, Member, decode_news

from ._heads import HeadComparison, Heads, parse_fingerprints, parse_heads, parse_mask
from ._member_exchange import MemberExchange
from ._part_exchange import PartExchange

# How many of the parts that an exchange brought are passed on as rumors.  What repair finds is
# mostly known to the others; a few cost little where they know it, and where they do not, as after
# a cut that was too short for anybody to be declared dead, exchanges alone would take seconds.
_RUMORS: dict[Purpose, int] = {"join": 256, "heal": 256, "repair": 16, "fetch": 0}
_NEWS_SIZE = 1400
_OPENING = 2.0
_BUSY_LIMIT = 60_000
_BUSY_LEAST = 50
_PURPOSE_LIMIT = 255
_PURPOSES: tuple[Purpose, ...] = ("join", "heal", "repair", "fetch")


class State(Enum):
    """How far an exchange is; the first four are the initiator's, the others the responder's."""

    OPENED = "this side has sent OPEN, and awaits HELLO"
    ASKED_BY_HEADS = "this side has asked with its heads, and awaits an answer"
    ASKED_BY_BUCKETS = "this side has asked with fingerprints, and awaits HEADS"
    ANSWERED = "the heads are compared; what differs comes and goes"
    ACCEPTED = "nothing was heard yet"
    GREETED = "this side has sent HELLO, and awaits ASK"
    SERVING = "this side has answered ASK; what differs comes and goes"


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
        self.expected = "" if row is None else row.name
        """The member that this exchange was begun with; empty if it was not known who is there."""
        self.peer: str | None = None
        """The peer that is there, once this side believes it."""
        self.owners = owners
        """The owners whose parts are compared; None for all."""
        self.retry_after: float | None = None
        """After how many seconds the other side, which was busy, can be asked again."""
        self.has_place = False
        self.brought = 0
        """How many items the other side has brought."""
        self._to_epoch = 0 if row is None else row.epoch
        self._config = context.config
        self._me = context.me
        self._root = context.root
        self._epochs = context.epochs
        self._counters = context.counters
        self._signals = context.signals
        self._knowledge = knowledge
        self._hub = hub
        self._members = MemberExchange(context, knowledge.membership, knowledge.spread, self._put)
        self._heads = HeadComparison(context, knowledge.own, knowledge.replicas)
        self._parts = PartExchange(context, knowledge.replicas, self._put)
        self._own_untold = False
        self._said_done = False
        # What the other said of itself when it opened this.
        self._opener = b""
        if purpose == "inbound":
            self._newcomer = False
            self.state = State.ACCEPTED
        else:
            # A newcomer tells nobody what it learns: all others have told it.
            self._newcomer = context.table.living < 2
            self._parts.rumors = 0 if self._newcomer else _RUMORS[purpose]
            self.state = State.OPENED
            self._put([OPEN, self._me.news().encode()])

    def receive(self, frame: bytes, now: float) -> None:
        """Take in one frame; what it brought is passed on at once."""
        super().receive(frame, now)
        self._knowledge.spread.flush_if_due(now)

    def _handle(self, message: list[object], now: float) -> None:
        kind = frame_kind(message)
        if kind > LAST_KIND:
            self._within_limit([])
            self._counters.add("unknown")
            return
        step = _STEPS[self.state].get(kind)
        if step is None:
            raise Malformed(f"a frame of kind {kind} came while {self.state.value}")
        step(self, message, now)

    def _within_limit(self, value: object, each: int = 1) -> list[object]:
        """Return an array of items, or end the exchange if it has brought too many.

        A frame counts for one at least: empty ones could go on without end.
        """
        items = array(value)
        self.brought += max(1, len(items) // each)
        if self.brought > self._config.exchange_items:
            raise Refused("items")
        return items

    # Meeting

    def _on_another(self, _message: list[object], now: float) -> None:
        self.fail("another peer is there", now)

    def _on_probe(self, message: list[object], now: float) -> None:
        self._put(probe_answer(self._me.name, message))
        self._finish(now)

    def _on_open(self, message: list[object], now: float) -> None:
        _, me = known_items(message, 2)
        self._opener = blob(me, _NEWS_SIZE)
        news = decode_news(self._opener)
        self._to_epoch = news.epoch
        if not self._epochs.plausible(news.epoch, now):
            self._put([EPOCH_REFUSED])
            self.fail("its epoch is not believed", now)
            return
        self.state = State.GREETED
        # The answer and the question take a round trip, as the opening did.
        self.deadline = max(self.deadline, now + min(_OPENING, self._config.stream_timeout))
        # Whatever name it has: an initiator that has reached itself learns it from this.
        self._put([HELLO, self._me.news().encode()])

    def _on_epoch_refused(self, _message: list[object], now: float) -> None:
        self._counters.add("refused_by_others")
        self.fail("our epoch is not believed: compare the clocks", now)

    def _on_hello(self, message: list[object], now: float) -> None:
        _, me = known_items(message, 2)
        if self._meet(blob(me, _NEWS_SIZE), now):
            self._ask()
            self._members.answer()
        else:
            self._put([DONE])  # only now the other side believes who is here
            self.fail("the peer there has our name", now)

    def _meet(self, me: bytes, now: float) -> bool:
        """Believe who the other is; False if it has this peer's name."""
        news = decode_news(me)
        if news.name == self._me.name:
            if news.nonce == self._me.nonce:
                self._signals.met_self(self.address, now)
            else:
                self._knowledge.membership.hear(news, me, news.name, "direct", now)
            return False
        self.peer = news.name
        self._to_epoch = news.epoch
        if self._newcomer:
            # A host whose clock is far behind believes the mesh that its operator named.
            self._epochs.believe(news.epoch, now)
        self._knowledge.membership.hear(news, me, news.name, "direct", now)
        self._members.note_obituary(news)
        return True

    # The question and its answer

    def _ask(self) -> None:
        replicas = self._knowledge.replicas
        heads: list[object] | None = None
        fingerprints: bytes | None = None
        if self.owners is not None or self._heads.are_few:
            names = self.owners
            if self._newcomer and not self._knowledge.own.resumed and names is None:
                # Told that our part is newer, nobody would give us what our earlier life left.
                self._own_untold = True
                names = [name for name in replicas.known if name != self._me.name]
            heads = replicas.heads(names)
            self.state = State.ASKED_BY_HEADS
        else:
            fingerprints = self._heads.fingerprints
            self.state = State.ASKED_BY_BUCKETS
        code = _PURPOSES.index(self.purpose)
        self._put([ASK, code, self._root.digest, self.owners, heads, fingerprints])

    def _on_ask(self, message: list[object], now: float) -> None:
        if not self._meet(self._opener, now):
            self.fail("the peer there has our name", now)
            return
        _, code, root, owners, heads, buckets = known_items(message, 6)
        # Now that it has said something, it has the time of an exchange.
        self.deadline = now + self._config.stream_timeout
        number = whole(code, _PURPOSE_LIMIT)
        # A later version may have further purposes; a repair leaves out nothing that differs.
        purpose = _PURPOSES[number] if number < len(_PURPOSES) else "repair"
        fingerprints = parse_fingerprints(buckets)
        if owners is not None:
            self.owners = [owner_name(owner) for owner in array(owners)]
        their_root = blob(root, ROOT_SIZE)
        retry = self._hub.enter(self.address[0], now)
        if retry is not None:
            self._put([BUSY, retry])
            self.fail("busy ourselves", now)
            return
        self.has_place = True
        self.state = State.SERVING
        self._parts.rumors = _RUMORS[purpose]
        theirs = parse_heads(self._within_limit(heads, 3)) if heads is not None else None
        members_differ = purpose != "fetch" and their_root[:8] != self._root.digest[:8]
        if members_differ or purpose in ("join", "heal"):
            self._members.send(now)
        self._members.answer()
        if theirs is not None:
            self._compare(theirs, None)
            self._say_done()
        elif fingerprints is not None:
            self._put([HEADS, *self._heads.differing(fingerprints)])

    def _on_busy(self, message: list[object], now: float) -> None:
        _, ms = known_items(message, 2)
        self.retry_after = max(whole(ms, _BUSY_LIMIT), _BUSY_LEAST) / 1000
        self.fail("busy", now)

    def _on_heads(self, message: list[object], now: float) -> None:
        _, mask, flat = known_items(message, 3)
        self._compare(parse_heads(self._within_limit(flat, 3)), parse_mask(mask))
        self._say_done()
        self.state = State.ANSWERED

    def _compare(self, theirs: Heads, mask: int | None) -> None:
        """Ask for what is newer there, give what is newer here."""
        wants, gives = self._heads.compare(theirs, mask, self.owners)
        self._parts.want(wants)
        self._parts.give(gives)

    # What comes and goes

    def _on_members(self, message: list[object], now: float) -> None:
        _, updates, ages = known_items(message, 3)
        assert self.peer is not None
        items = self._within_limit(updates)
        self._members.hear(items, array(ages), self.peer, now, silently=self._newcomer)
        self._on_answer()

    def _on_want(self, message: list[object], now: float) -> None:
        _, flat = known_items(message, 2)
        wants = parse_heads(self._within_limit(flat, 3))
        self._parts.give((owner, *wants[owner]) for owner in wants)
        self._on_answer()

    def _on_parts(self, message: list[object], now: float) -> None:
        _, entries = known_items(message, 2)
        assert self.peer is not None
        for entry in self._within_limit(entries):
            self._parts.take(blob(entry, FRAME_LIMIT), self.peer, now)
        self._on_answer()

    def _on_answer(self) -> None:
        if self.state is State.ASKED_BY_HEADS:
            self.state = State.ANSWERED

    # Ending

    def _on_farewell(self, _message: list[object], now: float) -> None:
        """The initiator has found that the two have one name."""
        self._meet(self._opener, now)
        self.fail("nothing was asked for", now)

    def _on_done(self, _message: list[object], now: float) -> None:
        if self._own_untold and not self._knowledge.own.resumed:
            self._parts.give([(self._me.name, 0, 0)])
        self._say_done()
        self._finish(now)

    def _say_done(self) -> None:
        if not self._said_done:
            self._said_done = True
            self._put([DONE])

    def _closed(self, reason: str | None, now: float) -> None:
        self._hub.closed(self, reason, now)


# ANOTHER comes at any time: the other peer can begin a new epoch meanwhile.
_Step = Callable[[SyncExchange, list[object], float], None]
_AT_ANY_TIME: dict[int, _Step] = {ANOTHER: SyncExchange._on_another}
_WHAT_DIFFERS: dict[int, _Step] = {
    **_AT_ANY_TIME,
    MEMBERS: SyncExchange._on_members,
    WANT: SyncExchange._on_want,
    PARTS: SyncExchange._on_parts,
    DONE: SyncExchange._on_done,
}
_STEPS: dict[State, dict[int, _Step]] = {
    State.OPENED: {
        **_AT_ANY_TIME,
        HELLO: SyncExchange._on_hello,
        EPOCH_REFUSED: SyncExchange._on_epoch_refused,
    },
    State.ASKED_BY_HEADS: {**_WHAT_DIFFERS, BUSY: SyncExchange._on_busy},
    State.ASKED_BY_BUCKETS: {
        **_AT_ANY_TIME,
        BUSY: SyncExchange._on_busy,
        MEMBERS: SyncExchange._on_members,
        HEADS: SyncExchange._on_heads,
        DONE: SyncExchange._on_done,
    },
    State.ANSWERED: _WHAT_DIFFERS,
    State.ACCEPTED: {
        **_AT_ANY_TIME,
        PROBE: SyncExchange._on_probe,
        OPEN: SyncExchange._on_open,
    },
    State.GREETED: {
        **_AT_ANY_TIME,
        ASK: SyncExchange._on_ask,
        DONE: SyncExchange._on_farewell,
    },
    State.SERVING: _WHAT_DIFFERS,
}
