"""The sentences of the log."""

import logging

from gossamer.gossip import (
    PLAIN,
    EpochRaised,
    Event,
    IsolationChanged,
    Joined,
    KeyRefused,
    MemberFailed,
    MemberForgotten,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberSuspected,
    MemberUpdated,
    NameConflict,
    OwnKeyRefused,
    PathChanged,
    Refuted,
    SeedIsSelf,
)
from gossamer.peers.model import format_address

logger = logging.getLogger("gossamer")


def log_event(peer: str, event: Event) -> None:
    """Log an event of the membership; changes of the registry are not logged."""
    said = _sentence(event)
    if said is None:
        return
    level, member, sentence = said
    extra = {"peer": peer, "event": type(event).__name__, "member": member}
    logger.log(level, "%s", sentence, extra=extra)


def _sentence(event: Event) -> tuple[int, str | None, str] | None:
    match event:
        case MemberJoined(member):
            where = format_address(member.address)
            return logging.INFO, member.name, f"{member.name} joined at {where}"
        case MemberReturned(member):
            where = format_address(member.address)
            return logging.INFO, member.name, f"{member.name} is back at {where}"
        case MemberUpdated(member):
            where = format_address(member.address)
            return logging.INFO, member.name, f"{member.name} is now at {where}"
        case MemberSuspected(member, by):
            return logging.INFO, member.name, f"{by} suspects {member.name}"
        case MemberFailed(member, by, definite):
            how = "on evidence" if definite else "after silence"
            sentence = f"{member.name} was declared dead {how} by {by}"
            return logging.WARNING, member.name, sentence
        case MemberLeft(member):
            return logging.INFO, member.name, f"{member.name} left"
        case PathChanged(name, path):
            if path is None:
                return logging.INFO, name, f"UDP and TCP reach {name} again"
            sentence = f"degraded: {name} is alive, but {path} between it and this peer"
            return logging.WARNING, name, sentence
        case MemberForgotten(name):
            return logging.INFO, name, f"{name} was forgotten"
        case _:
            return _own_sentence(event)


def _own_sentence(event: Event) -> tuple[int, str | None, str] | None:
    match event:
        case Refuted(incarnation):
            sentence = f"this peer refuted a suspicion with incarnation {incarnation}"
            return logging.INFO, None, sentence
        case EpochRaised(epoch):
            sentence = f"this peer took epoch {epoch}: the mesh knew a later life of this peer"
            return logging.INFO, None, sentence
        case IsolationChanged(isolated):
            if isolated:
                return (
                    logging.WARNING,
                    None,
                    "most probes fail: this peer considers itself isolated",
                )
            return logging.INFO, None, "probes succeed again: this peer is no longer isolated"
        case Joined():
            return logging.INFO, None, "this peer joined the mesh"
        case SeedIsSelf(address):
            # Harmless where all peers share one list of seeds.
            return logging.INFO, None, f"seed {format_address(address)} is this peer itself"
        case NameConflict(address):
            sentence = (
                f"another live process at {format_address(address)} uses this peer's name:"
                " give one of them another name and its own data directory"
            )
            return logging.ERROR, None, sentence
        case KeyRefused(address, key_id, held):
            return logging.WARNING, None, _foreign_key(format_address(address), key_id, held)
        case OwnKeyRefused(address):
            sentence = (
                f"{format_address(address)} does not accept the key that this peer seals with:"
                " compare 'gossamer keys list' at both peers"
            )
            return logging.WARNING, None, sentence
        case _:
            return None


def _foreign_key(where: str, key_id: int, held: bool) -> str:
    if key_id == PLAIN:
        return f"refused: {where} sends plain text: start that peer with the mesh's key file"
    if held:
        return (
            f"refused: {where} seals with a different key {key_id} than this peer:"
            " one of the two peers has the wrong key file"
        )
    return f"refused: {where} seals with key {key_id}, which this peer does not accept"
