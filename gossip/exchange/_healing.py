"""Healing a mesh after a cut: how peers find members again that were declared dead.

Each period a peer pings at most one member that was declared dead, or one seed at which it knows no
living member.  Over the whole mesh this makes about two pings a period for each of them.
An answer leads to an exchange at once, so a partition heals by itself, at a bounded rate.
Peers ping dead members as long as they remember them, and seeds without end.
"""

from gossamer.gossip.kernel import Context
from gossamer.gossip.membership import Membership
from gossamer.gossip.state import Address, Member

from ._contacts import Contacts
from ._exchanges import Exchanges
from ._joining import Joining
from ._repair import Repair
from ._seeds import Seeds
from ._sync import SyncExchange

# In seconds. When a partition heals, each peer hears from many returned members at once. It waits
# for a short random time, which grows with the number of dead members. Then it exchanges state with
# the first of them, unless it has heard meanwhile that this one is alive. So a few exchanges, and
# the announcements of all peers, are enough for the whole mesh.
_RETURN_WAIT = 0.02
_LONGEST_RETURN_WAIT = 3.0


class Healing:
    """Pings members that are dead, and exchanges state with members that have returned."""

    def __init__(
        self,
        context: Context,
        membership: Membership,
        exchanges: Exchanges,
        seeds: Seeds,
        joining: Joining,
        contacts: Contacts,
        repair: Repair,
        now: float,
    ) -> None:
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._health = context.health
        self._timers = context.timers
        self._membership = membership
        self._exchanges = exchanges
        self._seeds = seeds
        self._joining = joining
        self._contacts = contacts
        self._repair = repair
        self._awaiting_return = False
        context.signals.contact_answered.listen(self.returned)
        exchanges.ended.listen(self._exchange_ended)
        self._arm(now)

    def _arm(self, now: float) -> None:
        interval = self._config.probe_interval
        self._timers.at(now + interval * (0.5 + self._rng.random()), self._heal)

    def _heal(self, now: float) -> None:
        self._arm(now)
        table = self._table
        names = list(table.dead)
        strangers = self._seeds.strange() if self._joining.exchanged else []
        absent = len(names) + len(strangers)
        if self._me.left:
            return
        self._tell_a_suspect()
        if self._health.score and not self._repair.comparing:
            # Bad local health slows accusations down; it must not slow down the repair of missed
            # changes.
            self._repair.compare_with_anybody()
        if not absent:
            return
        if self._rng.random() * table.living >= 2 * absent:
            return
        choice = int(self._rng.random() * absent)
        if choice < len(names):
            row = table.rows[names[choice]]
            accusation = self._membership.accusation(row)
            self._contacts.contact(row, [] if accusation is None else [accusation])
        else:
            self._contacts.ask_who_is_there(strangers[choice - len(names)])

    def _tell_a_suspect(self) -> None:
        """Tell one suspect that it is one, even if another peer has told it before.

        A root does not include suspicions, and during a cut the rumor of a suspicion may have used
        up all its sends. Then, after the cut, one peer alone would keep the suspicion until it ends
        in a false death.
        """
        suspects = self._membership.suspicions.names
        if suspects and self._config.tell_suspects:
            row = self._table.rows[self._rng.choice(suspects)]
            self._contacts.contact(row, [self._membership.describe(row)])

    def returned(self, source: str, address: Address, now: float) -> None:
        """Exchange state with a peer that answered, and was declared dead or not known."""
        if self._joining.exchanged and self._lives(source):
            return
        away = len(self._table.dead)
        if away < 2 or not self._joining.exchanged:
            self._exchanges.begin("heal", address, now)
        elif not self._awaiting_return:
            self._awaiting_return = True

            def meet(when: float) -> None:
                self._awaiting_return = False
                if not self._lives(source):
                    self._exchanges.begin("heal", address, when)

            wait = min(_RETURN_WAIT * away, _LONGEST_RETURN_WAIT) * self._rng.random()
            self._timers.at(now + wait, meet)

    def reborn(self, row: Member, now: float) -> None:
        """Exchange state with a new life of a member, because it may know no other peer yet."""
        self._exchanges.begin("heal", row.address, now)

    def _lives(self, name: str) -> bool:
        row = self._table.get(name)
        return row is not None and row.status.living

    def _exchange_ended(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        if exchange.purpose == "heal" and reason is not None and exchange.retry_after is not None:
            address = exchange.address

            def again(when: float) -> None:
                self._exchanges.begin("heal", address, when)

            self._timers.at(now + exchange.retry_after, again)
