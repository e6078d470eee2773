"""With whom state is exchanged, and when: joining, healing, repair, fetching.

Joining: through the seeds (_seeds.py), of which a few are tried at once.
Healing: each period at most one member that is held for dead, or a seed that nobody living is
known at, is pinged; over the whole mesh that makes about two pings a period for each of them.
An answer leads to an exchange at once, so a partition heals by itself, at a bounded rate, for as
long as the dead are remembered, and seeds for ever.
Repair: what the roots show that a rumor missed (_repair.py).
"""

from collections.abc import Sequence

from gossamer.gossip.basis import BoundedMap, Places
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context, Purpose
from gossamer.gossip.membership import Membership
from gossamer.gossip.messages import Ping
from gossamer.gossip.replication import OwnPart, Replicas
from gossamer.gossip.state import Address, Joined, Member

from ._fetches import Fetches
from ._repair import Repair
from ._seeds import Seeds
from ._sync import SyncExchange

_JOINS_AT_ONCE = 3
_OUTBOUND_LIMIT = 6
_CONTACTS_LIMIT = 64
_BUSY_MS = (100, 400)
# In seconds. A host that brings all it may, again and again, has some 8 % of a core.
_BROUGHT_WINDOW = 10.0
# A round trip over a slow link, and some.
_FIRST_FRAME = 2.0
# When a partition heals, everybody hears of many at once.  Each waits a moment, the longer the more
# are away, and exchanges with one of them if that has not become known to be alive meanwhile: a few
# exchanges, and what all say of themselves, then do for the whole mesh.
_RETURN_WAIT = 0.02
_LONGEST_RETURN_WAIT = 3.0


class Contacts:
    """Begins exchanges and answers for their bounds; the `Hub` of all of them."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        membership: Membership,
        own: OwnPart,
        replicas: Replicas,
        now: float,
    ) -> None:
        self.spread = spread
        self.membership = membership
        self.own = own
        self.replicas = replicas
        self._context = context
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._health = context.health
        self._timers = context.timers
        self._signals = context.signals
        self._questions = context.questions
        self._counters = context.counters
        self._events = context.events
        self._calls = context.calls
        self._seeds = Seeds(context, try_again=self._join_more)
        self.fetches = Fetches(context, self._begin)
        self.repair = Repair(context, spread, self, now)
        self._outbound: dict[Address, SyncExchange] = {}
        self._inbound = Places(context.config.inbound_exchanges)
        # What each host has brought in this window; a host that has is one that was served in it.
        self._brought: dict[str, int] = {}
        self._brought_until = now
        self._contacts = BoundedMap[int, Address](_CONTACTS_LIMIT)
        self._sequence = context.rng.getrandbits(31)
        self._exchanged = False
        self._awaiting_return = False
        self._arm(now)

    # Joining

    @property
    def joined(self) -> bool:
        """Whether this peer has the state of a mesh, or was given no seed to get it from.

        To be pinged is not enough: a cold peer must not answer as if it knew everything.
        """
        return self._exchanged or not self._seeds

    @property
    def under_way(self) -> bool:
        """Whether this peer has begun an exchange that has not ended."""
        return bool(self._outbound)

    @property
    def seed_is_self(self) -> bool:
        """Whether all seeds turned out to be this peer."""
        return self._seeds.are_self

    def join(self, addresses: Sequence[Address], now: float) -> None:
        """Take these addresses for seeds in place of those before."""
        self._seeds.take(addresses, now)
        self._join_more(now)

    def acquainted(self) -> None:
        """Note that the driver knew the mesh already: there is nothing to join."""
        self._exchanged = True

    def met_self(self, address: Address, now: float) -> None:
        """Note that the peer at an address is this one."""
        self._seeds.met_self(address, now)

    def _join_more(self, now: float) -> None:
        """Try seeds until one has answered."""
        if self._exchanged:
            return
        for address in self._seeds.due():
            if len(self._outbound) >= _JOINS_AT_ONCE:
                return
            self._begin("join", address, now)

    # Healing

    def _arm(self, now: float) -> None:
        interval = self._config.probe_interval
        self._timers.at(now + interval * (0.5 + self._rng.random()), self._heal)

    def _heal(self, now: float) -> None:
        self._arm(now)
        table = self._table
        names = list(table.dead)
        strangers = self._seeds.strange() if self._exchanged else []
        absent = len(names) + len(strangers)
        if self._me.left:
            return
        self._tell_a_suspect()
        if self._health.score and not self.repair.comparing:
            # Local health is to slow accusations down, and not the repair of what was missed.
            self.repair.compare_with_anybody()
        if not absent:
            return
        if self._rng.random() * table.living >= 2 * absent:
            return
        choice = int(self._rng.random() * absent)
        if choice < len(names):
            row = table.rows[names[choice]]
            accusation = self.membership.accusation(row)
            first = [] if accusation is None else [accusation]
            self._contact(row, first)
        else:
            self._ask_who_is_there(strangers[choice - len(names)])

    def _tell_a_suspect(self) -> None:
        """Tell one suspect that it is one, whoever has told it before.

        No root tells of a suspicion, and behind a cut its rumor may have used up all its sends: in
        a mesh that is whole again, one peer alone would hold it until it ends in a false death.
        """
        suspects = self.membership.suspicions.names
        if suspects and self._config.tell_suspects:
            row = self._table.rows[self._rng.choice(suspects)]
            self._contact(row, [self.membership.describe(row)])

    def _contact(self, row: Member, first: list[bytes]) -> None:
        first = [self._me.news().encode(), *first]
        self.spread.send(row.address, row.epoch, [Ping(self._ask(row.address), row.name)], first)

    def _ask_who_is_there(self, address: Address) -> None:
        self.spread.send(address, 0, [Ping(self._ask(address), "")])

    def _ask(self, address: Address) -> int:
        """Return the number of a ping to an address, by which its answer is known."""
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        forgotten = self._contacts.keep(self._sequence, address)
        self._questions.open(self._sequence, self)
        if forgotten is not None:
            self._questions.close(forgotten[0], self)
        return self._sequence

    def on_own_ping(self, sequence: int, now: float) -> None:
        """Take in a ping of this peer's own, from whatever address it came back."""
        address = self._contacts.get(sequence)
        if address is not None:
            self._seeds.met_self(address, now)

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Take in the answer to a contact: exchange with the speaker if it was away."""
        self._questions.close(sequence, self)
        address = self._contacts.pop(sequence, None)
        if address is None:
            return
        # Also if somebody reflected what it was asked.
        self._seeds.met_another(address)
        if self._table.get(source) is None:
            # Only now can it be told who asked.
            self.spread.send(address, epoch, [], [self._me.news().encode()])
        self.returned(source, address, now)

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Take in the answer of another peer than was asked for; return that one was asked."""
        self.on_ack(sequence, source, epoch, now)
        return True

    def returned(self, source: str, address: Address, now: float) -> None:
        """Exchange state with a peer that was held for dead, or was not known."""
        if self._exchanged and self._lives(source):
            return
        away = len(self._table.dead)
        if away < 2 or not self._exchanged:
            self._begin("heal", address, now)
        elif not self._awaiting_return:
            self._awaiting_return = True

            def meet(when: float) -> None:
                self._awaiting_return = False
                if not self._lives(source):
                    self._begin("heal", address, when)

            wait = min(_RETURN_WAIT * away, _LONGEST_RETURN_WAIT) * self._rng.random()
            self._timers.at(now + wait, meet)

    def _lives(self, name: str) -> bool:
        row = self._table.get(name)
        return row is not None and row.status.living

    def reborn(self, row: Member, now: float) -> None:
        """Exchange state with a new life of a member, which may know nobody yet."""
        self._begin("heal", row.address, now)

    # What repair calls

    def ask_for_root(self, row: Member) -> None:
        """Ping a member beside the probes; its root comes with the answer."""
        self._contact(row, [])

    def mend(self, row: Member, now: float) -> None:
        """Exchange with a member what it and this peer do not have in common."""
        self._begin("repair", row.address, now, row=row)

    # Exchanges and their bounds

    def _begin(
        self,
        purpose: Purpose,
        address: Address,
        now: float,
        *,
        row: Member | None = None,
        owners: list[str] | None = None,
    ) -> bool:
        if address in self._outbound or len(self._outbound) >= _OUTBOUND_LIMIT:
            return False
        if address == self._me.address or self._me.left:
            return False
        deadline = now + self._config.stream_timeout
        exchange = SyncExchange(
            self._context, self, address, purpose, deadline, row=row, owners=owners
        )
        self._outbound[address] = exchange
        self._calls.append(exchange)
        self._counters.add(f"exchanges_{purpose}")
        return True

    def accept(self, sender: Address, now: float) -> SyncExchange:
        """Return the responder's side of a stream that `sender` opened."""
        # Whoever opens a stream has something to say at once; silent ones take others' places.
        deadline = now + min(_FIRST_FRAME, self._config.stream_timeout)
        return SyncExchange(self._context, self, sender, "inbound", deadline)

    def enter(self, host: str, now: float) -> int | None:
        """Take a place for an inbound exchange; else say in how many ms to come back."""
        if now >= self._brought_until:
            self._brought_until = now + _BROUGHT_WINDOW
            self._brought.clear()
        too_much = self._brought.get(host, 0) >= self._config.host_items
        if too_much or not self._inbound.take(host):
            self._counters.add("refused_exchanges")
            return self._rng.randint(*_BUSY_MS)
        return None

    def closed(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        """Free an exchange's place, and do what follows from its end."""
        if exchange.has_place:
            exchange.has_place = False
            host = exchange.address[0]
            self._inbound.free(host)
            self._brought[host] = self._brought.get(host, 0) + exchange.brought
        if self._outbound.get(exchange.address) is exchange:
            del self._outbound[exchange.address]
        if reason is None and exchange.peer is not None:
            self._succeeded(exchange, now)
        elif reason is not None and exchange.teller and exchange.retry_after is None:
            self._signals.stream_failed(exchange.teller)
        match exchange.purpose:
            case "join" if reason is not None:
                self._seeds.failed(exchange.address, exchange.retry_after, now)
            case "repair" if reason is None:
                self.repair.succeeded()
            case "repair" if exchange.retry_after is not None:
                self.repair.postpone(now + exchange.retry_after)
            case "heal" if exchange.retry_after is not None:
                self._heal_again(exchange.address, exchange.retry_after, now)
            case "fetch":
                self.fetches.ended(exchange, reason, now)
        self._join_more(now)

    def _succeeded(self, exchange: SyncExchange, now: float) -> None:
        self._seeds.met_another(exchange.address)
        if not self._exchanged:
            self._exchanged = True
            self._events.append(Joined())
            self.own.introduce(now)
            self.repair.look_twice(now)

    def _heal_again(self, address: Address, after: float, now: float) -> None:
        def again(when: float) -> None:
            self._begin("heal", address, when)

        self._timers.at(now + after, again)
