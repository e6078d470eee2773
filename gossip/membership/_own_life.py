"""This peer's own life: what it announces, and how it answers what others say of it.

A peer refutes an accusation with a higher incarnation.
Where no incarnation can help, because another process held this name or somebody forged an
incarnation near its limit, the peer begins a new epoch.
An older update about itself it answers with its present one.
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

# A new epoch has the whole part fetched by everybody; what made it necessary is said again.
_RAISE_INTERVAL = 1.0
# A peer that knows one of two processes with a name passes on no update about the other, so the two
# hear of each other seldom; after so many periods without a word the other is taken to be gone.
_CONFLICT_PERIODS = 300


class OwnLife:
    """Keeps this peer's epoch and incarnation above all that is said against it."""

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
        """Tell everybody how this peer stands."""
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
        """Answer what somebody says of this peer, if it is not what this peer says itself."""
        me = self._me
        if me.left:
            return
        other_life = update.nonce != me.nonce
        if (update.epoch, update.incarnation) < (me.epoch, me.incarnation):
            if update.epoch == me.epoch and other_life and update.address == me.address:
                # A peer that holds this refuses all that we say under the epoch that we kept.
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
            # An earlier life of ours began with a clock that was ahead, or shared our epoch: then
            # no incarnation refutes what is said of it, as ours is another process.
            self.raise_epoch(update.epoch, now)
        elif update.status is Status.LEFT or update.incarnation >= INCARNATION_JUMP - 1:
            # Not from a peer of ours.  An incarnation above it would be implausible to all who
            # have not heard it, newcomers among them, so the answer is a new epoch.
            self.raise_epoch(me.epoch, now)
        elif update.incarnation > me.incarnation or (
            update.incarnation == me.incarnation and update.status is not Status.ALIVE
        ):
            me.incarnation = update.incarnation + 1
            if update.status is not Status.ALIVE:
                self._health.note(1)
            self._events.append(Refuted(me.incarnation))
            self.announce(now)

    def forget_conflict(self, now: float) -> None:
        """Take another process with our name to be gone if nothing was heard of it for long."""
        if now - self._conflict_at > _CONFLICT_PERIODS * self._config.probe_interval:
            self.conflict = None

    def _remind(self, now: float) -> None:
        """Announce again: somebody has not heard our answer, or it was given to nobody.

        With streams blocked no exchange would tell, and a peer that refuted while it knew no
        living member would stay dead to the others for good.
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
