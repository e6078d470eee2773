from gossamer.gossip import Status

# How a member is held: not at all, or by its status.
UNKNOWN = 0
ALIVE, SUSPECT, DEAD, LEFT = (int(status) + 1 for status in Status)


class Views:
    """What every running peer holds every other for, and the sums of that.

    One byte per pair, changed as events come: a sample costs no look at the pairs.
    """

    def __init__(self, peers: int) -> None:
        self._peers = peers
        self._rows: list[bytearray | None] = [None] * peers
        self._held = [[0] * peers for _ in range(5)]
        self.totals = [0] * 5
        """Pairs by how the member is held; those who know nothing of it are not counted."""

    def started(self, observer: int) -> None:
        """A peer begins, and knows nobody."""
        self.stopped(observer)
        self._rows[observer] = bytearray(self._peers)

    def stopped(self, observer: int) -> None:
        """Note that a peer has ended, and its view with it."""
        row, self._rows[observer] = self._rows[observer], None
        if row is None:
            return
        for subject, held in enumerate(row):
            if held:
                self._held[held][subject] -= 1
                self.totals[held] -= 1

    def holds(self, observer: int, subject: int, held: int) -> None:
        """Note the status that an observer gives a member from now on."""
        row = self._rows[observer]
        if row is None:
            return
        before = row[subject]
        if before == held:
            return
        row[subject] = held
        totals = self.totals
        if before:
            self._held[before][subject] -= 1
            totals[before] -= 1
        if held:
            self._held[held][subject] += 1
            totals[held] += 1

    def how(self, observer: int, subject: int) -> int:
        """What an observer holds a member for."""
        row = self._rows[observer]
        return UNKNOWN if row is None else row[subject]

    def letter(self, subject: int, others: int) -> str:
        """What `others` running peers hold a member for, as one letter of a band."""
        _, alive, suspect, dead, left = (held[subject] for held in self._held)
        for count, letter in ((dead, "d"), (suspect, "s"), (left, "l")):
            if 2 * count > others:
                return letter
        if dead:
            return "D"
        if suspect:
            return "S"
        if alive:
            return "a"
        return "l" if left else "."
