"""How a peer adds, uses and removes keys in step with the mesh.

Keys never travel over the mesh: the operator copies each key to each host, and adds it there
(`add`).
An operator decides at one peer, for the whole mesh, to use a key or to remove one.
The decision travels in the key record of each peer, and each peer carries it out as soon as it can.
A member that is away hears of the decision when it returns.
It can return, because a peer refuses to remove a key while a known member seals with it, unless
the operator uses force.

What a peer hears from other peers never makes it send or accept plain text again.
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
from ._key_records import KEYS_RECORD, KeyRecord, decode_key_record
from ._key_report import name_some, report, summarize

if TYPE_CHECKING:
    # The import of encryption takes 30 ms and 7 MiB; a peer without keys does not need it.
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal


class Keys:
    """The keys of one peer.

    `save` writes a ring and decisions to disk; it raises `GossamerError` if it cannot.
    The peer seals nothing with a key before the key is on disk.
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
        """The keys that this peer accepts, and the key that it seals with."""
        return self._held.ring

    # Actions

    def add(self, keys: Iterable[Key], now: float) -> None:
        """Make this peer also accept these keys.

        Raises `Conflict` if this peer has a different key with the id of one of these keys, or
        would have too many keys.
        """
        keys = tuple(keys)
        try:
            ring = self.ring.adding(keys)
        except ProtocolError as error:
            raise Conflict(str(error), field="id") from None
        self._readmit(ring, [(key.id, key.fingerprint) for key in keys], now)

    def add_plain(self, now: float) -> None:
        """Make this peer also accept plain text."""
        self._readmit(replace(self.ring, plain=True), [PLAIN_NAMED], now)

    def use(self, key_id: int, now: float, *, force: bool = False) -> None:
        """Make the whole mesh seal with a key; with `PLAIN`, only this peer sends plain text.

        Raises `BadInput` if this peer does not accept the key.
        Raises `Conflict` if this peer has not joined, or if a known member does not accept the
        key; `force` omits both checks, and so leaves such members behind.
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
        """Make the whole mesh no longer accept a key, or plain text.

        Raises `BadInput` if this peer does not accept the key.
        Raises `Conflict` if this peer seals with the key, or if it is its last key.
        Raises `Conflict` also if this peer has not joined, or if a known member seals with the
        key; `force` omits these two checks, and so leaves such members behind.
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
        """Return which keys this peer accepts, and which key it uses."""
        return summarize(self.ring)

    def report(self) -> dict[str, object]:
        """Return which keys this peer accepts, and which members accept and use each of them."""
        return report(self.ring, self._file, list(self.heard.known()), self._gossip.members)

    # Input from the registry and from the core

    def apply(self, owner: str, key: str, value: bytes | None, now: float) -> None:
        """Read a change of a peer's key record, the only record of its family.

        Raises `Refused` for a damaged record, and `Unknown` for the form of a later version.
        """
        if key != KEYS_RECORD or owner == self._gossip.name:
            return
        if value is None:
            self.heard.withdrawn(owner)
            return
        try:
            record = decode_key_record(value)
        except Unknown:
            self.heard.forget(owner)
            raise
        except Malformed as error:
            self.heard.forget(owner)
            self.refused += 1
            raise Refused(str(error)) from None
        self.heard.take(owner, record)
        self._hear_decisions(record.decisions, now)

    def handle_all(self, events: Iterable[Event], _: float) -> None:
        """Handle events of the core that came together."""
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
        """Whether this peer knows a decision, or its proof is valid for a key accepted here."""
        known = self._held.decisions
        if decision in (known.use, known.removals.get(decision.key)):
            return True
        signer = self.ring.find(decision.signer[0])
        if signer is None or signer.fingerprint != decision.signer[1]:
            return False  # `_readmit` reads the decision again when that key is added
        if not decision.holds(self._gossip.config.cluster, signer):
            self.refused += 1
            return False
        return True

    def _note_lacking(self, use: Decision | None, now: float) -> None:
        """Log which key the mesh uses, if this peer does not have it.

        This peer has not checked the decision, which may be forged; so it does nothing else.
        """
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
        self, members: list[tuple[str, KeyRecord | None]], what: str, remedy: str
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
        for _, record in list(self.heard.known()):
            if record is not None:
                # This peer could not check some of these decisions without the new keys.
                self._hear_decisions(record.decisions, now)

    def _decide(self, ring: KeyRing, decisions: Decisions, now: float) -> None:
        self._held.settle(ring, decisions)
        self._held.carry_out(decisions)
        self._tell(now)

    def _deciding(self, verb: Verb, key: Named, ring: KeyRing) -> Decisions:
        """Return the known decisions and a new one, whose proof every peer concerned can check."""
        # A peer that will use a key has that key. A peer that will remove a key, or accept it
        # again, has another key; it is most likely to have the key in use.
        others = [each for each in ring.keys if (each.id, each.fingerprint) != key]
        in_use = [each for each in others if each.id == ring.use]
        used = [each for each in ring.keys if verb is Verb.USE and each.id == key[0]]
        signer = (used or in_use or others or list(ring.keys))[0]
        decision = Decision(self._stamp(), verb, key).signed(self._gossip.config.cluster, signer)
        return self._held.decisions.taking(decision)

    def _tell(self, now: float) -> None:
        ring = self.ring
        record = KeyRecord(ring.accepted, ring.use, self._held.decisions).encode()
        if record != self._told:
            self._told = record
            try:
                self._gossip.publish(KEYS_RECORD, record, now)
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
