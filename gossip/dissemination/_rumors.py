"""Rumors, one queue for each class, and how often a peer sends each of them.

Each peer that knows a rumor sends it at most `multiplier * ceil(log10(n + 1))` times
(memberlist's law; Das, Gupta, Motivala 2002, section 4.1, have lambda * log n).
Rumors that were sent least often go first, and of these the newest.
Each key has one slot: a newer update about the same subject replaces the older one.
The queue has a limit; when it is full, the rumor that was sent most often is dropped.
"""

from dataclasses import dataclass
from math import ceil, inf, log10

# Below ten members, the tree alone uses all sends that the law allows, at once.  Behind a cut all
# of these can be lost, and roots do not show an accusation that only one peer knows.
_LEAST_FACTOR = 2
# A datagram counts as full when this many rumors in a row did not fit.
_MISFITS = 8


def transmissions(multiplier: int, members: int) -> int:
    """Return how often a rumor is sent in a mesh of `members` living members."""
    return multiplier * max(_LEAST_FACTOR, ceil(log10(members + 1)))


@dataclass(slots=True)
class Rumor:
    """An update that waits to be passed on: its bytes, its origin, and how often it was sent."""

    key: object
    payload: bytes
    origin: str
    """The peer at the root of this rumor's tree."""
    heard_from: str
    """The peer that sent it to us; we need not send it back."""
    shows_since: float = inf
    """The time from which on the root covers it; infinity if the root does not."""
    sends: int = 0


class RumorQueue:
    """The rumors of one class, in the order in which they will be sent."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[object, Rumor] = {}
        # One level for each number of sends; within a level the newest rumor is last.
        self._levels: list[dict[object, Rumor]] = [{}]
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, rumor: Rumor) -> None:
        """Add a rumor; it replaces one of the same key."""
        key = rumor.key
        before = self._slots.pop(key, None)
        if before is not None:
            del self._levels[before.sends][key]
        elif len(self._slots) >= self._limit:
            self._evict()
        self._slots[key] = rumor
        self._levels[0][key] = rumor

    def discard(self, key: object) -> None:
        """Forget the rumor of `key`, if there is one."""
        rumor = self._slots.pop(key, None)
        if rumor is not None:
            del self._levels[rumor.sends][key]

    def quench(self, known_at: float) -> None:
        """Forget the rumors that the root covered at that time."""
        for key, rumor in list(self._slots.items()):
            if rumor.shows_since < known_at:
                self.discard(key)

    def clear(self) -> None:
        """Forget everything, because no member is left to talk to."""
        self._slots.clear()
        self._levels = [{}]

    def take(self, room: int, limit: int, overhead: int) -> list[bytes]:
        """Return payloads that fit into `room` bytes and count them as sent.

        Each costs its length and `overhead`; the queue forgets a rumor after `limit` sends.
        """
        chosen: list[Rumor] = []
        misfits = 0
        for level in self._levels:
            if not level:
                continue
            for rumor in reversed(level.values()):
                size = len(rumor.payload) + overhead
                if size <= room:
                    room -= size
                    chosen.append(rumor)
                    misfits = 0
                else:
                    misfits += 1
                    if misfits == _MISFITS:
                        break
            if misfits == _MISFITS:
                break
        # Not a call, because rounds in a large mesh spend most of their time here.
        levels = self._levels
        for rumor in chosen:
            key, sends = rumor.key, rumor.sends
            del levels[sends][key]
            rumor.sends = sends = sends + 1
            if sends >= limit:
                del self._slots[key]
            else:
                if len(levels) == sends:
                    levels.append({})
                levels[sends][key] = rumor
        return [rumor.payload for rumor in chosen]

    def sent(self, rumor: Rumor, times: int, limit: int) -> None:
        """Count `times` further sends of `rumor`."""
        if self._slots.get(rumor.key) is not rumor:
            return
        del self._levels[rumor.sends][rumor.key]
        rumor.sends += times
        if rumor.sends >= limit:
            del self._slots[rumor.key]
        else:
            self._place(rumor)

    def _place(self, rumor: Rumor) -> None:
        while len(self._levels) <= rumor.sends:
            self._levels.append({})
        self._levels[rumor.sends][rumor.key] = rumor

    def _evict(self) -> None:
        for level in reversed(self._levels):
            if level:
                key = next(iter(level))
                del level[key]
                del self._slots[key]
                self.dropped += 1
                return
