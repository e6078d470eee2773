"""Repair: roots show what rumors missed.

Every ack carries the root of its sender.
If it differs from this peer's root, which has not changed for a while, a rumor was missed: the peer
exchanges its state with the sender.
After a member came back, and at a newcomer, roots are also compared outside of probes.
"""

from collections import deque

from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.replication import Replicas
from gossamer.gossip.state import Member

from ._contacts import Contacts
from ._exchanges import Exchanges
from ._sync import SyncExchange

# Roots are compared with the members that are probed.  Under constant change they are never equal,
# so after so many settling times without an equal one an exchange is due all the same.
_UNSETTLED = 8
# What so many members drawn at random know is passed on no more.  If one in a hundred lacks it,
# that is so in 97 cases of 100; the one finds out by its own next probe.
_AGREED = 3
# A rumor has its rounds all the same: no other peer tells those few in time.
_TRAVEL_ROUNDS = 10
# Repairs that change nothing are repeated ever later, up to this: some difference is not for
# them to mend.
_FRUITLESS_WAIT = 60.0
# With members that no datagram reaches state is exchanged, changed or not, so often at most.
_BY_STREAM_PERIODS = 4
# After somebody came back, roots are compared beside the probes, which a partition may have slowed:
# local health suffers from it.  So often after the last that differed, for so many seconds at most.
_COMPARISONS = 3
_COMPARED_FOR = 10.0
# A newcomer looks again after these times: no peer told it of those that join at the same moment.
_SECOND_LOOKS = (0.25, 0.8)


class Repair:
    """Compares roots, and has exchanged what differs for long."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        replicas: Replicas,
        exchanges: Exchanges,
        contacts: Contacts,
        now: float,
    ) -> None:
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._root = context.root
        self._timers = context.timers
        self._spread = spread
        self._replicas = replicas
        self._exchanges = exchanges
        self._contacts = contacts
        self._patient_since = now
        self._repair_from = now
        self._fruitless = 0
        self._by_stream_from = now
        self._repaired_at = now
        # When equal roots were seen last.
        self._agreed: deque[float] = deque(maxlen=_AGREED)
        self._comparisons = 0
        self._comparing_until = now
        self._awaiting_quiet = False
        context.signals.member_returned.listen(self.came_back)
        context.signals.only_streams_pass.listen(self.by_stream)
        context.signals.joined.listen(self.look_twice)
        exchanges.ended.listen(self._exchange_ended)

    @property
    def comparing(self) -> bool:
        """Whether roots are being compared beside the probes."""
        return self._comparisons > 0

    def came_back(self, now: float) -> None:
        """Compare roots soon: a member that was declared dead lives, and more will follow."""
        if not self._comparisons:
            self._compare_later(now)
        self._comparisons = _COMPARISONS
        self._comparing_until = now + _COMPARED_FOR

    def _compare_later(self, now: float) -> None:
        wait = self._config.settle * (1 + self._rng.random())
        self._timers.at(now + wait, self._compare)

    def _compare(self, now: float) -> None:
        self._comparisons = 0 if self._me.left else self._comparisons - 1
        if self._comparisons:
            self._compare_later(now)
        if not self._me.left:
            self.compare_with_anybody()

    def _compare_when_quiet(self, now: float) -> None:
        """Compare as soon as a difference counts: what was on its way has arrived by then."""
        if self._awaiting_quiet:
            return
        self._awaiting_quiet = True

        def look(when: float) -> None:
            self._awaiting_quiet = False
            if not self._me.left:
                self.compare_with_anybody()

        config = self._config
        jitter = config.gossip_interval * self._rng.random()
        self._timers.at(self._root.changed_at + config.settle + jitter, look)

    def compare_with_anybody(self) -> None:
        """Ask a living member drawn at random for its root."""
        row = self._anybody()
        if row is not None:
            self._contacts.contact(row, [])

    def _anybody(self) -> Member | None:
        """Return a living member drawn at random, if there is one."""
        table = self._table
        place = int(self._rng.random() * table.living)
        name = table.ring[place]
        return table.rows.get(name if name != self._me.name else table.ring[place - 1])

    def on_root(self, row: Member, root: bytes, now: float) -> None:
        """Compare the root of a living member with ours; exchange if they stay different."""
        if root == self._root.digest:
            self._patient_since = now
            # The root of a peer without room stays different, and no repair changes that.
            if not self._replicas.full:
                self._fruitless = 0
            # A peer with an equal root knows all updates that the root covers at this moment.
            self._agreed.append(now)
            if len(self._agreed) == _AGREED:
                travelled = _TRAVEL_ROUNDS * self._config.gossip_interval
                self._spread.quench(self._agreed[0] - travelled)
            return
        settle = self._config.settle
        quiet = now - self._root.changed_at >= settle
        if self._comparisons and now < self._comparing_until:
            self._comparisons = _COMPARISONS
            if not quiet:
                self._compare_when_quiet(now)
        overdue = now - self._patient_since >= _UNSETTLED * settle
        if (quiet or overdue) and now >= self._repair_from and not self._spread.pours(now):
            if self._root.changed_at != self._repaired_at:
                self._fruitless = 0
            wait = min(settle * 2**self._fruitless, _FRUITLESS_WAIT)
            self._repair_from = now + wait * (1 + self._rng.random())
            self._repaired_at = self._root.changed_at
            self._patient_since = now
            self._mend(row, now)

    def by_stream(self, row: Member, now: float) -> None:
        """Exchange with a member that no datagram reaches: neither rumors nor roots do."""
        if now >= self._by_stream_from:
            self._by_stream_from = now + _BY_STREAM_PERIODS * self._config.probe_interval
            self._mend(row, now)

    def _mend(self, row: Member, now: float) -> None:
        """Exchange with a member what it and this peer do not have in common."""
        self._exchanges.begin("repair", row.address, now, row=row)

    def _exchange_ended(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        if exchange.purpose != "repair":
            return
        if reason is None:
            # The next repair waits longer if this one changed nothing.
            if self._root.changed_at == self._repaired_at:
                self._fruitless = min(self._fruitless + 1, 10)
        elif exchange.retry_after is not None:
            # The member that was asked had no place.
            self._repair_from = now + exchange.retry_after

    def look_twice(self, now: float) -> None:
        """Exchange twice more, with members drawn at random: this peer has just joined."""
        for wait in _SECOND_LOOKS:
            jittered = wait * (0.75 + self._rng.random() / 2)
            self._timers.at(now + jittered, self._look_again)

    def _look_again(self, now: float) -> None:
        row = self._anybody()
        if row is not None:
            self._mend(row, now)
