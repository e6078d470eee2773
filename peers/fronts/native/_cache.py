from collections import OrderedDict

from gossamer.peers.model import Lookup
from gossamer.peers.web import Response

Question = tuple[str, str | None, str | None, bool]
"""Service, tag, zone, and whether all are wanted."""


class AnswerCache:
    """Encoded lookups by question; each is valid until its service changes.

    The cache is bounded in number and in bytes, and drops the least recently used answer first.
    """

    def __init__(self, answers: int = 1024, size: int = 8 * 1024 * 1024) -> None:
        self._most = answers
        self._most_bytes = size
        self._bytes = 0
        self._kept: OrderedDict[Question, tuple[int, bool, Response]] = OrderedDict()

    def get(self, question: Question, lookup: Lookup) -> Response | None:
        """Return the kept answer for `lookup`, if there is one."""
        kept = self._kept.get(question)
        if kept is None or kept[0] != lookup.index or kept[1] != lookup.degraded:
            return None
        self._kept.move_to_end(question)
        return kept[2]

    def put(self, question: Question, lookup: Lookup, response: Response) -> None:
        """Keep an answer; it replaces an older one to the same question."""
        old = self._kept.pop(question, None)
        if old is not None:
            self._bytes -= len(old[2].body)
        self._kept[question] = (lookup.index, lookup.degraded, response)
        self._bytes += len(response.body)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, (_, _, dropped) = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
