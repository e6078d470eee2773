"""Judging updates about members: suspicion, death, departure, return.

An update that comes by rumor is taken as it is ranked (see the member table).
An update that comes in an exchange is hearsay of unknown age: a death in it is only a suspicion, so
that the peer concerned can speak up, and it confirms nobody else's suspicion.
Many accusations at a time are doubted first (_doubts.py).
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
    MemberUpdated,
    News,
    Status,
    encoded_news,
    news_of,
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

    def hear(self, news: News, payload: bytes, teller: str, source: Source, now: float) -> Outcome:
        """Take an update told by `teller`; return what it did to the table."""
        me = self._me
        if news.name == me.name:
            self._own_life.hear(news, now)
            return Outcome.UNCHANGED
        row = self._table.rows.get(news.name)
        if row is None:
            return self._refusal(news, now) or self._meet(news, payload, teller, now)
        if row.encoded == payload:
            return Outcome.UNCHANGED
        if news.epoch != row.epoch:
            refusal = self._refusal(news, now)
            if refusal is not None:
                return refusal
        elif news.incarnation > min(row.incarnation + INCARNATION_JUMP, INCARNATION_LIMIT - 1):
            self._counters.add("refused_incarnation")
            return Outcome.UNCHANGED
        elif news.nonce != row.nonce and news.status is Status.ALIVE:
            # Two processes with one name and epoch: the one that we know stays.
            self._counters.add("refused_nonce")
            return Outcome.UNCHANGED
        if source == "exchange" and news.status is Status.DEAD:
            news = replace(news, status=Status.SUSPECT, accuser=teller, definite=False)
            payload = news.encode()
        if not news.outranks(row):
            if news.status is Status.SUSPECT and source == "rumor" and news.rank == row.rank:
                self.suspicions.confirm(row.name, news.accuser, payload, now)
            return Outcome.UNCHANGED
        self._turn(row, news, payload, teller, now)
        return Outcome.CHANGED

    def hear_table(self, table: Iterable[tuple[News, bytes, int]], teller: str, now: float) -> None:
        """Take the updates about many members that came in an exchange with `teller`.

        Each comes with the seconds since the member was gone for the teller.
        """
        accusations: list[News] = []
        for news, payload, age in table:
            if self._doubts.concerns(news):
                accusations.append(news)
            elif not news.status.living and news.name not in self._table.rows:
                self._meet_gone(news, payload, teller, age, now)
            else:
                self.hear(news, payload, teller, "exchange", now)
        self._doubts.hear(accusations, teller, now)

    def _suspect_by_hearsay(self, news: News, teller: str, now: float) -> None:
        self.hear(news, news.encode(), teller, "exchange", now)

    def accuse(self, name: str, now: float) -> None:
        """Suspect a member because a probe of ours went unanswered."""
        row = self._table.get(name)
        if row is None or not row.status.living:
            return
        news = replace(news_of(row, self._me.name), status=Status.SUSPECT)
        payload = news.encode()
        if row.status is Status.SUSPECT:
            self.suspicions.confirm(row.name, news.accuser, payload, now)
        else:
            self._turn(row, news, payload, "", now)

    def declare_dead(self, name: str, epoch: int, now: float) -> None:
        """Declare a life of a member dead at once: there is evidence (_evidence.py)."""
        row = self._table.get(name)
        if row is None or not row.status.living or row.epoch != epoch:
            return
        dead = replace(news_of(row, self._me.name), status=Status.DEAD, definite=True)
        self._turn(row, dead, dead.encode(), "", now)

    def _end_suspect(self, name: str, accuser: str, now: float) -> None:
        """Declare a suspect dead: its time is over."""
        news = replace(news_of(self._table.rows[name], accuser), status=Status.DEAD)
        self._turn(self._table.rows[name], news, news.encode(), "", now)

    def describe(self, row: Member) -> bytes:
        """Return the update that a row stands for."""
        return self.accusation(row) or encoded_news(row)

    def accusation(self, row: Member) -> bytes | None:
        """Return the update that tells a member its own status here; None if it is alive."""
        if row.status is Status.ALIVE:
            return None
        return news_of(row, self.suspicions.accuser(row.name)).encode()

    def obituary(self, news: News) -> bytes | None:
        """Return the answer to an update about a life that was forgotten here; None if it was not.

        A peer that hears that its epoch is over begins a new one, which all believe; were the old
        one believed again by those who hear the peer itself, the others would still refuse it.
        """
        last = self._graves.last_epoch(news.name)
        if news.epoch > last or not news.status.living:
            return None
        over = replace(news, epoch=last, status=Status.LEFT, accuser="")
        return over.encode()

    def table_news(self, now: float) -> list[tuple[bytes, int]]:
        """Return an update about this peer and each member, with the seconds since it was gone."""
        return [(self._me.news().encode(), 0)] + [
            (encoded_news(row), 0 if row.status.living else max(0, int(now - row.since)))
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

    def _refusal(self, news: News, now: float) -> Outcome | None:
        """Return how an update about an unknown life is refused; None if it is believed."""
        if not self._epochs.plausible(news.epoch, now):
            self._counters.add("refused_epoch_ahead")
            return Outcome.DECLINED
        if news.incarnation > INCARNATION_JUMP:
            self._counters.add("refused_incarnation")
            return Outcome.UNCHANGED
        if news.epoch <= self._graves.last_epoch(news.name):
            self._counters.add("refused_tombstone")
            return Outcome.UNCHANGED
        return None

    def _meet_gone(self, news: News, payload: bytes, teller: str, age: int, now: float) -> None:
        """Keep a member that was gone before this peer heard of it, for as long as others do."""
        config = self._config
        if news.name == self._me.name:
            self._own_life.hear(news, now)
        elif age < (config.left_for if news.status is Status.LEFT else config.dead_for):
            self.hear(news, payload, teller, "exchange", now)
            row = self._table.get(news.name)
            if row is not None and not row.status.living:
                row.since = now - age

    def _meet(self, news: News, payload: bytes, teller: str, now: float) -> Outcome:
        if len(self._table) >= self._config.member_limit:
            self._counters.add("refused_members")
            return Outcome.DECLINED
        row = self._put(news, payload, now)
        if news.status is Status.SUSPECT:
            self.suspicions.begin(row, news.accuser, now)
        if row.status.living:
            self._planner.add(row.name)
            self._events.append(MemberJoined(row))
        self._tell_all(news, payload, teller, now)
        return Outcome.CHANGED

    def _turn(self, row: Member, news: News, payload: bytes, teller: str, now: float) -> None:
        """Write an update that outranks the row, with all that follows from the change."""
        before, epoch, address, zone = row.status, row.epoch, row.address, row.zone
        self.suspicions.end(row.name)
        self._put(news, payload, now)
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
                self.suspicions.begin(row, news.accuser, now)
        else:
            self._planner.remove(row.name)
            if status is Status.LEFT:
                events.append(MemberLeft(row))
            elif before.living:
                events.append(MemberFailed(row, news.accuser, news.definite))
        self._tell_all(news, payload, teller, now)

    def _put(self, news: News, payload: bytes, now: float) -> Member:
        """Write an update into the table; a suspicion leaves the root, and its age, as they are."""
        table = self._table
        before = table.root
        row = table.put(news, now)
        if news.status is Status.ALIVE:
            row.encoded = payload
        if table.root != before:
            self._root.changed_at = now
        return row

    def _tell_all(self, news: News, payload: bytes, teller: str, now: float) -> None:
        origin = news.accuser or news.name
        accused = news.status in (Status.SUSPECT, Status.DEAD)
        urgent = not accused or news.definite or self.suspicions.are_few
        # A root tells who lives, not how the others ended.
        rooted = news.status in (Status.ALIVE, Status.DEAD)
        self._spread.tell(
            MEMBERSHIP, news.name, payload, origin, teller, now, urgent=urgent, rooted=rooted
        )
