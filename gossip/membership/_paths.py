"""Finds transports that do not reach a living member: UDP blocked and TCP open, or the reverse.

A firewall that blocks only one of the two does not make peers declare a member dead: a member that
answers by either transport is alive.
The peer reports the blocked transport, because rumors need datagrams and repair needs streams.

Every probe tests datagrams: UDP fails if the ping gets no answer and the member answers by stream.
A probe also tests a stream if an exchange with the member failed, and once in many periods in any
case, because a healthy mesh opens no streams.

One failure may be loss.  Four failures in a row, of one member or of four members, are a block.
The peer probes a doubtful member again out of turn, so that it finds a block, and the end of one,
within some periods and not within some rounds.
The first probe that finds the path open ends the report.
"""

from enum import Enum

from gossamer.gossip.kernel import Context
from gossamer.gossip.state import PathChanged

from ._planner import ProbePlanner

# With 10 % loss a ping and its answer pass in 81 of 100 cases.  Four failures in a row then have a
# chance of one in eight hundred, and each time the stream has to succeed as well.
_FINDINGS = 4
# How many members can be doubtful or reported at once, for each transport.
_LIMIT = 256
# Every so many periods a probe also tests a stream, even if the target answers the ping.
_STREAM_PERIODS = 30
# Every so many periods a reported member is probed out of turn.
_REPORTED_PERIODS = 4


class Path(Enum):
    """A blocked transport, in the words that users see."""

    UDP = "udp blocked"
    TCP = "tcp blocked"


class Paths:
    """Counts failures of each transport, and reports which is blocked, and which is open again."""

    def __init__(self, context: Context, planner: ProbePlanner) -> None:
        self._table = context.table
        self._counters = context.counters
        self._events = context.events
        self._planner = planner
        # Failures in a row of each doubtful member (0: only an exchange failed).
        self._failed: dict[Path, dict[str, int]] = {path: {} for path in Path}
        # The last members for which the transport failed; empty when it passed for any member.
        self._streak: dict[Path, dict[str, None]] = {path: {} for path in Path}
        self.blocked: dict[str, Path] = {}
        self._period = 0
        context.signals.stream_failed.listen(self.stream_failed)

    def period(self) -> None:
        """Begin a probe period: forget members that are gone, hasten a doubtful one."""
        self._period += 1
        for failed in self._failed.values():
            for name in [name for name in failed if not self._lives(name)]:
                del failed[name]
        for name in [name for name in self.blocked if not self._lives(name)]:
            self._report(name, None)
        doubtful = [
            name
            for failed in self._failed.values()
            for name, count in failed.items()
            if count and name not in self.blocked
        ]
        # Many doubtful members at once mean that our own firewall blocks: any probe shows that.
        if 0 < len(doubtful) < _FINDINGS:
            self._planner.hasten(doubtful[self._period % len(doubtful)])
        elif self.blocked and self._period % _REPORTED_PERIODS == 0:
            names = list(self.blocked)
            self._planner.hasten(names[self._period // _REPORTED_PERIODS % len(names)])

    def asks_by_stream(self, name: str) -> bool:
        """Whether the probe tests a stream even if the target answers the ping."""
        doubted = self._streak[Path.TCP] or name in self._failed[Path.TCP]
        return bool(doubted) or self._period % _STREAM_PERIODS == 0

    def stream_failed(self, name: str) -> None:
        """Note that an exchange with a member failed; its next probe also tests a stream."""
        failed = self._failed[Path.TCP]
        if self._lives(name) and len(failed) < _LIMIT:
            failed.setdefault(name, 0)

    def passed(self, path: Path, name: str) -> None:
        """Note that the transport reached a member."""
        self._failed[path].pop(name, None)
        self._streak[path].clear()
        if self.blocked.get(name) is path:
            self._report(name, None)

    def failed(self, path: Path, name: str) -> None:
        """Note that the transport did not reach a member that answered by the other transport."""
        failed = self._failed[path]
        if name not in failed and len(failed) >= _LIMIT:
            self._counters.add("refused_paths")
            return
        failed[name] = failed.get(name, 0) + 1
        streak = self._streak[path]
        streak[name] = None
        if len(streak) >= _FINDINGS:
            for each in streak:
                if self._lives(each):
                    self._report(each, path)
            del streak[next(iter(streak))]
        elif failed[name] >= _FINDINGS:
            self._report(name, path)

    def _report(self, name: str, path: Path | None) -> None:
        if self.blocked.get(name) is path:
            return
        if path is None:
            del self.blocked[name]
        else:
            self.blocked[name] = path
        self._events.append(PathChanged(name, None if path is None else path.value))

    def _lives(self, name: str) -> bool:
        row = self._table.get(name)
        return row is not None and row.status.living
