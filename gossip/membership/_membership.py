"""Judging news of members: suspicion, refutation, death, departure, return.

What comes by rumor is taken as it is ranked (_members.py).
What comes in an exchange is hearsay of unknown age: a death in it is only a suspicion, so that
the peer concerned can speak up, and it confirms nobody else's suspicion.
Many of them at a time are doubted first (_doubts.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Literal

from gossamer.gossip.basis import Timer
from gossamer.gossip.dissemination import MEMBERSHIP, Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    INCARNATION_JUMP,
    INCARNATION_LIMIT,
    EpochRaised,
    Member,
    MemberFailed,
    MemberForgotten,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberSuspected,
    MemberUpdated,
    NameConflict,
    News,
    Refuted,
    Status,
    encoded_news,
    news_of,
)

from ._doubts import Doubts
from ._planner import ProbePlanner
from ._suspicion import Suspicion, start_suspicion

Source = Literal["rumor", "exchange", "direct"]

# Dead members, and members that left, that are kept however short their time is.
_GONE_LIMIT = 4096
_TOMBSTONE_LIMIT = 20_000
# One suspicion is urgent.  Many at a time are a cut, or a slow network: none of them ends before
# many rounds have passed, and sent at once they would be a storm in a network that is ill already.
_URGENT_SUSPICIONS = 8
# A new epoch has the whole part fetched by everybody; what made it necessary is said again.
_RAISE_INTERVAL = 1.0
# Whoever knows one of two processes with a name passes on nothing of the other, so they hear of
# each other seldom; after so many periods without a word the other is taken to be gone.
_CONFLICT_PERIODS = 300


class Membership:
    """Keeps the member table as news come in, and answers news of this peer itself."""

    def __init__(self, context: Context, spread: Spread, planner: ProbePlanner) -> None:
        self._context = context
        self._spread = spread
        self._planner = planner
        self._suspicions: dict[str, tuple[Suspicion, Timer]] = {}
        self._doubts = Doubts(context, spread, self._suspect_by_hearsay)
        # Name to (last epoch, when forgotten): news of such a life are not believed any more.
        self._tombstones: dict[str, tuple[int, float]] = {}
        self.conflict: str | None = None
        self._conflict_at = float("-inf")
        self._announced_at = float("-inf")
        self._raised_at = float("-inf")
        self.on_epoch_raised: Callable[[float], None] = lambda now: None
        self.on_return: Callable[[float], None] = lambda now: None
        self.left_by: Callable[[str], int] = lambda name: -1

    # News of others

    def hear(self, news: News, payload: bytes, teller: str, source: Source, now: float) -> bool:
        """Take a piece of news told by `teller`; return whether it changed the table."""
        me = self._context.me
        if news.name == me.name:
            self._hear_of_self(news, now)
            return False
        row = self._context.table.rows.get(news.name)
        if row is None:
            return self._plausible(news, now) and self._meet(news, payload, teller, now)
        if row.encoded == payload:
            return False
        if news.epoch != row.epoch:
            if not self._plausible(news, now):
                return False
        elif news.incarnation > min(row.incarnation + INCARNATION_JUMP, INCARNATION_LIMIT - 1):
            self._context.count("refused_incarnation")
            return False
        elif news.nonce != row.nonce and news.status is Status.ALIVE:
            # Two processes with one name and epoch: the one that we know stays.
            self._context.count("refused_nonce")
            return False
        if source == "exchange" and news.status is Status.DEAD:
            news = replace(news, status=Status.SUSPECT, accuser=teller, definite=False)
            payload = news.encode()
        if not news.outranks(row):
            if news.status is Status.SUSPECT and source == "rumor" and news.rank == row.rank:
                self._confirm(row, news.accuser, payload, now)
            return False
        self._turn(row, news, payload, teller, now)
        return True

    def hear_table(self, table: Iterable[tuple[News, bytes, int]], teller: str, now: float) -> None:
        """Take the news of many members that came in an exchange with `teller`.

        Each with the seconds since the teller holds the member for gone.
        """
        accusations: list[News] = []
        for news, payload, age in table:
            if self._doubts.concerns(news):
                accusations.append(news)
            elif not news.status.living and news.name not in self._context.table.rows:
                self._meet_gone(news, payload, teller, age, now)
            else:
                self.hear(news, payload, teller, "exchange", now)
        self._doubts.take(accusations, teller, now)

    def _suspect_by_hearsay(self, news: News, teller: str, now: float) -> None:
        self.hear(news, news.encode(), teller, "exchange", now)

    def accuse(self, name: str, now: float) -> None:
        """Suspect a member because a probe of ours went unanswered."""
        row = self._context.table.get(name)
        if row is None or not row.status.living:
            return
        news = replace(news_of(row, self._context.me.name), status=Status.SUSPECT)
        payload = news.encode()
        if row.status is Status.SUSPECT:
            self._confirm(row, news.accuser, payload, now)
        else:
            self._turn(row, news, payload, "", now)

    def bury(self, name: str, epoch: int, now: float) -> None:
        """Hold a life of a member for dead at once: there is evidence (_evidence.py)."""
        row = self._context.table.get(name)
        if row is None or not row.status.living or row.epoch != epoch:
            return
        dead = replace(news_of(row, self._context.me.name), status=Status.DEAD, definite=True)
        self._turn(row, dead, dead.encode(), "", now)

    @property
    def suspects(self) -> list[str]:
        """The names of all suspects."""
        return list(self._suspicions)

    def describe(self, row: Member) -> bytes:
        """Return the news that a row stands for."""
        return self.accusation(row) or encoded_news(row)

    def accusation(self, row: Member) -> bytes | None:
        """Return the news that tell a member what is held of it; None if it is well."""
        if row.status is Status.ALIVE:
            return None
        accuser = ""
        if row.name in self._suspicions:
            accuser = self._suspicions[row.name][0].accusers[0]
        return news_of(row, accuser).encode()

    def obituary(self, news: News) -> bytes | None:
        """Return what is to be answered to news of a life that was forgotten here.

        A peer that hears that its epoch is over begins a new one, which all believe; were the old
        one believed again by those who hear the peer itself, the others would still refuse it.
        """
        last = self._last_epoch(news.name)
        if news.epoch > last or not news.status.living:
            return None
        over = replace(news, epoch=last, status=Status.LEFT, accuser="")
        return over.encode()

    def table_news(self, now: float) -> list[tuple[bytes, int]]:
        """Return news of this peer and every member, with the seconds since it was gone."""
        return [(self._context.me.news().encode(), 0)] + [
            (encoded_news(row), 0 if row.status.living else max(0, int(now - row.since)))
            for row in self._context.table
        ]

    def postpone(self, seconds: float, now: float) -> None:
        """Give all suspects so much more time: this peer was stopped and heard nobody."""
        for name, (suspicion, timer) in list(self._suspicions.items()):
            timer.cancel()
            suspicion.since += seconds
            self._arm(name, suspicion, now)

    def reap(self, now: float) -> None:
        """Forget members that are gone for long, and in the end their tombstones."""
        config = self._context.config
        table = self._context.table
        if now - self._conflict_at > _CONFLICT_PERIODS * config.probe_interval:
            self.conflict = None
        for names, kept_for in ((table.dead, config.dead_for), (table.left, config.left_for)):
            # Not in order of time: some were gone for long when this peer heard of them.
            for name in list(names):
                row = table.rows[name]
                if now - row.since >= kept_for or len(names) > _GONE_LIMIT:
                    self._forget(row, now)
        for name, (_, forgotten) in list(self._tombstones.items()):
            if now - forgotten < config.tombstone_for:
                break
            del self._tombstones[name]

    def statistics(self) -> dict[str, int]:
        """Return how much is kept."""
        return {
            "suspicions": len(self._suspicions),
            "doubts": len(self._doubts),
            "member_tombstones": len(self._tombstones),
        }

    def _plausible(self, news: News, now: float) -> bool:
        """Whether news of a life that is not known here are to be believed."""
        context = self._context
        if not context.plausible_epoch(news.epoch, now):
            context.decline("refused_epoch_ahead")
            return False
        if news.incarnation > INCARNATION_JUMP:
            context.count("refused_incarnation")
            return False
        if news.epoch <= self._last_epoch(news.name):
            context.count("refused_tombstone")
            return False
        return True

    def _last_epoch(self, name: str) -> int:
        """Return the last epoch of a member that was forgotten; -1 if nothing tells of one.

        A peer that never knew it may hold what it left: another process that begins with the same
        epoch would be taken for it, and what that one registers for what is held already.
        """
        grave = self._tombstones.get(name)
        if grave is not None:
            return grave[0]
        return -1 if name in self._context.table.rows else self.left_by(name)

    def _meet_gone(self, news: News, payload: bytes, teller: str, age: int, now: float) -> None:
        """Keep a member that was gone before this peer heard of it, as long as others do."""
        config = self._context.config
        if news.name == self._context.me.name:
            self._hear_of_self(news, now)
        elif age < (config.left_for if news.status is Status.LEFT else config.dead_for):
            self.hear(news, payload, teller, "exchange", now)
            row = self._context.table.get(news.name)
            if row is not None and not row.status.living:
                row.since = now - age

    def _meet(self, news: News, payload: bytes, teller: str, now: float) -> bool:
        if len(self._context.table) >= self._context.config.member_limit:
            self._context.decline("refused_members")
            return False
        row = self._put(news, payload, now)
        if news.status is Status.SUSPECT:
            self._suspect(row, news.accuser, now)
        if row.status.living:
            self._planner.add(row.name)
            self._context.events.append(MemberJoined(row))
        self._tell_all(news, payload, teller, now)
        return True

    def _turn(self, row: Member, news: News, payload: bytes, teller: str, now: float) -> None:
        """Write news that outrank the row, with all that follows from the change."""
        before, epoch, address, zone = row.status, row.epoch, row.address, row.zone
        self._end_suspicion(row.name)
        self._put(news, payload, now)
        status, events = row.status, self._context.events
        if status.living:
            if not before.living or row.epoch != epoch:
                self._planner.add(row.name)
                if before is Status.DEAD:
                    self.on_return(now)
                events.append(MemberReturned(row))
            elif status is Status.SUSPECT:
                pass
            elif before is Status.SUSPECT:
                events.append(MemberReturned(row))
            elif row.address != address or row.zone != zone:
                events.append(MemberUpdated(row))
            if status is Status.SUSPECT:
                self._suspect(row, news.accuser, now)
        else:
            self._planner.remove(row.name)
            if status is Status.LEFT:
                events.append(MemberLeft(row))
            elif before.living:
                events.append(MemberFailed(row, news.accuser, news.definite))
        self._tell_all(news, payload, teller, now)

    def _put(self, news: News, payload: bytes, now: float) -> Member:
        """Write news into the table; suspicions alone leave the root, and its age, as they are."""
        table = self._context.table
        before = table.root
        row = table.put(news, now)
        if news.status is Status.ALIVE:
            row.encoded = payload
        if table.root != before:
            self._context.changed_at = now
        return row

    def _suspect(self, row: Member, accuser: str, now: float) -> None:
        config = self._context.config
        members = self._context.table.living
        suspicion = start_suspicion(
            accuser,
            now,
            members=members,
            multiplier=config.suspicion_multiplier,
            longest=config.suspicion_max_multiplier,
            interval=config.probe_interval,
        )
        self._arm(row.name, suspicion, now)
        self._context.events.append(MemberSuspected(row, accuser))
        # A few of those who hear of it look for themselves at once: what takes a round of
        # probes otherwise is confirmed, or refuted, within one period. The probes per second
        # stay the same.
        if not config.witnesses or accuser == self._context.me.name:
            return
        witnesses = 2 * max(1, config.suspicion_multiplier - 2)
        if self._context.rng.random() * members < witnesses:
            self._planner.hasten(row.name)

    def _confirm(self, row: Member, accuser: str, payload: bytes, now: float) -> None:
        held = self._suspicions.get(row.name)
        if held is None or not accuser or not held[0].confirm(accuser):
            return
        suspicion, timer = held
        if suspicion.ends_at < timer.when:
            timer.cancel()
            self._arm(row.name, suspicion, now)
        key = _confirmation(row.name, accuser)
        urgent = len(self._suspicions) < _URGENT_SUSPICIONS
        self._spread.news(MEMBERSHIP, key, payload, accuser, "", now, urgent=urgent, rooted=False)

    def _arm(self, name: str, suspicion: Suspicion, now: float) -> None:
        # First for when it may end at the soonest: until then confirmations set no timer anew.
        # What shares an old suspicion can end it in the past: it ends now, as a timer that is found
        # long overdue would tell that this peer itself was stopped.
        when = suspicion.soonest if now < suspicion.soonest else max(suspicion.ends_at, now)
        timer = self._context.timers.at(when, partial(self._judge, name))
        self._suspicions[name] = suspicion, timer

    def _judge(self, name: str, now: float) -> None:
        """Declare a suspect dead, unless this peer is in no position to."""
        suspicion, _ = self._suspicions[name]
        if self._context.isolation.isolated and now >= suspicion.ends_at:
            suspicion.since = now + self._context.config.probe_interval - suspicion.lasts
        if now < suspicion.ends_at:
            self._arm(name, suspicion, now)
            return
        row = self._context.table.rows[name]
        # Under the first accuser's name, so that all whose time runs out say it in the same words.
        news = replace(news_of(row, suspicion.accusers[0]), status=Status.DEAD)
        self._turn(row, news, news.encode(), "", now)

    def _end_suspicion(self, name: str) -> None:
        held = self._suspicions.pop(name, None)
        if held is not None:
            suspicion, timer = held
            timer.cancel()
            # What follows the suspicion says more than who shared it.
            for accuser in suspicion.accusers[1:]:
                self._spread.discard(_confirmation(name, accuser))

    def _forget(self, row: Member, now: float) -> None:
        self._context.table.remove(row.name)
        self._tombstones.pop(row.name, None)
        self._tombstones[row.name] = row.epoch, now
        if len(self._tombstones) > _TOMBSTONE_LIMIT:
            del self._tombstones[next(iter(self._tombstones))]
        self._context.events.append(MemberForgotten(row.name))

    def _tell_all(self, news: News, payload: bytes, teller: str, now: float) -> None:
        origin = news.accuser or news.name
        accused = news.status in (Status.SUSPECT, Status.DEAD)
        urgent = not accused or news.definite or len(self._suspicions) < _URGENT_SUSPICIONS
        # A root tells who lives, not how the others ended.
        rooted = news.status in (Status.ALIVE, Status.DEAD)
        self._spread.news(
            MEMBERSHIP, news.name, payload, origin, teller, now, urgent=urgent, rooted=rooted
        )

    # News of this peer itself

    def announce(self, now: float) -> None:
        """Tell everybody how this peer stands."""
        self._announced_at = now
        me = self._context.me
        payload = me.news().encode()
        self._spread.news(MEMBERSHIP, me.name, payload, me.name, "", now)

    def raise_epoch(self, above: int, now: float) -> None:
        """Begin a new epoch that is higher than `above`."""
        me = self._context.me
        if now - self._raised_at < _RAISE_INTERVAL or max(me.epoch, above) >= EPOCH_LIMIT:
            self._context.count("raises_withheld")
            return
        self._raised_at = now
        me.epoch = max(me.epoch, above) + 1
        me.incarnation = 0
        self._context.events.append(EpochRaised(me.epoch))
        self.on_epoch_raised(now)
        self.announce(now)

    def _hear_of_self(self, news: News, now: float) -> None:
        me = self._context.me
        if me.left:
            return
        other_life = news.nonce != me.nonce
        if (news.epoch, news.incarnation) < (me.epoch, me.incarnation):
            if news.epoch == me.epoch and other_life and news.address == me.address:
                # Whoever holds this refuses all that we say under the epoch that we kept.
                self.raise_epoch(me.epoch, now)
            else:
                self._remind(now)
            return
        if not self._context.plausible_epoch(news.epoch, now):
            self._context.decline("refused_epoch_ahead")
            return
        if other_life and news.status.living and news.address != me.address:
            self._conflict(news, now)
        elif news.epoch > me.epoch or other_life:
            # An earlier life of ours began with a clock that was ahead, or shared our epoch: then
            # no incarnation refutes what is held of it, as ours is another process.
            self.raise_epoch(news.epoch, now)
        elif news.status is Status.LEFT or news.incarnation >= INCARNATION_JUMP - 1:
            # Not from a peer of ours. An incarnation above it would be implausible to all who
            # have not heard it, newcomers among them, so the answer is a new epoch.
            self.raise_epoch(me.epoch, now)
        elif news.incarnation > me.incarnation or (
            news.incarnation == me.incarnation and news.status is not Status.ALIVE
        ):
            me.incarnation = news.incarnation + 1
            if news.status is not Status.ALIVE:
                self._context.health.note(1)
            self._context.events.append(Refuted(me.incarnation))
            self.announce(now)

    def _remind(self, now: float) -> None:
        """Announce again: somebody has not heard our answer, or it was given to nobody.

        With streams blocked no exchange would tell, and a peer that refuted while it knew no
        living member would stay dead to the others for good.
        """
        if now - self._announced_at >= self._context.config.probe_interval:
            self.announce(now)

    def _conflict(self, news: News, now: float) -> None:
        self._conflict_at = now
        where = f"{news.address[0]}:{news.address[1]}"
        if self.conflict != where:
            self.conflict = where
            self._context.count("name_conflicts")
            self._context.events.append(NameConflict(news.address))


# A text, since a tuple would be hashed anew in each of the queue's tables; and no member's name,
# which has no control characters.
def _confirmation(name: str, accuser: str) -> str:
    return f"{name}\0{accuser}"
