"""This peer's own life: how it announces itself, and how it answers updates about itself.

A peer refutes an accusation with a higher incarnation.
An incarnation cannot help if another process has used this name, or if somebody forged an
incarnation near the limit; then the peer begins a new epoch.
The peer answers an older update about itself with its present one.
"""

from gossamer.gossip.dissemination import MEMBERSHIP, Spread
from gossamer.gossip.kernel import Context
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    INCARNATION_JUMP,
    EpochRaised,
    MemberUpdate,
    NameConflict,
    Refuted,
    Status,
)

# In seconds. After a new epoch, all peers fetch the whole part again. If this peer must wait before
# it begins one, nothing is lost, because others repeat the update that makes it necessary.
_RAISE_INTERVAL = 1.0
# A peer that knows one of two processes with one name passes on no update about the other, so the
# two seldom hear of each other. After so many periods without an update, this peer considers the
# other process gone.
_CONFLICT_PERIODS = 300


class OwnLife:
    """Keeps this peer's epoch and incarnation higher than those in updates against it."""

    def __init__(self, context: Context, spread: Spread) -> None:
        self._config = context.config
        self._me = context.me
        self._epochs = context.epochs
        self._health = context.health
        self._signals = context.signals
        self._counters = context.counters
        self._events = context.events
        self._spread = spread
        self.conflict: str | None = None
        self._conflict_at = float("-inf")
        self._announced_at = float("-inf")
        self._raised_at = float("-inf")

    def announce(self, now: float) -> None:
        """Send this peer's present update about itself to the mesh."""
        self._announced_at = now
        me = self._me
        payload = me.update().encode()
        self._spread.tell(MEMBERSHIP, me.name, payload, me.name, "", now)

    def raise_epoch(self, above: int, now: float) -> None:
        """Begin a new epoch that is higher than `above`; at most once a second."""
        me = self._me
        if now - self._raised_at < _RAISE_INTERVAL or max(me.epoch, above) >= EPOCH_LIMIT:
            self._counters.add("raises_withheld")
            return
        self._raised_at = now
        me.epoch = max(me.epoch, above) + 1
        me.incarnation = 0
        self._events.append(EpochRaised(me.epoch))
        self._signals.epoch_raised(now)
        self.announce(now)

    def hear(self, update: MemberUpdate, now: float) -> None:
        """Answer an update about this peer, if it differs from this peer's own."""
        me = self._me
        if me.left:
            return
        other_life = update.nonce != me.nonce
        if (update.epoch, update.incarnation) < (me.epoch, me.incarnation):
            if update.epoch == me.epoch and other_life and update.address == me.address:
                # A peer that believes this update refuses all our updates under the same epoch.
                self.raise_epoch(me.epoch, now)
            else:
                self._remind(now)
            return
        if not self._epochs.plausible(update.epoch, now):
            self._counters.add("refused_epoch_ahead")
            return
        if other_life and update.status.living and update.address != me.address:
            self._conflict(update, now)
        elif update.epoch > me.epoch or other_life:
            # The update is about an earlier life of ours, whose clock was ahead or which had our
            # epoch. No incarnation of ours refutes it, because it is about another process.
            self.raise_epoch(update.epoch, now)
        elif update.status is Status.LEFT or update.incarnation >= INCARNATION_JUMP - 1:
            # No correct peer sends such an update. Peers that have not heard it, such as newcomers,
            # would find a higher incarnation implausible, so the answer is a new epoch.
            self.raise_epoch(me.epoch, now)
        elif update.incarnation > me.incarnation or (
            update.incarnation == me.incarnation
            and (update.status is not Status.ALIVE or self._says_other(update))
        ):
            me.incarnation = update.incarnation + 1
            if update.status is not Status.ALIVE:
                self._health.note(1)
            self._events.append(Refuted(me.incarnation))
            self.announce(now)

    def _says_other(self, update: MemberUpdate) -> bool:
        """Whether an update of this very life says what this peer never said.

        The root does not show it, so that peers which believe it would do so for good.
        """
        me = self._me
        said = update.address, update.zone, update.tail
        return said != (me.address, me.zone, me.tail)

    def forget_conflict(self, now: float) -> None:
        """Forget another process with our name, if no update about it came for a long time."""
        if now - self._conflict_at > _CONFLICT_PERIODS * self._config.probe_interval:
            self.conflict = None

    def _remind(self, now: float) -> None:
        """Announce this peer again, because another peer has not heard our last announcement.

        An announcement reaches nobody if this peer knows no living member at that time.
        If streams are blocked as well, no exchange brings it to the others, and without this
        method they would consider this peer dead without end.
        """
        if now - self._announced_at >= self._config.probe_interval:
            self.announce(now)

    def _conflict(self, update: MemberUpdate, now: float) -> None:
        self._conflict_at = now
        where = f"{update.address[0]}:{update.address[1]}"
        if self.conflict != where:
            self.conflict = where
            self._counters.add("name_conflicts")
            self._events.append(NameConflict(update.address))
