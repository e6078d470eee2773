"""A peer's keys at work: accepted, used, given up, in step with the mesh.

Keys reach each host on their own way and are added there (`add`).  To use one, or to remove one,
is decided at one peer for the whole mesh: the decision travels with what each peer says of its
keys, and every peer carries it out as soon as it can.  One that is away hears of it when it
returns, which it can, since no key is removed that a known member still seals with.

What is only heard never leads back to plain text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gossamer.gossip import (
    PLAIN,
    ConfigError as ProtocolError,
    Event,
    Gossip,
    HybridClock,
    Key,
    KeyRing,
    Malformed,
    Member,
    MemberForgotten,
    Notices,
    PartChanged,
    PartDropped,
    RecordTooLarge,
    key_label,
)
from gossamer.peers.host import logger
from gossamer.peers.model import BadInput, Conflict, GossamerError
from gossamer.peers.registry import Refused

from ._key_decisions import PLAIN_NAMED, Decision, Decisions, Named, Verb
from ._key_news import KEYS_RECORD, KeyNews, decode_key_news

if TYPE_CHECKING:
    # Encryption takes 30 ms and 7 MiB to import, which a peer without keys can do without.
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal

# So many members are named in a sentence.
_NAMED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Said:
    """What a member said of its keys, and in which of its lives."""

    epoch: int
    news: KeyNews


class Keys:
    """The keys of one peer.

    `save` keeps a ring, and what was decided, on disk and raises `GossamerError` if it cannot;
    nothing is sealed with a key before that.
    """

    def __init__(
        self,
        gossip: Gossip,
        seal: "KeyedSeal",
        decisions: Decisions,
        *,
        wall: Callable[[], float],
        save: Callable[[KeyRing, Decisions], None],
        now: float,
        file: str | None = None,
    ) -> None:
        self._gossip = gossip
        self._seal = seal
        self._wall = wall
        self._save = save
        self._file = file
        self._clock = HybridClock()
        self._decisions = decisions
        self._said: dict[str, _Said] = {}
        self._told: bytes | None = None
        self._lacking = Notices()
        self.refused = 0
        self._clock.observe(decisions.latest, round(wall() * 1000))
        self._carry_out()
        self._tell(now)

    @property
    def ring(self) -> KeyRing:
        """The keys that are accepted, and the one in use."""
        return self._seal.ring

    # Actions

    def add(self, keys: Iterable[Key], now: float) -> None:
        """Accept these keys as well; raises `Conflict` if another key has the id of one."""
        keys = tuple(keys)
        try:
            ring = self.ring.adding(keys)
        except ProtocolError as error:
            raise Conflict(str(error), field="id") from None
        self._readmit(ring, [(key.id, key.fingerprint) for key in keys], now)

    def add_plain(self, now: float) -> None:
        """Accept plain text as well, at this peer."""
        self._readmit(replace(self.ring, plain=True), [PLAIN_NAMED], now)

    def use(self, key_id: int, now: float, *, force: bool = False) -> None:
        """Have the mesh seal with a key; with plain text, this peer alone.

        Raises `BadInput` if this peer does not accept it, `Conflict` if a known member does not;
        `force` leaves those behind.
        """
        key = self._named(key_id, ": add it first")
        if not force:
            self._check_joined()
            self._refuse_for(
                [
                    (name, said)
                    for name, said in self._known()
                    if said is None or not said.accepts_key(key)
                ],
                f"{key_label(key_id)} is not accepted yet by",
                "add it there first",
            )
        ring = self.ring.using(key_id)
        self._settle(ring, self._deciding(Verb.USE, key, ring))
        self._carry_out()
        self._tell(now)

    def remove(self, key_id: int, now: float, *, force: bool = False) -> None:
        """Have the mesh no longer accept a key, or plain text.

        Raises `BadInput` if this peer does not accept it, `Conflict` if this peer seals with it
        or a known member does; `force` leaves those behind.
        """
        key = self._named(key_id)
        try:
            ring = self.ring.without(key_id)
        except ProtocolError as error:
            raise Conflict(str(error), field="id") from None
        if not force:
            self._check_joined()
            self._refuse_for(
                [
                    (name, said)
                    for name, said in self._known()
                    if said is None or said.use == key_id
                ],
                f"{key_label(key_id)} is still needed by",
                "wait until all use another key",
            )
        self._settle(ring, self._deciding(Verb.REMOVE, key, ring))
        self._carry_out()
        self._tell(now)

    def summary(self) -> dict[str, object]:
        """Return which keys this peer accepts, and the one it uses."""
        ring = self.ring
        return {"use": _shown(ring.use), "accepts": [_shown(each) for each in ring.accepted]}

    def report(self) -> dict[str, object]:
        """Return which keys there are and who accepts and uses them; never a key itself."""
        known = list(self._known())
        keys = []
        for key_id, fingerprint in self.ring.accepted.items():
            lacking = [n for n, s in known if s is None or not s.accepts_key((key_id, fingerprint))]
            using = [n for n, s in known if s is not None and s.use == key_id]
            keys.append(
                {
                    "id": _shown(key_id),
                    "fingerprint": fingerprint.hex() or None,
                    "in_use": key_id == self.ring.use,
                    "used_by": using,
                    "lacking": lacking,
                }
            )
        return {
            "file": self._file,
            "use": _shown(self.ring.use),
            "plain": self.ring.plain,
            "keys": keys,
            "members": [
                {
                    "name": name,
                    "status": self._gossip.members[name].status.label,
                    "accepts": None if said is None else [_shown(each) for each in said.accepts],
                    "use": None if said is None else _shown(said.use),
                }
                for name, said in known
            ],
        }

    # What the registry and the core tell

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Hear what a peer says of its keys: the family of records under `KEYS_RECORD`.

        Raises `Refused` for damage.
        """
        if key != KEYS_RECORD or owner == self._gossip.name:
            return
        part = self._gossip.parts.get(owner)
        if value is None:
            # What was said stays known when the part of a dead member is dropped.
            if part is not None or owner not in self._gossip.members:
                self._said.pop(owner, None)
            return
        try:
            news = decode_key_news(value)
        except Malformed as error:
            self._said.pop(owner, None)
            self.refused += 1
            raise Refused(str(error)) from None
        self._said[owner] = _Said(0 if part is None else part.epoch, news)
        self._hear_decisions(news.decisions, now)

    def handle(self, event: Event, now: float) -> None:
        """Take in one event of the core."""
        match event:
            case PartChanged(owner):
                said, part = self._said.get(owner), self._gossip.parts.get(owner)
                if said is not None and part is not None and said.epoch != part.epoch:
                    # A later life said the same, which is no change to `apply`.
                    self._said[owner] = _Said(part.epoch, said.news)
            case MemberForgotten(name):
                self._said.pop(name, None)
            case PartDropped(owner) if owner not in self._gossip.members:
                self._said.pop(owner, None)
            case _:
                pass

    def _hear_decisions(self, told: Decisions, now: float) -> None:
        self._note_lacking(told.use, now)
        heard = told.those(self._believes)
        if not self._clock.observe(heard.latest, round(self._wall() * 1000)):
            self.refused += 1
            return
        merged = self._decisions.merge(heard)
        if merged != self._decisions:
            self._carry_out(merged)
            self._tell(now)

    def _believes(self, decision: Decision) -> bool:
        """Whether somebody who holds a key that is accepted here decided this."""
        known = self._decisions
        if decision in (known.use, known.removals.get(decision.key)):
            return True
        signer = self.ring.find(decision.signer[0])
        if signer is None or signer.fingerprint != decision.signer[1]:
            return False  # to be heard again when that key is added
        if not decision.holds(self._gossip.config.cluster, signer):
            self.refused += 1
            return False
        return True

    def _note_lacking(self, use: Decision | None, now: float) -> None:
        """Say which key the mesh uses, if it is lacking here; others may only pretend so."""
        known = self._decisions
        if use is None or (known.use is not None and use.stamp <= known.use.stamp):
            return
        key_id, fingerprint = use.key
        if self.ring.accepted.get(key_id) == fingerprint or use.key in known.removed:
            return
        if self._lacking.tell(use.key, now):
            self._log_error(
                f"the mesh seals with {key_label(key_id)} ({fingerprint.hex()}), which this peer"
                " does not have: add it with 'gossamer keys add'"
            )

    # Within

    def _known(self) -> Iterable[tuple[str, KeyNews | None]]:
        """Yield the other members, dead ones too, and what each said in its present life."""
        for name, member in sorted(self._gossip.members.items()):
            yield name, self._news_of(member)

    def _news_of(self, member: Member) -> KeyNews | None:
        part = self._gossip.parts.get(member.name)
        if part is None:
            # The records of the dead are dropped long before they are forgotten themselves.
            said = self._said.get(member.name)
            return None if said is None or said.epoch < member.epoch else said.news
        record = part.records.get(KEYS_RECORD)
        if record is None or part.epoch < member.epoch:
            return None
        try:
            return decode_key_news(record)
        except Malformed:
            return None

    def _named(self, key_id: int, remedy: str = "") -> Named:
        accepted = self.ring.accepted
        if key_id not in accepted:
            held = ", ".join(key_label(each) for each in accepted)
            raise BadInput(
                "id", f"this peer does not accept {key_label(key_id)}; it accepts {held}{remedy}"
            )
        return key_id, accepted[key_id]

    def _check_joined(self) -> None:
        if not self._gossip.joined:
            raise Conflict(
                "this peer has not joined the mesh, so it does not know which members need a key:"
                " let it join first, or use force, which leaves members behind",
                field="id",
            )

    def _refuse_for(
        self, members: list[tuple[str, KeyNews | None]], what: str, remedy: str
    ) -> None:
        if not members:
            return
        named = [self._describe(name, said) for name, said in members[:_NAMED_AT_ONCE]]
        if len(members) > _NAMED_AT_ONCE:
            named.append(f"{len(members) - _NAMED_AT_ONCE} more")
        raise Conflict(
            f"{what} {', '.join(named)}: {remedy}, or use force, which leaves them behind",
            field="id",
        )

    def _describe(self, name: str, said: KeyNews | None) -> str:
        status = self._gossip.members[name].status.label
        remarks = [status] if status != "alive" else []
        if said is None:
            remarks.append("has not said which keys it has")
        return f"{name} ({', '.join(remarks)})" if remarks else name

    def _readmit(self, ring: KeyRing, keys: list[Named], now: float) -> None:
        decisions = self._decisions
        for key in keys:
            if key in decisions.removals:
                decisions = decisions.merge(self._deciding(Verb.ACCEPT, key, ring))
        self._settle(ring, decisions)
        self._carry_out()
        self._tell(now)
        for _, news in list(self._known()):
            if news is not None:
                # Some of it could not be believed without the key.
                self._hear_decisions(news.decisions, now)

    def _deciding(self, verb: Verb, key: Named, ring: KeyRing) -> Decisions:
        """Return what is decided with one more, and a proof that all who it is for can check."""
        # Who is to use a key has it; who is to remove one or to take it back has another.
        others = [each for each in ring.keys if (each.id, each.fingerprint) != key]
        in_use = [each for each in others if each.id == ring.use]
        used = [each for each in ring.keys if verb is Verb.USE and each.id == key[0]]
        signer = (used or in_use or others or list(ring.keys))[0]
        decision = Decision(self._stamp(), verb, key).signed(self._gossip.config.cluster, signer)
        return self._decisions.taking(decision)

    def _settle(self, ring: KeyRing, decisions: Decisions) -> None:
        if (ring, decisions) != (self.ring, self._decisions):
            self._save(ring, decisions)
            self._decisions = decisions
            if ring != self.ring:
                self._seal.ring = ring

    def _carry_out(self, decisions: Decisions | None = None) -> None:
        """Do what was decided in the mesh, as far as this peer has the keys for it."""
        if decisions is None:
            decisions = self._decisions
        before, ring = self.ring, self._decided(decisions)
        try:
            self._settle(ring, decisions)
        except GossamerError as error:
            # Told to others all the same.
            self._decisions = decisions
            self._log_error(
                f"this peer could not carry out the mesh's decision on keys: {error};"
                " repair that, then decide again"
            )
            return
        if ring != before:
            used = key_label(ring.use)
            accepted = ", ".join(key_label(each) for each in ring.accepted)
            logger.info(
                "the mesh decided on keys: this peer now seals with %s and accepts %s",
                used,
                accepted,
                extra=self._extra,
            )

    def _decided(self, decisions: Decisions) -> KeyRing:
        ring = self.ring
        gone = decisions.removed
        use = decisions.use
        if use is not None and use.key not in (PLAIN_NAMED, *gone):
            key_id, fingerprint = use.key
            if ring.accepted.get(key_id) == fingerprint:
                ring = ring.using(key_id)
        for key in gone:
            if ring.accepted.get(key[0]) != key[1]:
                continue
            if ring.use == key[0] != PLAIN:
                # Used and removed by two operators at once: it goes, as some have lost it by now.
                others = [each.id for each in ring.keys if (each.id, each.fingerprint) not in gone]
                if not others:
                    continue
                ring = ring.using(others[0])
            if ring.use != key[0]:
                ring = ring.without(key[0])
        return ring

    def _tell(self, now: float) -> None:
        ring = self.ring
        news = KeyNews(ring.accepted, ring.use, self._decisions).encode()
        if news != self._told:
            self._told = news
            try:
                self._gossip.publish(KEYS_RECORD, news, now)
            except RecordTooLarge as error:
                self._told = None
                self._log_error(f"this peer cannot publish which keys it has: {error}")

    def _stamp(self) -> int:
        return self._clock.next(round(self._wall() * 1000))

    @property
    def _extra(self) -> dict[str, object]:
        return {"peer": self._gossip.name}

    def _log_error(self, sentence: str) -> None:
        logger.error("%s", sentence, extra=self._extra)


def _shown(key_id: int) -> int | str:
    """As JSON has it."""
    return "plain" if key_id == PLAIN else key_id
