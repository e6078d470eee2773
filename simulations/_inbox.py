# The packets that the kernel keeps for a process that is stopped or slow.
#
# A normal process reads every packet at once and does not use an inbox.  A slow process
# needs `each` seconds for every packet, and acts on the packet at the end of that time.
# Its timers take no time, but wait for the packets that arrived before them: a loop that
# is busy with its socket looks at the clock afterwards.

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from ._clock import Clock

# What a stopped process's socket holds, as Linux counts: the data and its bookkeeping.
RECEIVE_BUFFER: Final = 212_992
DATAGRAM_OVERHEAD: Final = 768
# Streams that a stopped process's kernel accepts for it.
BACKLOG: Final = 128

# Any, since each action has an argument of its own kind.
Action = Callable[[Any], None]


class _Kind(Enum):
    DATAGRAM = 0
    KNOCK = 1
    PIECE = 2
    TIMER = 3


class Inbox:
    """The packets and timers that wait for one process, in the order in which they came.

    `work` is given an action and its argument when it is their turn.
    `each` is what a packet takes the process, in seconds; 0 when it is not slow.
    """

    __slots__ = (
        "_clock",
        "_entries",
        "_knocks",
        "_series",
        "_stopped",
        "_timer_waits",
        "_turn_comes",
        "_work",
        "each",
        "overflows",
        "size",
    )

    def __init__(self, clock: Clock, work: Callable[[Action, Any], None]) -> None:
        self.each = 0.0
        # Bytes of the buffer that datagrams take, and how many found no room.
        self.size = 0
        self.overflows = 0
        self._clock = clock
        self._work = work
        self._entries: deque[tuple[_Kind, Action, Any]] = deque()
        self._knocks = 0
        self._stopped = False
        self._timer_waits = False
        # Turns are entries of the clock; those of an earlier series do nothing.
        self._series = 0
        self._turn_comes = False

    def __len__(self) -> int:
        return len(self._entries)

    # What comes

    def put_datagram(self, hear: Action, data: bytes, sender: object) -> None:
        """Keep a datagram, or drop and count it when the buffer is full."""
        size = len(data) + DATAGRAM_OVERHEAD
        if self.size + size > RECEIVE_BUFFER:
            self.overflows += 1
            return
        self.size += size
        self._put(_Kind.DATAGRAM, hear, (data, sender))

    @property
    def backlog_full(self) -> bool:
        """Whether no more streams are accepted."""
        return self._knocks >= BACKLOG

    def put_knock(self, begin: Action) -> None:
        """Keep a stream that was accepted for the process."""
        self._knocks += 1
        self._put(_Kind.KNOCK, begin, None)

    def put_piece(self, action: Action, argument: object) -> None:
        """Keep what a stream tells."""
        self._put(_Kind.PIECE, action, argument)

    def put_timer(self, look: Action) -> None:
        """Let the process look at the clock after what waits now; once is enough."""
        if not self._timer_waits:
            self._timer_waits = True
            self._put(_Kind.TIMER, look, None)

    # What becomes of it

    def stop(self) -> None:
        """Let everything wait until `go_on` or `take_all`; a packet half done begins anew."""
        self._stopped = True
        self._end_series()

    def go_on(self) -> None:
        """Let the process take in what waits, a packet every `each` seconds."""
        self._stopped = False
        self._await_turn()

    def take_all(self) -> None:
        """Let the process take in what waits, at once."""
        self._stopped = False
        self._end_series()
        while self._entries and not self._stopped:
            self._take()

    def clear(self) -> None:
        """Forget everything: the process is gone."""
        self.stop()
        self._entries.clear()
        self.size = self._knocks = 0
        self._timer_waits = False

    def _put(self, kind: _Kind, action: Action, argument: object) -> None:
        self._entries.append((kind, action, argument))
        self._await_turn()

    def _await_turn(self) -> None:
        if self._entries and not self._turn_comes and not self._stopped:
            self._turn_comes = True
            self._clock.call_at(self._clock.now + self.each, self._turn, self._series)

    # What the process does may stop it, clear this, or let it take all.
    def _turn(self, series: int) -> None:
        if series != self._series:
            return
        self._take()
        while series == self._series and self._entries and self._entries[0][0] is _Kind.TIMER:
            self._take()
        if series == self._series:
            self._turn_comes = False
            self._await_turn()

    def _take(self) -> None:
        kind, action, argument = self._entries.popleft()
        match kind:
            case _Kind.DATAGRAM:
                self.size -= len(argument[0]) + DATAGRAM_OVERHEAD
            case _Kind.KNOCK:
                self._knocks -= 1
            case _Kind.TIMER:
                self._timer_waits = False
            case _Kind.PIECE:
                pass
        self._work(action, argument)

    def _end_series(self) -> None:
        self._series += 1
        self._turn_comes = False
