"""A peer's keys at work: accepted, used, given up, in step with the mesh.

Keys reach each host on their own way and are added there (`add`).  To use one, or to remove one,
is decided at one peer for the whole mesh: the decision travels with what each peer says of its
keys, and every peer carries it out as soon as it can.  One that is away hears of it when it
returns, which it can, since no key is removed that a known member still seals with.

What is only heard never leads back to plain text.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from gossamer.gossip import (
    ConfigError as ProtocolError,
    Event,
    Gossip,
    HybridClock,
    Key,
    KeyRing,
    Malformed,
    Notices,
    RecordTooLarge,
    key_label,
)
from gossamer.peers.host import logger
from gossamer.peers.model import BadInput, Conflict
from gossamer.peers.registry import Refused, Unknown

from ._heard import Heard
from ._held_ring import HeldRing
from ._key_decisions import PLAIN_NAMED, Decision, Decisions, Named, Verb
from ._key_news import KEYS_RECORD, KeyNews, decode_key_news
from ._key_report import name_some, report, summarize

if TYPE_CHECKING:
    # Encryption takes 30 ms and 7 MiB to import, which a peer without keys can do without.
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal


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
        self._wall = wall
        self._file = file
        self._clock = HybridClock()
        self._held = HeldRing(gossip.name, seal, decisions, save)
        self.heard = Heard(gossip)
        self._told: bytes | None = None
        self._lacking = Notices()
        self.refused = 0
        self._clock.observe(decisions.latest, round(wall() * 1000))
        self._held.carry_out(decisions)
        self._tell(now)

    @property
    def ring(self) -> KeyRing:
        """The keys that are accepted, and the one in use."""
        return self._held.ring

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
                    for name, said in self.heard.known()
                    if said is None or not said.accepts_key(key)
                ],
                f"{key_label(key_id)} is not accepted yet by",
                "add it there first",
            )
        ring = self.ring.using(key_id)
        self._decide(ring, self._deciding(Verb.USE, key, ring), now)

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
                    for name, said in self.heard.known()
                    if said is None or said.use == key_id
                ],
                f"{key_label(key_id)} is still needed by",
                "wait until all use another key",
            )
        self._decide(ring, self._deciding(Verb.REMOVE, key, ring), now)

    def summary(self) -> dict[str, object]:
        """Return which keys this peer accepts, and the one it uses."""
        return summarize(self.ring)

    def report(self) -> dict[str, object]:
        """Return which keys there are and who accepts and uses them; never a key itself."""
        return report(self.ring, self._file, list(self.heard.known()), self._gossip.members)

    # What the registry and the core tell

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Hear what a peer says of its keys: the family of records under `KEYS_RECORD`.

        Raises `Refused` for damage, `Unknown` for what a later version wrote.
        """
        if key != KEYS_RECORD or owner == self._gossip.name:
            return
        if value is None:
            self.heard.withdrawn(owner)
            return
        try:
            news = decode_key_news(value)
        except Unknown:
            self.heard.forget(owner)
            raise
        except Malformed as error:
            self.heard.forget(owner)
            self.refused += 1
            raise Refused(str(error)) from None
        self.heard.take(owner, news)
        self._hear_decisions(news.decisions, now)

    def handle_all(self, events: Iterable[Event], _: float) -> None:
        """Take in events of the core that came together."""
        for event in events:
            self.heard.handle(event)

    def _hear_decisions(self, told: Decisions, now: float) -> None:
        self._note_lacking(told.use, now)
        heard = told.those(self._believes)
        if not self._clock.observe(heard.latest, round(self._wall() * 1000)):
            self.refused += 1
            return
        merged = self._held.decisions.merge(heard)
        if merged != self._held.decisions:
            self._held.carry_out(merged)
            self._tell(now)

    def _believes(self, decision: Decision) -> bool:
        """Whether somebody who holds a key that is accepted here decided this."""
        known = self._held.decisions
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
        known = self._held.decisions
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
        named = name_some(members, self._gossip.members)
        raise Conflict(
            f"{what} {named}: {remedy}, or use force, which leaves them behind", field="id"
        )

    def _readmit(self, ring: KeyRing, keys: list[Named], now: float) -> None:
        decisions = self._held.decisions
        for key in keys:
            if key in decisions.removals:
                decisions = decisions.merge(self._deciding(Verb.ACCEPT, key, ring))
        self._decide(ring, decisions, now)
        for _, news in list(self.heard.known()):
            if news is not None:
                # Some of it could not be believed without the key.
                self._hear_decisions(news.decisions, now)

    def _decide(self, ring: KeyRing, decisions: Decisions, now: float) -> None:
        self._held.settle(ring, decisions)
        self._held.carry_out(decisions)
        self._tell(now)

    def _deciding(self, verb: Verb, key: Named, ring: KeyRing) -> Decisions:
        """Return what is decided with one more, and a proof that all who it is for can check."""
        # Who is to use a key has it; who is to remove one or to take it back has another.
        others = [each for each in ring.keys if (each.id, each.fingerprint) != key]
        in_use = [each for each in others if each.id == ring.use]
        used = [each for each in ring.keys if verb is Verb.USE and each.id == key[0]]
        signer = (used or in_use or others or list(ring.keys))[0]
        decision = Decision(self._stamp(), verb, key).signed(self._gossip.config.cluster, signer)
        return self._held.decisions.taking(decision)

    def _tell(self, now: float) -> None:
        ring = self.ring
        news = KeyNews(ring.accepted, ring.use, self._held.decisions).encode()
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
