"""Self-preservation: a mass loss is held for a fault of the network, for a while.

A peer is missing when it was held for dead without evidence, having been seen alive before.
Those that went missing within one window, and those suspect at this moment, are counted against
the peers that lived when the window began: at least two, and at least the share configured.

- If the missing alone reach that threshold, it is a loss: they are preserved, each until its
  own time is over. The loss ends for all when fewer than the threshold have been missing for
  long enough to tell, or when an operator accepts it.
- If they reach it together with the suspects, they are preserved for as long as that holds.
  The first verdict of a mass loss finds the others suspect, and must not drop its instances only
  to bring them back; but a suspect that speaks up was no part of a loss.

So one peer that crashes is never preserved by itself, in a mesh of any size.
"""

from dataclasses import dataclass, field
from math import ceil, inf

from ._limits import RegistryConfig


@dataclass(slots=True)
class _Missing:
    at: float
    confirmed: bool = False
    """Whether it was part of a loss by verdicts alone."""
    accepted: bool = False
    """Whether it is given up: by time, by the return of others, or by an operator."""
    kept: bool = False
    given_up: set[str] = field(default_factory=set)
    """Services whose loss an operator accepted."""


class Preservation:
    """Which of the peers that are held for dead keep their instances in the answers."""

    def __init__(self, config: RegistryConfig) -> None:
        self._config = config
        self._alive: set[str] = set()
        self._suspect: set[str] = set()
        self._missing: dict[str, _Missing] = {}
        # Those who left or died for certain within the window lived when it began.
        self._departed: dict[str, float] = {}
        self._threshold = 0
        self._enough_since = inf
        self.deadline = inf
        self.changed: dict[str, None] = {}
        """Peers that began or ceased to be preserved; whoever acts on them takes them out."""

    def keeps(self, name: str, service: str) -> bool:
        """Whether the instances that a dead peer has of a service stay in answers."""
        missing = self._missing.get(name)
        return missing is not None and missing.kept and service not in missing.given_up

    def ends_at(self, name: str) -> float:
        """Return when a peer that is preserved is given up at the latest."""
        return self._missing[name].at + self._config.preserve_for

    @property
    def kept(self) -> list[str]:
        """The peers that are preserved."""
        return [name for name, missing in self._missing.items() if missing.kept]

    def lived(self, name: str, now: float) -> None:
        """A peer is alive."""
        self._suspect.discard(name)
        self._alive.add(name)
        self._forget(name)
        self._judge(now)

    def suspected(self, name: str, now: float) -> None:
        """A peer is suspect."""
        self._alive.discard(name)
        self._suspect.add(name)
        self._forget(name)
        self._judge(now)

    def failed(self, name: str, definite: bool, now: float) -> None:
        """A peer is held for dead."""
        was_living = self._end_life(name)
        if definite:
            self._depart(name, was_living, now)
        elif was_living:
            self._missing[name] = _Missing(now)
        self._judge(now)

    def left(self, name: str, now: float) -> None:
        """A peer left."""
        self._depart(name, self._end_life(name), now)
        self._judge(now)

    def forgotten(self, name: str, now: float) -> None:
        """A peer is listed no more."""
        self._end_life(name)
        self._forget(name)
        self._judge(now)

    def accept(self, name: str, service: str) -> None:
        """Give up the instances that a preserved peer has of one service."""
        self._missing[name].given_up.add(service)
        self.changed[name] = None

    def accept_all(self, now: float) -> None:
        """Give up all that are missing."""
        for missing in self._missing.values():
            missing.accepted = True
        self._judge(now)

    def tick(self, now: float) -> None:
        """Let time pass; to be called at the deadline."""
        if now >= self.deadline:
            self._judge(now)

    def _end_life(self, name: str) -> bool:
        living = name in self._alive or name in self._suspect
        self._alive.discard(name)
        self._suspect.discard(name)
        return living

    def _depart(self, name: str, was_living: bool, now: float) -> None:
        missing = self._missing.get(name)
        if was_living:
            self._departed[name] = now
        elif missing is not None:
            self._departed[name] = missing.at
        self._forget(name)

    def _forget(self, name: str) -> None:
        missing = self._missing.pop(name, None)
        if missing is not None and missing.kept:
            self.changed[name] = None

    def _judge(self, now: float) -> None:
        self._forget_old(now)
        config = self._config
        recent = [each for each in self._missing.values() if now < each.at + config.preserve_window]
        living = 1 + len(self._alive) + len(self._suspect) + len(recent) + len(self._departed)
        threshold = max(2, ceil(config.preserve_share * living))
        counted = [each for each in recent if not each.accepted]
        if len(counted) >= threshold:
            # A loss that grows while it lasts is judged as it was when it began.
            self._threshold = min(threshold, self._threshold or threshold)
            for each in counted:
                each.confirmed = True
        doubted = len(counted) + len(self._suspect) >= threshold
        self._settle(now)
        for name, each in self._missing.items():
            kept = not each.accepted and (
                each.confirmed or (doubted and now < each.at + config.preserve_window)
            )
            if kept != each.kept:
                each.kept = kept
                self.changed[name] = None
        self._set_deadline()

    # Those that are beyond the window were counted, or never will be.
    def _forget_old(self, now: float) -> None:
        config = self._config
        self._departed = {
            name: at for name, at in self._departed.items() if now < at + config.preserve_window
        }
        for name, each in list(self._missing.items()):
            each.accepted |= now >= each.at + config.preserve_for
            idle = each.accepted or not each.confirmed
            if idle and now >= each.at + config.preserve_window:
                self._forget(name)

    def _settle(self, now: float) -> None:
        confirmed = [
            each for each in self._missing.values() if each.confirmed and not each.accepted
        ]
        if not confirmed:
            self._threshold = 0
        if not confirmed or len(confirmed) >= self._threshold:
            self._enough_since = inf
        elif self._enough_since == inf:
            self._enough_since = now
        elif now >= self._enough_since + self._config.preserve_settle:
            for each in confirmed:
                each.accepted = True
            self._threshold = 0
            self._enough_since = inf

    def _set_deadline(self) -> None:
        config = self._config
        ends = [
            each.at
            + (
                config.preserve_for
                if each.confirmed and not each.accepted
                else config.preserve_window
            )
            for each in self._missing.values()
        ]
        ends += [at + config.preserve_window for at in self._departed.values()]
        self.deadline = min(ends, default=inf)
        if self._enough_since < inf:
            self.deadline = min(self.deadline, self._enough_since + config.preserve_settle)
