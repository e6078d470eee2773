"""What operators decided on keys for the whole mesh, and the proof of it.

A decision is made at one peer and carried out by all; each has a stamp, and the later one wins.
The proof is made with a key of the mesh: while plain text is accepted anybody can say anything,
and what only looks like a decision is not even kept, since it would be carried out later.
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

# Decisions on the removal of keys that are remembered, the latest; a ring holds 16.
REMOVALS_LIMIT = 32

Named = tuple[int, bytes]
"""A key by its id and fingerprint; `(0, b"")` is plain text."""

PLAIN_NAMED: Named = (PLAIN, b"")


class Verb(IntEnum):
    """What is to be done with a key.  Of two decisions of one stamp the later verb wins."""

    ACCEPT = 0
    """After it was removed."""
    REMOVE = 1
    USE = 2


@dataclass(frozen=True, slots=True, order=True)
class Decision:
    """What is to be done with one key, from `stamp` on."""

    stamp: int
    verb: Verb
    key: Named
    signer: Named = PLAIN_NAMED
    """The key with which the proof was made; nobody believes one that was made with none."""
    proof: bytes = bytes(PROOF_SIZE)

    def signed(self, cluster: str, key: Key) -> "Decision":
        """Return this with a proof that holds for everybody who has `key`."""
        signed = replace(self, signer=(key.id, key.fingerprint))
        return replace(signed, proof=key.prove(signed._statement(cluster)))

    def holds(self, cluster: str, key: Key) -> bool:
        """Whether somebody who has `key` decided this."""
        return self.signer == (key.id, key.fingerprint) and compare_digest(
            self.proof, key.prove(self._statement(cluster))
        )

    def parts(self) -> list[object]:
        """Return this as it travels."""
        return [self.stamp, int(self.verb), *self.key, *self.signer, self.proof]

    def _statement(self, cluster: str) -> bytes:
        return encode([cluster, self.stamp, int(self.verb), *self.key])


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided in the mesh, as far as is known and believed here."""

    use: Decision | None = None
    """The latest on which key to use."""
    removals: Mapping[Named, Decision] = field(default_factory=dict)
    """The latest on whether a key is accepted, by key."""

    @property
    def latest(self) -> int:
        """The highest stamp."""
        stamps = [each.stamp for each in self.removals.values()]
        return max([*stamps, 0 if self.use is None else self.use.stamp], default=0)

    @property
    def removed(self) -> list[Named]:
        """The keys that are to be removed."""
        return [key for key, each in self.removals.items() if each.verb is Verb.REMOVE]

    def parts(self) -> list[object]:
        """Return these as they travel, and are kept."""
        used = None if self.use is None else self.use.parts()
        return [used, [each.parts() for _, each in sorted(self.removals.items())]]

    def taking(self, decision: Decision) -> "Decisions":
        """Return these with another one, which may be earlier than what is known."""
        if decision.verb is Verb.USE:
            return self.merge(Decisions(decision))
        return self.merge(Decisions(None, {decision.key: decision}))

    def those(self, believed: Callable[[Decision], bool]) -> "Decisions":
        """Return the ones among these that are believed."""
        use = self.use if self.use is not None and believed(self.use) else None
        return Decisions(use, {key: each for key, each in self.removals.items() if believed(each)})

    def merge(self, other: "Decisions") -> "Decisions":
        """Return the later of each; in whatever order they are merged, the outcome is the same."""
        uses = [use for use in (self.use, other.use) if use is not None]
        merged = dict(self.removals)
        for key, decided in other.removals.items():
            merged[key] = max(decided, merged.get(key, decided))
        latest = sorted(merged.items(), key=lambda item: (item[1], item[0]))[-REMOVALS_LIMIT:]
        return Decisions(max(uses, default=None), dict(sorted(latest)))


def parse_decisions(value: object) -> Decisions:
    """Return the decisions that were written as `value`, or raise `Malformed`."""
    match value:
        case [used, list(removals)] if len(removals) <= REMOVALS_LIMIT:
            use = None if used is None else parse_decision(used, Verb.USE)
            decided = [parse_decision(each, Verb.ACCEPT, Verb.REMOVE) for each in removals]
            return Decisions(use, {each.key: each for each in decided})
        case _:
            raise Malformed("decisions have another shape")


def parse_decision(value: object, *verbs: Verb) -> Decision:
    """Return the decision, with one of these verbs, that was written as `value`.

    Raises `Malformed`.
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
    """Return the key of that id and fingerprint, or raise `Malformed`."""
    if type(key_id) is not int or not PLAIN <= key_id <= KEY_ID_MOST:
        raise Malformed("a key's id is out of range")
    size = FINGERPRINT_SIZE if key_id != PLAIN else 0
    if type(fingerprint) is not bytes or len(fingerprint) != size:
        raise Malformed("a fingerprint has another length")
    return key_id, fingerprint
