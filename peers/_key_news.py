"""What peers tell each other of their keys: which they accept, which they use, what was decided.

Never a key itself: whoever had broken one would be handed those that follow it.

A decision to use a key, or to remove one, is made by an operator at one peer and carried out by
all; each has a stamp, and the later one wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from gossamer.gossip import FINGERPRINT_SIZE, KEY_ID_MOST, PLAIN, Malformed, decode, encode

from ._limits import STAMP_MOST
from ._records import FORM

# Decisions on the removal of keys that are remembered, the latest; a ring holds 16.
REMOVALS_LIMIT = 32

Named = tuple[int, bytes]
"""A key by its id and fingerprint; `(0, b"")` is plain text."""

PLAIN_NAMED: Named = (PLAIN, b"")


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided in the mesh, as far as is known here."""

    use: tuple[int, Named] | None = None
    """The stamp, and the key to use."""
    removals: Mapping[Named, tuple[int, bool]] = field(default_factory=dict)
    """By key the stamp, and whether it is to be removed; False where it was added again."""

    @property
    def latest(self) -> int:
        """The highest stamp."""
        stamps = [stamp for stamp, _ in self.removals.values()]
        return max([*stamps, 0 if self.use is None else self.use[0]], default=0)

    def using(self, stamp: int, key: Named) -> "Decisions":
        """Return these with the decision to use a key."""
        return Decisions((stamp, key), self.removals)

    def removing(self, stamp: int, key: Named, removed: bool) -> "Decisions":
        """Return these with the decision to remove a key, or to accept it after all."""
        return self.merge(Decisions(None, {key: (stamp, removed)}))

    def of_plain_text(self) -> "Decisions":
        """Return these without the removals of keys, which anybody may have put there."""
        kept = {key: each for key, each in self.removals.items() if key == PLAIN_NAMED}
        return Decisions(self.use, kept)

    def merge(self, other: "Decisions") -> "Decisions":
        """Return the later of each; in whatever order they are merged, the outcome is the same."""
        uses = [use for use in (self.use, other.use) if use is not None]
        merged = dict(self.removals)
        for key, decided in other.removals.items():
            merged[key] = max(decided, merged.get(key, decided))
        latest = sorted(merged.items(), key=lambda item: (item[1], item[0]))[-REMOVALS_LIMIT:]
        return Decisions(max(uses, default=None), dict(sorted(latest)))


@dataclass(frozen=True, slots=True)
class KeyNews:
    """What one peer says."""

    accepts: Mapping[int, bytes]
    """Fingerprints by id; `PLAIN` with an empty one."""
    use: int
    decisions: Decisions

    def accepts_key(self, key: Named) -> bool:
        """Whether that peer opens what is sealed with a key."""
        return self.accepts.get(key[0]) == key[1]

    def encode(self) -> bytes:
        """Return the bytes of the record that carries this."""
        use = self.decisions.use
        return encode(
            [
                FORM,
                [item for pair in sorted(self.accepts.items()) for item in pair],
                self.use,
                None if use is None else [use[0], *use[1]],
                [
                    [*key, stamp, removed]
                    for key, (stamp, removed) in sorted(self.decisions.removals.items())
                ],
            ]
        )


# The records of all members are looked through for each question.
@lru_cache(maxsize=2048)
def decode_key_news(data: bytes) -> KeyNews:
    """Return what a record says, or raise `Malformed`."""
    match decode(data):
        case [int(form), list(flat), int(use), used, list(removals)] if form == FORM:
            pass
        case _:
            raise Malformed("not what peers say of their keys")
    if len(flat) % 2 or len(removals) > REMOVALS_LIMIT or type(form) is not int:
        raise Malformed("not what peers say of their keys")
    accepts = dict(_named(flat[i], flat[i + 1]) for i in range(0, len(flat), 2))
    if type(use) is not int or use not in accepts:
        raise Malformed("a key is used that is not accepted")
    decided: dict[Named, tuple[int, bool]] = {}
    for removal in removals:
        match removal:
            case [key_id, fingerprint, stamp, bool(removed)]:
                decided[_named(key_id, fingerprint)] = (_stamp(stamp), removed)
            case _:
                raise Malformed("a decision has another shape")
    match used:
        case None:
            return KeyNews(accepts, use, Decisions(None, decided))
        case [stamp, key_id, fingerprint]:
            to_use = (_stamp(stamp), _named(key_id, fingerprint))
            return KeyNews(accepts, use, Decisions(to_use, decided))
        case _:
            raise Malformed("a decision has another shape")


def _named(key_id: object, fingerprint: object) -> Named:
    if type(key_id) is not int or not PLAIN <= key_id <= KEY_ID_MOST:
        raise Malformed("a key's id is out of range")
    size = FINGERPRINT_SIZE if key_id != PLAIN else 0
    if type(fingerprint) is not bytes or len(fingerprint) != size:
        raise Malformed("a fingerprint has another length")
    return key_id, fingerprint


def _stamp(value: object) -> int:
    if type(value) is not int or not 0 <= value <= STAMP_MOST:
        raise Malformed("a stamp is out of range")
    return value
