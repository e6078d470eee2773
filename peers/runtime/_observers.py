"""What is done about single events of a core: logged, or kept on disk."""

from collections.abc import Sequence

from gossamer.gossip import EpochRaised, Event, Gossip, Observer, SeedIsSelf
from gossamer.peers.host import Storage, log_event, logger
from gossamer.peers.model import GossamerError


def event_log(gossip: Gossip) -> Observer:
    """Return a follower that logs what happened to the membership."""

    def hear(events: Sequence[Event], _: float) -> None:
        for event in events:
            log_event(gossip.name, event)
            if isinstance(event, SeedIsSelf) and gossip.seed_is_self:
                logger.warning(
                    "this peer has not joined: every seed is this peer itself; add another seed",
                    extra={"peer": gossip.name},
                )

    return Observer(hear)


def epoch_file(name: str, storage: Storage) -> Observer:
    """Return a follower that keeps the peer's epoch on disk when it rises."""

    def hear(events: Sequence[Event], _: float) -> None:
        for event in events:
            if isinstance(event, EpochRaised):
                try:
                    storage.save(event.epoch)
                except GossamerError as error:
                    # The peer goes on; only a clock set back before its next start would tell.
                    logger.error("%s", error, extra={"peer": name})

    return Observer(hear)
