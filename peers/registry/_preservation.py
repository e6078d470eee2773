"""Self-preservation: a peer treats a mass loss as a fault of the network, for a limited time.

A peer is missing if it was alive here, and was then declared dead without evidence.
The threshold is at least two peers, and at least the configured share of the peers that were alive
when the window began.
Two numbers are compared with it: the peers that went missing within the window, and the peers that
are suspect now.

- If the missing peers alone reach the threshold, it is a loss, and they are preserved, each until
  its own time is over.  The loss ends for all when fewer peers than the threshold have been missing
  for long enough, or when an operator accepts it.
- If the missing and the suspect peers together reach it, the missing peers are preserved as long as
  this is so.  When the first peer of a mass loss is declared dead, the others are still suspects;
  its instances must not vanish and come back.  A suspect that refutes was not part of a loss.

So one peer that crashes is never preserved by itself, in a mesh of any size.

If half of a large mesh goes missing, this takes hundreds of messages, and each calls for a check.
Therefore all missing peers are checked only when the result can change for earlier ones: when time
passes a limit, when a loss begins, or when suspects begin or cease to count.  At all other times
only the new ones are checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, inf

from gossamer.peers.model import RegistryConfig


@dataclass(slots=True)
class _Missing:
    at: float
    confirmed: bool = False
    """Whether it was part of a loss by verdicts alone."""
    accepted: bool = False
    """Whether it is given up: by time, by the return of others, or by an operator."""
    kept: bool = False
    recent: bool = True
    """Whether it went missing within the window, as of the last time that all were looked at."""
    given_up: set[str] = field(default_factory=set)
    """Services whose loss an operator accepted."""


class Preservation:
    """Which of the peers that were declared dead keep their instances in the answers."""

    def __init__(self, config: RegistryConfig, living: Iterable[str] = ()) -> None:
        """Begin with the peers that are known to live."""
        self._config = config
        self._alive: set[str] = set(living)
        self._suspect: set[str] = set()
        self._missing: dict[str, _Missing] = {}
        # Those who left or died for certain within the window lived when it began.
        self._departed: dict[str, float] = {}
        self._threshold = 0
        self._enough_since = inf
        self._deadline = inf
        self._changed: dict[str, None] = {}
        # What the last verdict on all rests upon, kept up to date as peers come and go.
        self._recent = 0
        self._counted = 0
        self._confirmed = 0
        self._unjudged: dict[str, None] = {}
        self._is_loss = False
        self._is_doubted = False
        # When time alone may change the verdict; until it is known, always.
        self._holds_until = -inf
        # When something was heard that is still to be judged: half a mesh that vanishes at once is
        # judged once, not once for each of its peers.
        self._heard_at: float | None = None

    def keeps(self, name: str, service: str) -> bool:
        """Whether the instances that a dead peer has of a service stay in answers.

        As of the last verdict: what a later one changes is told by `judge`.
        """
        missing = self._missing.get(name)
        return missing is not None and missing.kept and service not in missing.given_up

    def ends_at(self, name: str) -> float:
        """Return when a peer that is preserved is given up at the latest."""
        return self._missing[name].at + self._config.preserve_for

    @property
    def deadline(self) -> float:
        """When `tick` is wanted next, as of the last verdict."""
        return self._deadline

    @property
    def kept(self) -> list[str]:
        """The peers that are preserved, as of the last verdict."""
        return [name for name, missing in self._missing.items() if missing.kept]

    def judge(self, *, anew: bool = False) -> list[str]:
        """Judge what was heard; return the peers that began or ceased to be preserved.

        `anew` judges all who are missing, also where the new ones alone would do.
        """
        if anew:
            self._holds_until = -inf
        self._judge_what_was_heard()
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def remembered(self) -> dict[str, int]:
        """Return how many peers are remembered, and as what."""
        return {
            "alive": len(self._alive),
            "suspect": len(self._suspect),
            "missing": len(self._missing),
            "departed": len(self._departed),
        }

    def lived(self, name: str, now: float) -> None:
        """A peer is alive."""
        self._hear(now)
        self._suspect.discard(name)
        self._alive.add(name)
        self._forget(name)

    def suspected(self, name: str, now: float) -> None:
        """A peer is suspect."""
        self._hear(now)
        self._alive.discard(name)
        self._suspect.add(name)
        self._forget(name)

    def failed(self, name: str, definite: bool, now: float) -> None:
        """A peer was declared dead."""
        self._hear(now)
        was_living = self._end_life(name)
        if definite:
            self._depart(name, was_living, now)
        elif was_living:
            self._missing[name] = _Missing(now)
            self._unjudged[name] = None
            self._recent += 1
            self._counted += 1

    def left(self, name: str, now: float) -> None:
        """A peer left."""
        self._hear(now)
        self._depart(name, self._end_life(name), now)

    def forgotten(self, name: str, now: float) -> None:
        """A peer is listed no more."""
        self._hear(now)
        self._end_life(name)
        self._forget(name)

    def accept(self, name: str, service: str) -> None:
        """Give up the instances that a preserved peer has of one service."""
        self._missing[name].given_up.add(service)
        self._changed[name] = None

    def accept_all(self, now: float) -> None:
        """Give up all that are missing."""
        self._hear(now)
        for missing in self._missing.values():
            missing.accepted = True
        self._holds_until = -inf

    def tick(self, now: float) -> None:
        """Let time pass; to be called at the deadline."""
        if now >= self._deadline:
            self._hear(now)

    def _end_life(self, name: str) -> bool:
        living = name in self._alive or name in self._suspect
        self._alive.discard(name)
        self._suspect.discard(name)
        return living

    def _depart(self, name: str, was_living: bool, now: float) -> None:
        missing = self._missing.get(name)
        at = now if was_living else None if missing is None else missing.at
        if at is not None:
            self._departed[name] = at
            ends = at + self._config.preserve_window
            self._deadline = min(self._deadline, ends)
            self._holds_until = min(self._holds_until, ends)
        self._forget(name)

    def _forget(self, name: str) -> None:
        missing = self._missing.pop(name, None)
        if missing is None:
            return
        if missing.kept:
            self._changed[name] = None
        self._unjudged.pop(name, None)
        self._recent -= missing.recent
        self._counted -= missing.recent and not missing.accepted
        self._confirmed -= missing.confirmed and not missing.accepted

    def _hear(self, now: float) -> None:
        if self._heard_at is not None and self._heard_at < now:
            self._judge_what_was_heard()
        self._heard_at = now

    def _judge_what_was_heard(self) -> None:
        if self._heard_at is not None:
            now, self._heard_at = self._heard_at, None
            self._judge(now)

    def _judge(self, now: float) -> None:
        threshold = self._least_loss(self._recent)
        is_loss = self._counted >= threshold
        is_doubted = self._counted + len(self._suspect) >= threshold
        same = is_loss == self._is_loss and is_doubted == self._is_doubted
        if same and now < self._holds_until and self._judge_new(threshold, now):
            return
        self._judge_all(now)

    # How many must be missing for a loss, of the peers that were alive when the window began.
    def _least_loss(self, recent: int) -> int:
        living = 1 + len(self._alive) + len(self._suspect) + recent + len(self._departed)
        return max(2, ceil(self._config.preserve_share * living))

    def _judge_new(self, threshold: int, now: float) -> bool:
        """Judge those that went missing since the last verdict; False if all have to be."""
        ends = now + min(self._config.preserve_window, self._config.preserve_for)
        if ends <= now:
            return False
        if self._is_loss:
            self._threshold = min(threshold, self._threshold or threshold)
        for name in self._unjudged:
            each = self._missing[name]
            each.confirmed = self._is_loss
            each.kept = self._is_loss or self._is_doubted
            if each.kept:
                self._changed[name] = None
            self._confirmed += each.confirmed
        if self._unjudged:
            self._deadline = min(self._deadline, ends)
            self._holds_until = min(self._holds_until, ends)
            self._unjudged.clear()
        # Whether a loss is over is for the verdict on all to say.
        if not self._confirmed:
            return not self._threshold and self._enough_since == inf
        return (self._confirmed >= self._threshold) == (self._enough_since == inf)

    def _judge_all(self, now: float) -> None:
        self._forget_old(now)
        config = self._config
        for each in self._missing.values():
            each.recent = now < each.at + config.preserve_window
        recent = [each for each in self._missing.values() if each.recent]
        threshold = self._least_loss(len(recent))
        counted = [each for each in recent if not each.accepted]
        self._is_loss = len(counted) >= threshold
        if self._is_loss:
            # A loss that grows while it lasts is judged as it was when it began.
            self._threshold = min(threshold, self._threshold or threshold)
            for each in counted:
                each.confirmed = True
        self._is_doubted = len(counted) + len(self._suspect) >= threshold
        self._settle(now)
        for name, each in self._missing.items():
            kept = not each.accepted and (each.confirmed or (self._is_doubted and each.recent))
            if kept != each.kept:
                each.kept = kept
                self._changed[name] = None
        self._set_deadline()
        self._remember(recent)

    def _remember(self, recent: list[_Missing]) -> None:
        self._unjudged.clear()
        self._recent = len(recent)
        self._counted = sum(not each.accepted for each in recent)
        self._confirmed = sum(
            each.confirmed and not each.accepted for each in self._missing.values()
        )
        ends = [each.at + self._config.preserve_window for each in recent]
        ends += [
            each.at + self._config.preserve_for
            for each in self._missing.values()
            if not each.accepted
        ]
        self._holds_until = min([self._deadline, *ends])

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
        self._deadline = min(ends, default=inf)
        if self._enough_since < inf:
            self._deadline = min(self._deadline, self._enough_since + config.preserve_settle)
