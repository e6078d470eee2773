"""Which transport does not reach a living member: UDP blocked and TCP open, or the reverse.

A firewall that knows only one of the two kills nobody: a member that answers by either lives.
It is told of, since rumors need datagrams and repair needs streams.

A probe finds out about datagrams each time: no answer to the ping, though the member answered by
stream.  Streams are asked after beside the ping when an exchange with the member failed, and once
in many periods in any case, as a mesh in peace opens none.

One finding may be loss; four in a row are not, of one member or of four of them.
A doubtful member is probed again out of its turn, so that a verdict, and its end, take some
periods and not some rounds.
The first probe that finds the path open ends it.
"""

from enum import Enum

from gossamer.gossip.kernel import Context
from gossamer.gossip.state import PathChanged

from ._planner import ProbePlanner

# With 10 % loss a ping and its answer pass in 81 of 100 cases: four failures in a row are one in
# eight hundred, and the stream has to succeed beside each of them.
_FINDINGS = 4
# Members that are doubted or reported at once, for each transport.
_LIMIT = 256
# Every how many periods the target is asked by stream though it answers.
_STREAM_PERIODS = 30
# Every how many periods one doubtful member is probed out of its turn once it is reported.
_REPORTED_PERIODS = 4


class Path(Enum):
    """A transport that does not pass, in the words that users see."""

    UDP = "udp blocked"
    TCP = "tcp blocked"


class Paths:
    """Counts what probes find of each transport, and tells of what is blocked or open again."""

    def __init__(self, context: Context, planner: ProbePlanner) -> None:
        self._table = context.table
        self._counters = context.counters
        self._events = context.events
        self._planner = planner
        # Findings in a row of each doubtful member (0: only an exchange failed); and the last
        # members for whom the transport failed since it passed for anybody.
        self._failed: dict[Path, dict[str, int]] = {path: {} for path in Path}
        self._row: dict[Path, dict[str, None]] = {path: {} for path in Path}
        self.blocked: dict[str, Path] = {}
        self._period = 0

    def period(self) -> None:
        """Let one probe period begin: forget who is gone, hasten somebody who is in doubt."""
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
        # Many at once are our own firewall: whoever is probed tells as much.
        if 0 < len(doubtful) < _FINDINGS:
            self._planner.hasten(doubtful[self._period % len(doubtful)])
        elif self.blocked and self._period % _REPORTED_PERIODS == 0:
            names = list(self.blocked)
            self._planner.hasten(names[self._period // _REPORTED_PERIODS % len(names)])

    def asks_by_stream(self, name: str) -> bool:
        """Whether a stream is to be tried though the ping may be answered."""
        doubted = self._row[Path.TCP] or name in self._failed[Path.TCP]
        return bool(doubted) or self._period % _STREAM_PERIODS == 0

    def stream_failed(self, name: str) -> None:
        """Note that an exchange with a member failed: its next probe looks into that."""
        failed = self._failed[Path.TCP]
        if self._lives(name) and len(failed) < _LIMIT:
            failed.setdefault(name, 0)

    def passed(self, path: Path, name: str) -> None:
        """Note that the transport reached a member."""
        self._failed[path].pop(name, None)
        self._row[path].clear()
        if self.blocked.get(name) is path:
            self._report(name, None)

    def failed(self, path: Path, name: str) -> None:
        """Note that the transport did not reach a member that answered by the other."""
        failed = self._failed[path]
        if name not in failed and len(failed) >= _LIMIT:
            self._counters.add("refused_paths")
            return
        failed[name] = failed.get(name, 0) + 1
        row = self._row[path]
        row[name] = None
        if len(row) >= _FINDINGS:
            for each in row:
                if self._lives(each):
                    self._report(each, path)
            del row[next(iter(row))]
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
