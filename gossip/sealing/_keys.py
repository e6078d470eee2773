"""The keys of a mesh: which of them one peer accepts, and with which it seals.

A ring is immutable.  Its methods return a changed copy, which a peer can write to disk before it
seals with the new key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self

from gossamer.gossip.basis import ConfigError

SECRET_SIZE = 32
"""AES-256."""
FINGERPRINT_SIZE = 4
PROOF_SIZE = 16
KEY_ID_MOST = 255
RING_LIMIT = 16
PLAIN = 0
"""This id means plain text: an envelope without a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A secret of 32 bytes that all peers of a mesh share, and the id by which they name it."""

    id: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key_id(self.id)
        if type(self.secret) is not bytes or len(self.secret) != SECRET_SIZE:
            raise ConfigError(
                "keys", f"key {self.id} must have {SECRET_SIZE} bytes: make a new one"
            )

    @property
    def fingerprint(self) -> bytes:
        """Four bytes that tell two keys of one id apart, and do not reveal the key."""
        return blake2b(self.secret, digest_size=FINGERPRINT_SIZE, person=b"gsmr-key").digest()

    def prove(self, statement: bytes) -> bytes:
        """Return the proof of a statement: 16 bytes that only a holder of this key can make."""
        mac = blake2b(statement, key=self.secret, digest_size=PROOF_SIZE, person=b"gsmr-decision")
        return mac.digest()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that one peer accepts, and the one with which it seals.

    Raises `ConfigError` for an impossible combination.
    """

    keys: tuple[Key, ...]
    use: int
    """The id of the key to seal with, or `PLAIN`."""
    plain: bool = False
    """Whether envelopes without a key are accepted."""

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys", "keys must have at least one key: make one with keygen")
        if len(self.keys) > RING_LIMIT:
            raise ConfigError("keys", f"keys must have at most {RING_LIMIT} keys: remove old ones")
        ids = [key.id for key in self.keys]
        for key_id in ids:
            if ids.count(key_id) > 1:
                raise ConfigError(
                    "keys", f"key {key_id} is given twice: give one of the two another id"
                )
        if self.use == PLAIN and not self.plain:
            raise ConfigError("use", "use is plain, but plain text is not accepted", "plain")
        if self.use != PLAIN and self.use not in ids:
            raise ConfigError("use", f"use names key {self.use}, which is not among the keys")

    @property
    def accepted(self) -> dict[int, bytes]:
        """The fingerprint of each accepted key, by id; empty for plain text."""
        found = {PLAIN: b""} if self.plain else {}
        return found | {key.id: key.fingerprint for key in self.keys}

    def find(self, key_id: int) -> Key | None:
        """Return the key of an id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def adding(self, keys: Iterable[Key]) -> Self:
        """Return a ring that accepts these keys too; a key that it has already changes nothing."""
        found = list(self.keys)
        for key in keys:
            held = self.find(key.id)
            if held is None:
                found.append(key)
            elif held.secret != key.secret:
                raise ConfigError(
                    "id",
                    f"this peer has a different key {key.id} ({held.fingerprint.hex()}, not"
                    f" {key.fingerprint.hex()}): make the new one with another id",
                )
        return replace(self, keys=tuple(sorted(found, key=lambda key: key.id)))

    def using(self, key_id: int) -> Self:
        """Return a ring that seals with another key."""
        return replace(self, use=key_id)

    def without(self, key_id: int) -> Self:
        """Return a ring that no longer accepts a key, or plain text."""
        if key_id == self.use:
            raise ConfigError("id", f"{key_label(key_id)} is in use here: use another one first")
        if key_id == PLAIN:
            return replace(self, plain=False)
        return replace(self, keys=tuple(key for key in self.keys if key.id != key_id))


def check_key_id(value: object) -> int:
    """Return `value` if it can be a key's id, else raise `ConfigError`."""
    if type(value) is not int or not 1 <= value <= KEY_ID_MOST:
        raise ConfigError("id", f"a key's id must be from 1 to {KEY_ID_MOST}, not {value!r}")
    return value


def key_label(key_id: int) -> str:
    """Return the words for a key, or for none."""
    return "plain text" if key_id == PLAIN else f"key {key_id}"
