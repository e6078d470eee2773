"""What peers tell each other of their keys: which they accept, which they use, what was decided.

Never a key itself: an attacker who had broken one would be handed those that follow it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gossamer.gossip import Malformed, decode, encode
from gossamer.peers.registry import FORM, Unknown

from ._key_decisions import Decisions, Named, named, parse_decisions

# The key of the record, which is the only one of its family.
KEYS_RECORD = "k"
# A full ring and all decisions take less than 2,000 bytes.
_NEWS_LIMIT = 4096


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
        accepts = [item for pair in sorted(self.accepts.items()) for item in pair]
        return encode([FORM, accepts, self.use, *self.decisions.parts()])


def decode_key_news(data: bytes) -> KeyNews:
    """Return what a record says; raises `Malformed`, or `Unknown` for a later version's form."""
    if len(data) > _NEWS_LIMIT:
        raise Malformed("longer than what peers say of their keys")
    return _decode(data)


# The records of all members are looked through for each question.
@lru_cache(maxsize=2048)
def _decode(data: bytes) -> KeyNews:
    match decode(data):
        case [int(form), *_] if form > FORM:
            raise Unknown(f"what peers say of their keys, in the form {form}")
        # A later version may say more behind this.
        case [int(form), list(flat), int(use), used, removals, *_] if form == FORM:
            pass
        case _:
            raise Malformed("not what peers say of their keys")
    if len(flat) % 2 or type(form) is not int:
        raise Malformed("not what peers say of their keys")
    accepts = dict(named(flat[i], flat[i + 1]) for i in range(0, len(flat), 2))
    if type(use) is not int or use not in accepts:
        raise Malformed("a key is used that is not accepted")
    return KeyNews(accepts, use, parse_decisions([used, removals]))
