"""The decisions of operators on keys, for the whole mesh, and the proof that each carries.

An operator decides at one peer, and all peers carry the decision out.
Each decision has a stamp; of two decisions on the same matter, the later one wins.
The proof is made with a key of the mesh, because anybody can send anything while peers accept
plain text.
A peer does not even keep a decision without a valid proof; otherwise it would carry the decision
out later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from hmac import compare_digest

from gossamer.gossip import (
    FINGERPRINT_SIZE,
    KEY_ID_MOST,
    PLAIN,
    PROOF_SIZE,
    STAMP_LIMIT,
    Key,
    Malformed,
    encode,
)

# A peer remembers so many decisions to remove or accept a key, the latest ones; a ring holds 16
# keys.
REMOVALS_LIMIT = 32

Named = tuple[int, bytes]
"""The id and the fingerprint of a key; `(0, b"")` stands for plain text."""

PLAIN_NAMED: Named = (PLAIN, b"")


class Verb(IntEnum):
    """What peers do with a key. Of two decisions with one stamp, the higher verb wins."""

    ACCEPT = 0
    """Accept the key again, after its removal."""
    REMOVE = 1
    USE = 2


@dataclass(frozen=True, slots=True, order=True)
class Decision:
    """What peers do with one key from `stamp` on."""

    stamp: int
    verb: Verb
    key: Named
    signer: Named = PLAIN_NAMED
    """The key with which the proof was made.

    `PLAIN_NAMED` means that there is no proof; no peer believes such a decision.
    """
    proof: bytes = bytes(PROOF_SIZE)

    def signed(self, cluster: str, key: Key) -> "Decision":
        """Return this decision with a proof that every holder of `key` can check."""
        signed = replace(self, signer=(key.id, key.fingerprint))
        return replace(signed, proof=key.prove(signed._statement(cluster)))

    def holds(self, cluster: str, key: Key) -> bool:
        """Whether the proof is valid and was made with `key`."""
        return self.signer == (key.id, key.fingerprint) and compare_digest(
            self.proof, key.prove(self._statement(cluster))
        )

    def parts(self) -> list[object]:
        """Return the items of this decision, as a key record and the key file contain them."""
        return [self.stamp, int(self.verb), *self.key, *self.signer, self.proof]

    def _statement(self, cluster: str) -> bytes:
        return encode([cluster, self.stamp, int(self.verb), *self.key])


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions: at most one on which key to use, and one for each key on whether to accept it."""

    use: Decision | None = None
    """The latest decision on which key to use."""
    removals: Mapping[Named, Decision] = field(default_factory=dict)
    """For each key, the latest decision to remove it or to accept it again."""

    @property
    def latest(self) -> int:
        """The highest stamp of these decisions; 0 if there are none."""
        stamps = [each.stamp for each in self.removals.values()]
        return max([*stamps, 0 if self.use is None else self.use.stamp], default=0)

    @property
    def removed(self) -> list[Named]:
        """The keys whose latest decision is to remove them."""
        return [key for key, each in self.removals.items() if each.verb is Verb.REMOVE]

    def parts(self) -> list[object]:
        """Return the items of these decisions, as a key record and the key file contain them."""
        used = None if self.use is None else self.use.parts()
        return [used, [each.parts() for _, each in sorted(self.removals.items())]]

    def taking(self, decision: Decision) -> "Decisions":
        """Return these decisions merged with another one, which may be older than these."""
        if decision.verb is Verb.USE:
            return self.merge(Decisions(decision))
        return self.merge(Decisions(None, {decision.key: decision}))

    def those(self, believed: Callable[[Decision], bool]) -> "Decisions":
        """Return those of these decisions for which `believed` is true."""
        use = self.use if self.use is not None and believed(self.use) else None
        return Decisions(use, {key: each for key, each in self.removals.items() if believed(each)})

    def merge(self, other: "Decisions") -> "Decisions":
        """Return the latest decision on each matter; the order of merges does not matter."""
        uses = [use for use in (self.use, other.use) if use is not None]
        merged = dict(self.removals)
        for key, decided in other.removals.items():
            merged[key] = max(decided, merged.get(key, decided))
        latest = sorted(merged.items(), key=lambda item: (item[1], item[0]))[-REMOVALS_LIMIT:]
        return Decisions(max(uses, default=None), dict(sorted(latest)))


def parse_decisions(value: object) -> Decisions:
    """Return the decisions whose items are `value`; raises `Malformed`."""
    match value:
        case [used, list(removals)] if len(removals) <= REMOVALS_LIMIT:
            use = None if used is None else parse_decision(used, Verb.USE)
            decided = [parse_decision(each, Verb.ACCEPT, Verb.REMOVE) for each in removals]
            return Decisions(use, {each.key: each for each in decided})
        case _:
            raise Malformed("decisions have another shape")


def parse_decision(value: object, *verbs: Verb) -> Decision:
    """Return the decision whose items are `value`.

    Raises `Malformed`, also if the decision has none of these verbs.
    """
    match value:
        case [int(stamp), int(verb), key_id, fingerprint, signer_id, signer, bytes(proof)]:
            pass
        case _:
            raise Malformed("a decision has another shape")
    if type(stamp) is not int or not 0 <= stamp <= STAMP_LIMIT:
        raise Malformed("a stamp is out of range")
    if type(verb) is not int or verb not in verbs:
        raise Malformed("a decision is of another kind")
    if len(proof) != PROOF_SIZE:
        raise Malformed("a proof has another length")
    key, made_with = named(key_id, fingerprint), named(signer_id, signer)
    return Decision(stamp, Verb(verb), key, made_with, proof)


def named(key_id: object, fingerprint: object) -> Named:
    """Return an id and a fingerprint after a check; raises `Malformed`."""
    if type(key_id) is not int or not PLAIN <= key_id <= KEY_ID_MOST:
        raise Malformed("a key's id is out of range")
    size = FINGERPRINT_SIZE if key_id != PLAIN else 0
    if type(fingerprint) is not bytes or len(fingerprint) != size:
        raise Malformed("a fingerprint has another length")
    return key_id, fingerprint
