"""The suspicions under way: which peers confirm each of them, and when it ends.

If the suspect does not refute in time, it is declared dead.
An isolated peer declares nobody dead: each time it waits one probe interval longer.
"""

from collections.abc import Callable
from functools import partial

from gossamer.gossip.basis import Timer
from gossamer.gossip.dissemination import MEMBERSHIP, Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import Member, MemberSuspected

from ._planner import ProbePlanner
from ._suspicion import Suspicion, start_suspicion

# A single suspicion is urgent.  Many at a time mean a cut or a slow network: none of them ends
# before many rounds have passed, and all of them at once would make a bad network worse.
_URGENT_SUSPICIONS = 8


class Suspicions:
    """The suspects that this peer knows, each with a timer until its death."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        planner: ProbePlanner,
        *,
        time_is_over: Callable[[str, str, float], None],
    ) -> None:
        """`time_is_over` is called with the suspect and its first accuser when the time is over."""
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._isolation = context.isolation
        self._timers = context.timers
        self._events = context.events
        self._spread = spread
        self._planner = planner
        self._time_is_over = time_is_over
        self._under_way: dict[str, tuple[Suspicion, Timer]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    @property
    def names(self) -> list[str]:
        """The names of all suspects."""
        return list(self._under_way)

    @property
    def are_few(self) -> bool:
        """Whether there are so few suspicions that one more is urgent."""
        return len(self._under_way) < _URGENT_SUSPICIONS

    def accuser(self, name: str) -> str:
        """Return the first accuser of a member, or nothing if it is not a suspect."""
        held = self._under_way.get(name)
        return "" if held is None else held[0].accusers[0]

    def ends_at(self, name: str) -> float:
        """Return when the suspicion of a suspect ends, with those who share it now."""
        return self._under_way[name][0].ends_at

    def begin(self, row: Member, accuser: str, now: float) -> None:
        """Give a member that is accused its time to speak up."""
        config = self._config
        members = self._table.living
        suspicion = start_suspicion(
            accuser,
            now,
            members=members,
            multiplier=config.suspicion_multiplier,
            longest=config.suspicion_max_multiplier,
            interval=config.probe_interval,
        )
        self._arm(row.name, suspicion, now)
        self._events.append(MemberSuspected(row, accuser))
        # A few of those that hear of it probe the suspect next: what takes a round of probes
        # otherwise is confirmed, or refuted, within one period.  The probes per second stay the
        # same.
        if not config.witnesses or accuser == self._me.name:
            return
        witnesses = 2 * max(1, config.suspicion_multiplier - 2)
        if self._rng.random() * members < witnesses:
            self._planner.hasten(row.name)

    def confirm(self, name: str, accuser: str, payload: bytes, now: float) -> None:
        """Count one more accuser, and pass its accusation on if it shortens the time."""
        held = self._under_way.get(name)
        if held is None or not accuser or not held[0].confirm(accuser):
            return
        suspicion, timer = held
        if suspicion.ends_at < timer.when:
            timer.cancel()
            self._arm(name, suspicion, now)
        key = _confirmation(name, accuser)
        self._spread.tell(
            MEMBERSHIP, key, payload, accuser, "", now, urgent=self.are_few, rooted=False
        )

    def end(self, name: str) -> None:
        """Drop the suspicion of a member, if there is one: something outranks it."""
        held = self._under_way.pop(name, None)
        if held is not None:
            suspicion, timer = held
            timer.cancel()
            # What follows the suspicion says more than the names of those who shared it.
            for accuser in suspicion.accusers[1:]:
                self._spread.discard(_confirmation(name, accuser))

    def postpone(self, seconds: float, now: float) -> None:
        """Give all suspects so much more time: this peer was stopped and heard nobody."""
        for name, (suspicion, timer) in list(self._under_way.items()):
            timer.cancel()
            suspicion.since += seconds
            self._arm(name, suspicion, now)

    def _arm(self, name: str, suspicion: Suspicion, now: float) -> None:
        # First for when it may end at the soonest: until then confirmations set no timer anew.
        # An accuser that is counted late can end a suspicion in the past: it then ends now, as a
        # timer that is found long overdue would tell that this peer itself was stopped.
        when = suspicion.soonest if now < suspicion.soonest else max(suspicion.ends_at, now)
        timer = self._timers.at(when, partial(self._conclude, name))
        self._under_way[name] = suspicion, timer

    def _conclude(self, name: str, now: float) -> None:
        """Declare a suspect dead if its time is over, unless this peer is isolated."""
        suspicion, _ = self._under_way[name]
        if self._isolation.isolated and now >= suspicion.ends_at:
            suspicion.since = now + self._config.probe_interval - suspicion.lasts
        if now < suspicion.ends_at:
            self._arm(name, suspicion, now)
            return
        # Under the first accuser's name, so that all peers whose time runs out use the same words.
        self._time_is_over(name, suspicion.accusers[0], now)


# A text, since a tuple would be hashed anew in each of the queue's tables; and no member's name,
# which has no control characters.
def _confirmation(name: str, accuser: str) -> str:
    return f"{name}\0{accuser}"
