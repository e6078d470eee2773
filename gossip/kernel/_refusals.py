"""Refused datagrams and frames, with notices for the operator and the other side of a stream."""

from gossamer.gossip.basis import Counters, Notices
from gossamer.gossip.sealing import ForeignKey, Refused
from gossamer.gossip.state import Address, Event, KeyRefused, OwnKeyRefused


class Refusals:
    """Counts refusals, and tells of keys that are not accepted, once a minute for each sender."""

    def __init__(self, counters: Counters, events: list[Event]) -> None:
        self._counters = counters
        self._events = events
        # Apart: a sender that forges addresses for the one must not silence the other.
        self._foreign_keys = Notices()
        self._refused_by = Notices()

    def note(self, refused: Refused, sender: Address, now: float, *, stream: bool = False) -> bool:
        """Count what is not believed; return whether to tell, on a stream, that its key is why.

        That is so for each sender once a minute: forging a sender gains nothing.
        """
        reason = f"refused_{refused.reason}"
        self._counters.add(reason if reason in self._counters else "refused_other")
        if not isinstance(refused, ForeignKey):
            return False
        # The port of a stream is another one each time.
        where = sender[0] if stream else sender
        if not self._foreign_keys.tell((where, refused.key_id, refused.held), now):
            return False
        self._events.append(KeyRefused(sender, refused.key_id, refused.held))
        return True

    def hear(self, sender: Address, now: float) -> None:
        """Take in that another peer does not accept what this peer seals with."""
        self._counters.add("keys_refused_by_others")
        if self._refused_by.tell(sender[0], now):
            self._events.append(OwnKeyRefused(sender))
