"""Keys for tests: a secret for each name, and seals whose salts come from a seed."""

from hashlib import sha256
from random import Random

from gossamer.gossip import Key, KeyRing
from gossamer.gossip.keyed_seal import SALT_SIZE, KeyedSeal


def key(id: int, name: str = "") -> Key:
    """Return a key; another `name` makes it another one of the same id."""
    return Key(id, sha256(f"{id} {name}".encode()).digest())


def ring(*keys: Key, use: int | None = None, plain: bool = False) -> KeyRing:
    """Return a ring that uses the first of its keys unless another is named."""
    return KeyRing(keys, keys[0].id if use is None else use, plain)


def sealer(
    keys: KeyRing, *, seed: int = 1, cluster: str = "default", salt_envelopes: int = 1 << 32
) -> KeyedSeal:
    """Return a seal; two of one seed draw the same salts, as no two processes may."""
    rng = Random(seed)
    return KeyedSeal(
        cluster, keys, salt=lambda: rng.randbytes(SALT_SIZE), salt_envelopes=salt_envelopes
    )
