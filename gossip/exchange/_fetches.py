"""Fetches parts from the peers that announced them, a few parts at once."""

from dataclasses import dataclass, field

from gossamer.gossip.kernel import Context

from ._exchanges import Exchanges
from ._sync import SyncExchange

_FETCHED_AT_ONCE = 64
# Owners whose parts wait to be fetched from one peer; roots show the others later.
_WANTED_LIMIT = 1024


@dataclass(slots=True)
class _Wanted:
    """What is to be fetched from one peer."""

    owners: dict[str, None] = field(default_factory=dict)
    under_way: bool = False
    not_before: float = 0.0


class Fetches:
    """What is still to be fetched, by the peer that told of it."""

    def __init__(self, context: Context, exchanges: Exchanges) -> None:
        self._table = context.table
        self._timers = context.timers
        self._exchanges = exchanges
        self._wanted: dict[str, _Wanted] = {}
        context.signals.part_wanted.listen(self.want)
        exchanges.ended.listen(self._ended)

    def want(self, owner: str, teller: str, now: float) -> None:
        """Get one owner's part from the peer that told of it."""
        row = self._table.get(teller)
        if row is None or not row.status.living:
            return  # the roots will tell
        wanted = self._wanted.setdefault(teller, _Wanted())
        if len(wanted.owners) < _WANTED_LIMIT:
            wanted.owners[owner] = None
        self._fetch_from(teller, now)

    def waiting_from(self, teller: str) -> list[str]:
        """Return the owners whose parts are still to be fetched from a teller."""
        wanted = self._wanted.get(teller)
        return [] if wanted is None else list(wanted.owners)

    def _ended(self, exchange: SyncExchange, reason: str | None, now: float) -> None:
        """Go on after an exchange that was begun here has ended."""
        if exchange.purpose != "fetch":
            return
        teller = exchange.expected
        wanted = self._wanted.get(teller)
        if wanted is None:
            return
        wanted.under_way = False
        if reason is None:
            self._fetch_from(teller, now)
        elif exchange.retry_after is not None:
            wanted.owners.update(dict.fromkeys(exchange.owners or ()))
            wanted.not_before = now + exchange.retry_after

            def again(when: float) -> None:
                self._fetch_from(teller, when)

            self._timers.at(now + exchange.retry_after, again)
        else:
            del self._wanted[teller]

    def _fetch_from(self, teller: str, now: float) -> None:
        wanted = self._wanted.get(teller)
        row = self._table.get(teller)
        if wanted is None or wanted.under_way or now < wanted.not_before:
            return
        if row is None or not wanted.owners:
            del self._wanted[teller]
            return
        owners = list(wanted.owners)[:_FETCHED_AT_ONCE]
        if self._exchanges.begin("fetch", row.address, now, row=row, owners=owners):
            wanted.under_way = True
            for owner in owners:
                del wanted.owners[owner]
        else:
            del self._wanted[teller]
