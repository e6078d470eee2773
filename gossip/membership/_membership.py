"""Merges updates about members: suspicion, death, departure, return.

An update that comes as a rumor is merged by its rank (see the member table).
An update in an exchange is hearsay of unknown age.  A death in it counts as a suspicion, so that
the member can refute, and it does not confirm the suspicion of another peer.
Many accusations at once are doubts first (_doubts.py).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal

from gossamer.gossip.basis import Metric, measured
from gossamer.gossip.dissemination import MEMBERSHIP, Spread
from gossamer.gossip.kernel import Context, Outcome
from gossamer.gossip.state import (
    INCARNATION_JUMP,
    INCARNATION_LIMIT,
    Member,
    MemberFailed,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberUpdate,
    MemberUpdated,
    Status,
    encoded_update,
    update_about,
)

from ._doubts import Doubts
from ._graves import Graves
from ._own_life import OwnLife
from ._planner import ProbePlanner
from ._statistics import MEMBERS
from ._suspicions import Suspicions

Source = Literal["rumor", "exchange", "direct"]


class Membership:
    """Keeps the member table as updates come in."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        planner: ProbePlanner,
        own_life: OwnLife,
        *,
        left_by: Callable[[str], int],
    ) -> None:
        """`left_by` returns the last epoch of which an absent owner left a part, or -1."""
        self._config = context.config
        self._me = context.me
        self._table = context.table
        self._root = context.root
        self._epochs = context.epochs
        self._signals = context.signals
        self._counters = context.counters
        self._events = context.events
        self._spread = spread
        self._planner = planner
        self._own_life = own_life
        self.suspicions = Suspicions(context, spread, planner, time_is_over=self._end_suspect)
        self._graves = Graves(context, left_by=left_by)
        self._doubts = Doubts(context, spread, self._suspect_by_hearsay)

    def hear(
        self, update: MemberUpdate, payload: bytes, teller: str, source: Source, now: float
    ) -> Outcome:
        """Take an update told by `teller`; return what it did to the table."""
        me = self._me
        if update.name == me.name:
            self._own_life.hear(update, now)
            return Outcome.UNCHANGED
        row = self._table.rows.get(update.name)
        if row is None:
            return self._refusal(update, now) or self._meet(update, payload, teller, now)
        if row.encoded == payload:
            return Outcome.UNCHANGED
        if update.epoch != row.epoch:
            refusal = self._refusal(update, now)
            if refusal is not None:
                return refusal
        elif update.incarnation > min(row.incarnation + INCARNATION_JUMP, INCARNATION_LIMIT - 1):
            self._counters.add("refused_incarnation")
            return Outcome.UNCHANGED
        elif update.nonce != row.nonce and update.status is Status.ALIVE:
            # Two processes with one name and epoch: the one that we know stays.
            self._counters.add("refused_nonce")
            return Outcome.UNCHANGED
        if source == "exchange" and update.status is Status.DEAD:
            update = replace(update, status=Status.SUSPECT, accuser=teller, definite=False)
            payload = update.encode()
        if not update.outranks(row):
            if update.status is Status.SUSPECT and source == "rumor" and update.rank == row.rank:
                self.suspicions.confirm(row.name, update.accuser, payload, now)
            return Outcome.UNCHANGED
        self._turn(row, update, payload, teller, now)
        return Outcome.CHANGED

    def hear_table(
        self, table: Iterable[tuple[MemberUpdate, bytes, int]], teller: str, now: float
    ) -> None:
        """Take the updates about many members that came in an exchange with `teller`.

        Each comes with the seconds since the member was gone for the teller.
        """
        accusations: list[MemberUpdate] = []
        for update, payload, age in table:
            if self._doubts.concerns(update):
                accusations.append(update)
            elif not update.status.living and update.name not in self._table.rows:
                self._meet_gone(update, payload, teller, age, now)
            else:
                self.hear(update, payload, teller, "exchange", now)
        self._doubts.hear(accusations, teller, now)

    def _suspect_by_hearsay(self, update: MemberUpdate, teller: str, now: float) -> None:
        self.hear(update, update.encode(), teller, "exchange", now)

    def accuse(self, name: str, now: float) -> None:
        """Suspect a member because a probe of ours went unanswered."""
        row = self._table.get(name)
        if row is None or not row.status.living:
            return
        update = replace(update_about(row, self._me.name), status=Status.SUSPECT)
        payload = update.encode()
        if row.status is Status.SUSPECT:
            self.suspicions.confirm(row.name, update.accuser, payload, now)
        else:
            self._turn(row, update, payload, "", now)

    def declare_dead(self, name: str, epoch: int, now: float) -> None:
        """Declare a life of a member dead at once: there is evidence (_evidence.py)."""
        row = self._table.get(name)
        if row is None or not row.status.living or row.epoch != epoch:
            return
        dead = replace(update_about(row, self._me.name), status=Status.DEAD, definite=True)
        self._turn(row, dead, dead.encode(), "", now)

    def _end_suspect(self, name: str, accuser: str, now: float) -> None:
        """Declare a suspect dead: its time is over."""
        update = replace(update_about(self._table.rows[name], accuser), status=Status.DEAD)
        self._turn(self._table.rows[name], update, update.encode(), "", now)

    def describe(self, row: Member) -> bytes:
        """Return the update that a row stands for."""
        return self.accusation(row) or encoded_update(row)

    def accusation(self, row: Member) -> bytes | None:
        """Return the update that tells a member its own status here; None if it is alive."""
        if row.status is Status.ALIVE:
            return None
        return update_about(row, self.suspicions.accuser(row.name)).encode()

    def obituary(self, update: MemberUpdate) -> bytes | None:
        """Return the answer to an update about a life that was forgotten here; None if it was not.

        A peer that hears that its epoch is over begins a new one, which all believe; were the old
        one believed again by those who hear the peer itself, the others would still refuse it.
        """
        last = self._graves.last_epoch(update.name)
        if update.epoch > last or not update.status.living:
            return None
        over = replace(update, epoch=last, status=Status.LEFT, accuser="")
        return over.encode()

    def table_updates(self, now: float) -> list[tuple[bytes, int]]:
        """Return an update about this peer and each member, with the seconds since it was gone."""
        return [(self._me.update().encode(), 0)] + [
            (encoded_update(row), 0 if row.status.living else max(0, int(now - row.since)))
            for row in self._table
        ]

    def reap(self, now: float) -> None:
        """Forget members that are gone for long, and in the end their tombstones."""
        self._own_life.forget_conflict(now)
        self._graves.reap(now)

    def metrics(self) -> Iterator[Metric]:
        """Return how many members there are by status, and how much is kept of them."""
        by_status = Counter(row.status for row in self._table)
        own = Status.LEFT if self._me.left else Status.ALIVE
        by_status[own] += 1
        return measured(
            MEMBERS,
            {
                **{f"members_{status.label}": by_status[status] for status in Status},
                "suspicions": len(self.suspicions),
                "doubts": len(self._doubts),
                "member_tombstones": len(self._graves),
            },
        )

    def _refusal(self, update: MemberUpdate, now: float) -> Outcome | None:
        """Return how an update about an unknown life is refused; None if it is believed."""
        if not self._epochs.plausible(update.epoch, now):
            self._counters.add("refused_epoch_ahead")
            return Outcome.DECLINED
        if update.incarnation > INCARNATION_JUMP:
            self._counters.add("refused_incarnation")
            return Outcome.UNCHANGED
        if update.epoch <= self._graves.last_epoch(update.name):
            self._counters.add("refused_tombstone")
            return Outcome.UNCHANGED
        return None

    def _meet_gone(
        self, update: MemberUpdate, payload: bytes, teller: str, age: int, now: float
    ) -> None:
        """Keep a member that was gone before this peer heard of it, for as long as others do."""
        config = self._config
        if update.name == self._me.name:
            self._own_life.hear(update, now)
        elif age < (config.left_for if update.status is Status.LEFT else config.dead_for):
            self.hear(update, payload, teller, "exchange", now)
            row = self._table.get(update.name)
            if row is not None and not row.status.living:
                row.since = now - age

    def _meet(self, update: MemberUpdate, payload: bytes, teller: str, now: float) -> Outcome:
        if len(self._table) >= self._config.member_limit:
            self._counters.add("refused_members")
            return Outcome.DECLINED
        row = self._put(update, payload, now)
        if update.status is Status.SUSPECT:
            self.suspicions.begin(row, update.accuser, now)
        if row.status.living:
            self._planner.add(row.name)
            self._events.append(MemberJoined(row))
        self._tell_all(update, payload, teller, now)
        return Outcome.CHANGED

    def _turn(
        self, row: Member, update: MemberUpdate, payload: bytes, teller: str, now: float
    ) -> None:
        """Write an update that outranks the row, with all that follows from the change."""
        before, epoch, address, zone = row.status, row.epoch, row.address, row.zone
        self.suspicions.end(row.name)
        self._put(update, payload, now)
        status, events = row.status, self._events
        if status.living:
            if not before.living or row.epoch != epoch:
                self._planner.add(row.name)
                if before is Status.DEAD:
                    self._signals.member_returned(now)
                events.append(MemberReturned(row))
            elif status is Status.SUSPECT:
                pass
            elif before is Status.SUSPECT:
                events.append(MemberReturned(row))
            elif row.address != address or row.zone != zone:
                events.append(MemberUpdated(row))
            if status is Status.SUSPECT:
                self.suspicions.begin(row, update.accuser, now)
        else:
            self._planner.remove(row.name)
            if status is Status.LEFT:
                events.append(MemberLeft(row))
            elif before.living:
                events.append(MemberFailed(row, update.accuser, update.definite))
        self._tell_all(update, payload, teller, now)

    def _put(self, update: MemberUpdate, payload: bytes, now: float) -> Member:
        """Write an update into the table; a suspicion leaves the root, and its age, as they are."""
        table = self._table
        before = table.root
        row = table.put(update, now)
        if update.status is Status.ALIVE:
            row.encoded = payload
        if table.root != before:
            self._root.changed_at = now
        return row

    def _tell_all(self, update: MemberUpdate, payload: bytes, teller: str, now: float) -> None:
        origin = update.accuser or update.name
        accused = update.status in (Status.SUSPECT, Status.DEAD)
        urgent = not accused or update.definite or self.suspicions.are_few
        # A root tells who lives, not how the others ended.
        rooted = update.status in (Status.ALIVE, Status.DEAD)
        self._spread.tell(
            MEMBERSHIP, update.name, payload, origin, teller, now, urgent=urgent, rooted=rooted
        )
