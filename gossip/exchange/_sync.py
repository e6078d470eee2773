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

The table at the end of this file says which frames may come in which state; any other frame ends
the conversation.
Each entry and each member is checked by itself.
OPEN can be a recording, so before ASK the responder believes nothing and does almost nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar

from gossamer.gossip.basis import Malformed, blob
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import FRAME_LIMIT, Context, Exchange, Purpose, probe_answer
from gossamer.gossip.membership import Membership
from gossamer.gossip.messages import (
    Another,
    Ask,
    Busy,
    Done,
    EpochRefused,
    Frame,
    Heads,
    Hello,
    Members,
    Open,
    Parts,
    Probe,
    Want,
)
from gossamer.gossip.replication import OwnPart, Replicas
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import Address, Member, decode_member_update

from ._heads import HeadComparison, HeadTable, parse_heads
from ._member_exchange import MemberExchange
from ._part_exchange import PartExchange

T = TypeVar("T")

# A peer passes on so many of the parts from one exchange as rumors. The others mostly know the
# changes that a repair finds, and then a few rumors cost little. After a cut that was too short for
# a member to be declared dead they do not know them, and exchanges alone would take seconds.
_RUMORS: dict[Purpose, int] = {"join": 256, "heal": 256, "repair": 16, "fetch": 0}
_OPENING = 2.0
_BUSY_LEAST = 50
# A frame that is not understood counts for one item, and one more for so many bytes beyond the
# first ones: its smallest items cost as much to read as those of a frame that is.
_ITEM_BYTES = 16
_FREE_BYTES = 256
_PURPOSES: tuple[Purpose, ...] = ("join", "heal", "repair", "fetch")


class State(Enum):
    """The state of an exchange: four states of the initiator, then three of the responder."""

    OPENED = "this side has sent OPEN, and awaits HELLO"
    ASKED_BY_HEADS = "this side has asked with its heads, and awaits an answer"
    ASKED_BY_BUCKETS = "this side has asked with fingerprints, and awaits HEADS"
    ANSWERED = "the heads are compared; what differs comes and goes"
    ACCEPTED = "nothing was heard yet"
    GREETED = "this side has sent HELLO, and awaits ASK"
    SERVING = "this side has answered ASK; what differs comes and goes"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The parts of the core that an exchange reads and changes."""

    spread: Spread
    membership: Membership
    own: OwnPart
    replicas: Replicas


class Hub(Protocol):
    """Bounds the exchanges of one peer."""

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange.

        If there is none, returns after how many milliseconds the initiator can come back.
        """

    def closed(self, exchange: "SyncExchange", reason: str | None, now: float) -> None:
        """Note that an exchange has ended."""


class SyncExchange(Exchange):
    """One exchange of state; this peer is the responder if the purpose is `inbound`."""

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
        """The member to which this exchange was opened; empty if only an address was known."""
        self.peer: str | None = None
        """The name of the other peer, as soon as this side believes it."""
        self.owners = owners
        """The owners whose parts are compared; None for all."""
        self.retry_after: float | None = None
        """If the other side was busy: after so many seconds this peer can ask it again."""
        self.has_place = False
        self.brought = 0
        """The number of items that the other side has sent."""
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
        # The update in OPEN, which the other side gave about itself.
        self._opener = b""
        if purpose == "inbound":
            self._newcomer = False
            self.state = State.ACCEPTED
        else:
            # A newcomer passes nothing on, because all others know what it learns.
            self._newcomer = context.table.living < 2
            self._parts.rumors = 0 if self._newcomer else _RUMORS[purpose]
            self.state = State.OPENED
            self._put(Open(self._me.update().encode()))

    def receive(self, frame: bytes, now: float) -> None:
        """Handle one frame, and pass its updates on at once."""
        super().receive(frame, now)
        self._knowledge.spread.flush_if_due(now)

    def _handle(self, frame: Frame, now: float) -> None:
        step = _STEPS[self.state].get(type(frame))
        if step is None:
            raise Malformed(f"{type(frame).__name__} came while {self.state.value}")
        step(self, frame, now)

    def _ignore(self, size: int) -> None:
        self.brought += max(0, size - _FREE_BYTES) // _ITEM_BYTES
        self._within_limit([])
        super()._ignore(size)

    def _within_limit(self, items: list[T], each: int = 1) -> list[T]:
        """Return the items; raises `Refused` if the other side has sent too many.

        A frame counts as at least one item, so that empty frames cannot come without end.
        """
        self.brought += max(1, len(items) // each)
        if self.brought > self._config.exchange_items:
            raise Refused("items")
        return items

    # Meeting

    def _on_another(self, _frame: Another, now: float) -> None:
        self.fail("another peer is there", now)

    def _on_probe(self, frame: Probe, now: float) -> None:
        self._put(probe_answer(self._me.name, frame))
        self._finish(now)

    def _on_open(self, frame: Open, now: float) -> None:
        self._opener = frame.me
        update = decode_member_update(self._opener)
        self._to_epoch = update.epoch
        if not self._epochs.plausible(update.epoch, now):
            self._put(EpochRefused())
            self.fail("its epoch is not believed", now)
            return
        self.state = State.GREETED
        # HELLO and ASK take a round trip, as the opening did.
        self.deadline = max(self.deadline, now + min(_OPENING, self._config.stream_timeout))
        # This answers a peer of any name: an initiator that reached itself learns it from HELLO.
        self._put(Hello(self._me.update().encode()))

    def _on_epoch_refused(self, _frame: EpochRefused, now: float) -> None:
        self._counters.add("refused_by_others")
        self.fail("our epoch is not believed: compare the clocks", now)

    def _on_hello(self, frame: Hello, now: float) -> None:
        if self._meet(frame.me, now):
            self._ask()
            self._members.answer()
        else:
            self._put(Done())  # with this the other side believes who is here
            self.fail("the peer there has our name", now)

    def _meet(self, me: bytes, now: float) -> bool:
        """Believe the other side's update about itself; False if it has this peer's name."""
        update = decode_member_update(me)
        if update.name == self._me.name:
            if update.nonce == self._me.nonce:
                self._signals.met_self(self.address, now)
            else:
                self._knowledge.membership.hear(update, me, update.name, "direct", now)
            return False
        self.peer = update.name
        self._to_epoch = update.epoch
        if self._newcomer:
            # A newcomer whose clock is far behind believes the epochs of the mesh that it joins.
            self._epochs.believe(update.epoch, now)
        self._knowledge.membership.hear(update, me, update.name, "direct", now)
        self._members.note_obituary(update)
        return True

    # The question and its answer

    def _ask(self) -> None:
        replicas = self._knowledge.replicas
        heads: list[object] | None = None
        fingerprints: bytes | None = None
        if self.owners is not None or self._heads.are_few:
            names = self.owners
            if self._newcomer and not self._knowledge.own.resumed and names is None:
                # If our head were among them, the responder would see that our part is newer, and
                # would not send us the part of our earlier life.
                self._own_untold = True
                names = [name for name in replicas.known if name != self._me.name]
            heads = replicas.heads(names)
            self.state = State.ASKED_BY_HEADS
        else:
            fingerprints = self._heads.fingerprints
            self.state = State.ASKED_BY_BUCKETS
        code = _PURPOSES.index(self.purpose)
        self._put(Ask(code, self._root.digest, self.owners, heads, fingerprints))

    def _on_ask(self, frame: Ask, now: float) -> None:
        if not self._meet(self._opener, now):
            self.fail("the peer there has our name", now)
            return
        # ASK cannot be a recording, so the other side now gets the time of a whole exchange.
        self.deadline = now + self._config.stream_timeout
        # A later version may have other purposes. They count as a repair, which omits nothing that
        # differs.
        purpose = _PURPOSES[frame.purpose] if frame.purpose < len(_PURPOSES) else "repair"
        self.owners = frame.owners
        if frame.owners is not None:
            self.owners = list(dict.fromkeys(self._within_limit(frame.owners)))
        retry = self._hub.enter(self.address[0], now)
        if retry is not None:
            self._put(Busy(retry))
            self.fail("busy ourselves", now)
            return
        self.has_place = True
        self.state = State.SERVING
        self._parts.rumors = _RUMORS[purpose]
        theirs = None
        if frame.heads is not None:
            theirs = parse_heads(self._within_limit(frame.heads, 3))
        members_differ = purpose != "fetch" and frame.root[:8] != self._root.digest[:8]
        if members_differ or purpose in ("join", "heal"):
            self._members.send(now)
        self._members.answer()
        if theirs is not None:
            self._compare(theirs, None)
            self._say_done()
        elif frame.fingerprints is not None:
            self._put(self._heads.differing(frame.fingerprints))

    def _on_busy(self, frame: Busy, now: float) -> None:
        self.retry_after = max(frame.ms, _BUSY_LEAST) / 1000
        self.fail("busy", now)

    def _on_heads(self, frame: Heads, now: float) -> None:
        mask = None if frame.mask is None else int.from_bytes(frame.mask)
        self._compare(parse_heads(self._within_limit(frame.heads, 3)), mask)
        self._say_done()
        self.state = State.ANSWERED

    def _compare(self, theirs: HeadTable, mask: int | None) -> None:
        """Ask for the parts that are newer there, and send those that are newer here."""
        wants, gives = self._heads.compare(theirs, mask, self.owners)
        self._parts.want(wants)
        self._parts.give(gives)

    # The state itself

    def _on_members(self, frame: Members, now: float) -> None:
        assert self.peer is not None
        self._within_limit(frame.updates)
        self._members.hear(frame, self.peer, now, silently=self._newcomer)
        self._on_answer()

    def _on_want(self, frame: Want, now: float) -> None:
        wants = parse_heads(self._within_limit(frame.heads, 3))
        self._parts.give((owner, *wants[owner]) for owner in wants)
        self._on_answer()

    def _on_parts(self, frame: Parts, now: float) -> None:
        assert self.peer is not None
        for entry in self._within_limit(frame.entries):
            self._parts.take(blob(entry, FRAME_LIMIT), self.peer, now)
        self._on_answer()

    def _on_answer(self) -> None:
        if self.state is State.ASKED_BY_HEADS:
            self.state = State.ANSWERED

    # Ending

    def _on_farewell(self, _frame: Done, now: float) -> None:
        """Handle DONE in place of ASK: the initiator saw that both peers have one name."""
        self._meet(self._opener, now)
        self.fail("nothing was asked for", now)

    def _on_done(self, _frame: Done, now: float) -> None:
        if self._own_untold and not self._knowledge.own.resumed:
            self._parts.give([(self._me.name, 0, 0)])
        self._say_done()
        self._finish(now)

    def _say_done(self) -> None:
        if not self._said_done:
            self._said_done = True
            self._put(Done())

    def _closed(self, reason: str | None, now: float) -> None:
        self._hub.closed(self, reason, now)


# ANOTHER may come at any time, because the other peer can begin a new epoch during an exchange.
_Step = Callable[[SyncExchange, Any, float], None]  # the frame has the type of the entry
_AT_ANY_TIME: dict[type[Frame], _Step] = {Another: SyncExchange._on_another}
_WHAT_DIFFERS: dict[type[Frame], _Step] = {
    **_AT_ANY_TIME,
    Members: SyncExchange._on_members,
    Want: SyncExchange._on_want,
    Parts: SyncExchange._on_parts,
    Done: SyncExchange._on_done,
}
_STEPS: dict[State, dict[type[Frame], _Step]] = {
    State.OPENED: {
        **_AT_ANY_TIME,
        Hello: SyncExchange._on_hello,
        EpochRefused: SyncExchange._on_epoch_refused,
    },
    State.ASKED_BY_HEADS: {**_WHAT_DIFFERS, Busy: SyncExchange._on_busy},
    State.ASKED_BY_BUCKETS: {
        **_AT_ANY_TIME,
        Busy: SyncExchange._on_busy,
        Members: SyncExchange._on_members,
        Heads: SyncExchange._on_heads,
        Done: SyncExchange._on_done,
    },
    State.ANSWERED: _WHAT_DIFFERS,
    State.ACCEPTED: {
        **_AT_ANY_TIME,
        Probe: SyncExchange._on_probe,
        Open: SyncExchange._on_open,
    },
    State.GREETED: {
        **_AT_ANY_TIME,
        Ask: SyncExchange._on_ask,
        Done: SyncExchange._on_farewell,
    },
    State.SERVING: _WHAT_DIFFERS,
}
