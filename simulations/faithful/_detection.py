"""Crashes, and how long until others declare the crashed peer dead."""

from collections.abc import Sequence

from gossamer.simulations.report import Detection, Spread

from ._reach import Reach


class _Crash:
    __slots__ = ("at", "first", "remaining", "waiting")

    def __init__(self, at: float, waiting: bytearray) -> None:
        self.at = at
        self.first: float | None = None
        # One byte per peer that has still to find out.
        self.waiting = waiting
        self.remaining = sum(waiting)

    def settle(self, peer: int) -> bool:
        """Wait for `peer` no longer; return whether it was waited for."""
        waited = bool(self.waiting[peer])
        self.waiting[peer] = 0
        self.remaining -= waited
        return waited


class Crashes:
    """Follows each crash until all who ran, and could have reached the peer, know of it."""

    def __init__(self, reach: Reach, present: Sequence[bool]) -> None:
        self._reach = reach
        self._present = present
        self._open: dict[int, _Crash] = {}
        self._crashes = 0
        self._first: list[float] = []
        self._all: list[float] = []

    def crashed(self, subject: int, now: float, knew: Sequence[int] = ()) -> None:
        """Note that a peer died; the peers in `knew` declared it dead before and do not count."""
        self.returned(subject)
        self._crashes += 1
        linked = self._reach.linked
        waiting = bytearray(
            present and peer != subject and linked(peer, subject)
            for peer, present in enumerate(self._present)
        )
        for peer in knew:
            waiting[peer] = 0
        if any(waiting):
            self._open[subject] = _Crash(now, waiting)

    def failed(self, observer: int, subject: int, now: float) -> None:
        """Note that an observer declares a member dead."""
        crash = self._open.get(subject)
        if crash is None or not crash.settle(observer):
            return
        took = now - crash.at
        if crash.first is None:
            crash.first = took
            self._first.append(took)
        if not crash.remaining:
            self._all.append(took)
            del self._open[subject]

    def stopped(self, peer: int) -> None:
        """A peer is gone: it will not find out any more."""
        for subject, crash in list(self._open.items()):
            if crash.settle(peer) and not crash.remaining:
                # The last that was asked is gone, and did not know.
                del self._open[subject]

    def returned(self, subject: int) -> None:
        """Note that a crashed peer runs again: peers that did not know of the crash never will."""
        self._open.pop(subject, None)

    def result(self) -> Detection:
        """Return what was found."""
        return Detection(
            crashes=self._crashes,
            detected=len(self._all),
            first=Spread.of(self._first),
            everybody=Spread.of(self._all),
            first_times=list(self._first),
            all_times=list(self._all),
        )
