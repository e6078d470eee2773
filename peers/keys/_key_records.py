"""The key record: it tells which keys a peer accepts, which key it uses, and what was decided.

A key record never contains a key. Otherwise an attacker who has broken one key would receive the
next ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gossamer.gossip import Malformed, decode, encode
from gossamer.peers.registry import FORM, Unknown

from ._key_decisions import Decisions, Named, named, parse_decisions

# The record key of a key record. Each peer has only one record of this family.
KEYS_RECORD = "k"
# A full ring and all decisions take less than 2,000 bytes.
_RECORD_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The content of one peer's key record."""

    accepts: Mapping[int, bytes]
    """The fingerprint of each accepted key, by id; `PLAIN` has an empty one."""
    use: int
    decisions: Decisions

    def accepts_key(self, key: Named) -> bool:
        """Whether the peer accepts a key."""
        return self.accepts.get(key[0]) == key[1]

    def encode(self) -> bytes:
        """Return the bytes of this record."""
        accepts = [item for pair in sorted(self.accepts.items()) for item in pair]
        return encode([FORM, accepts, self.use, *self.decisions.parts()])


def decode_key_record(data: bytes) -> KeyRecord:
    """Return the content of a key record.

    Raises `Malformed`, or `Unknown` if a later version wrote it in another form.
    """
    if len(data) > _RECORD_LIMIT:
        raise Malformed("a key record is longer than allowed")
    return _decode(data)


# Each action and each report on keys reads the records of all members.
@lru_cache(maxsize=2048)
def _decode(data: bytes) -> KeyRecord:
    match decode(data):
        case [int(form), *_] if form > FORM:
            raise Unknown(f"a key record in the form {form}")
        # A later version may append items.
        case [int(form), list(flat), int(use), used, removals, *_] if form == FORM:
            pass
        case _:
            raise Malformed("a key record has another shape")
    if len(flat) % 2 or type(form) is not int:
        raise Malformed("a key record has another shape")
    accepts = dict(named(flat[i], flat[i + 1]) for i in range(0, len(flat), 2))
    if type(use) is not int or use not in accepts:
        raise Malformed("a key is used that is not accepted")
    return KeyRecord(accepts, use, parse_decisions([used, removals]))
