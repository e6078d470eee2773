"""The envelope with a key: AES-256-GCM over the body, bound to header and cluster.

    offset  bytes  field
    0       21     the header of _seal.py: form 1, the key's id
    21      4      fingerprint of the key, which tells a wrong key from damage
    25      16     salt: random, drawn by the sender for a limited number of envelopes
    41      4      counter under this salt
    45      ...    encrypted body, and 16 bytes of tag

The key of the mesh encrypts nothing itself.  Each sender draws a salt at its start, derives its own
key from the mesh's key and the salt (HKDF-SHA256, RFC 5869), and counts its nonces up from 0.  It
draws another salt before the counter overflows.  So no nonce is used twice under one key, even
across restarts, and the sender stores nothing on disk for that: only two equal salts of 128 bits
could repeat one.

An attacker can record a datagram and send it again.  A receiver therefore remembers the latest
counters of each salt, for the datagrams that are meant for its own life.  It refuses a counter that
it has seen, and one that is more than 127 below the highest.  Frames have their own salts and need
no such memory: each frame is bound to what its sender has received in this conversation
(kernel/_exchange.py), so it fits into no other conversation.
"""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gossamer.gossip.basis import BoundedMap

from ._keys import FINGERPRINT_SIZE, PLAIN, Key, KeyRing
from ._seal import (
    FORM_AES_GCM,
    HEADER,
    MAGIC,
    PROTOCOL_VERSION,
    ChecksumSeal,
    ForeignKey,
    Refused,
    check_header,
    cluster_hash,
)

SALT_SIZE = 16
_COUNTER_SIZE = 4
_TAG_SIZE = 16
_SALT_AT = HEADER.size + FINGERPRINT_SIZE
_COUNTER_AT = _SALT_AT + SALT_SIZE
_BODY_AT = _COUNTER_AT + _COUNTER_SIZE
# GCM's nonce has 12 bytes.
_NONCE_FILL = bytes(12 - _COUNTER_SIZE)
SALT_ENVELOPES = 1 << 8 * _COUNTER_SIZE
"""How many envelopes one salt serves."""

# Key id; fingerprint and salt.
_Name = tuple[int, bytes]

# Salts of other peers whose ciphers are kept: each peer has two, and a new pair after a restart.
_CIPHERS_LIMIT = 4096
# Salts whose counters are remembered; each costs about 300 bytes.
_SALTS_LIMIT = 16_384
# How many counters of a salt are remembered.
_WINDOW = 128
_WINDOW_BITS = (1 << _WINDOW) - 1


class KeyedSeal:
    """Seals with one key of a ring and opens with all of them; the ring can be replaced.

    `salt` returns 16 random bytes that nobody can predict or repeat: the operating system's, except
    in simulations.
    Only the process that made this object may use it: after a fork two processes would use the same
    nonces.
    """

    overhead = _BODY_AT + _TAG_SIZE

    def __init__(
        self,
        cluster: str,
        ring: KeyRing,
        *,
        salt: Callable[[], bytes],
        salt_envelopes: int = SALT_ENVELOPES,
    ) -> None:
        self._plain = ChecksumSeal(cluster)
        self._cluster = cluster_hash(cluster)
        self._cluster_name = cluster.encode()
        self._datagrams = _Channel(b"datagram", salt, salt_envelopes)
        self._frames = _Channel(b"frame", salt, salt_envelopes)
        self._memory = _Memory()
        self.ring = ring

    @property
    def ring(self) -> KeyRing:
        """The accepted keys, and the one in use; a new ring applies from the next call on."""
        return self._ring

    @ring.setter
    def ring(self, ring: KeyRing) -> None:
        self._ring = ring
        self._keys = {key.id: (key, key.fingerprint) for key in ring.keys}
        accepted = set(ring.accepted.items())
        for channel in (self._datagrams, self._frames):
            channel.use(ring.find(ring.use))
            channel.forget_all_but(accepted)

    def seal(self, body: bytes, to_epoch: int) -> bytes:
        """Return the datagram of `body`, addressed to the life `to_epoch` of a peer (0: any)."""
        return self._seal(self._datagrams, body, to_epoch)

    def open(self, data: bytes) -> tuple[int, bytes]:
        """Return the epoch that a datagram is addressed to and its body, or raise `Refused`."""
        return self._open(self._datagrams, data)

    def once(self, data: bytes) -> None:
        """Raise `Refused` if an opened datagram was received before, or if that is uncertain."""
        if data[3] == FORM_AES_GCM:
            name = data[4], data[HEADER.size : _COUNTER_AT]
            self._memory.note(name, int.from_bytes(data[_COUNTER_AT:_BODY_AT]))

    def seal_frame(self, body: bytes, to_epoch: int, bound: bytes = b"") -> bytes:
        """Do the same as `seal` for a frame of a stream, bound to what was received on it."""
        return self._seal(self._frames, body, to_epoch, bound)

    def open_frame(self, data: bytes, bound: bytes = b"") -> tuple[int, bytes]:
        """Do the same as `open` for a frame of a stream."""
        return self._open(self._frames, data, bound)

    def _seal(self, channel: "_Channel", body: bytes, to_epoch: int, bound: bytes = b"") -> bytes:
        ring = self._ring
        if ring.use == PLAIN:
            return self._plain.seal(body, to_epoch)
        cipher, prefix, counter = channel.next()
        number = counter.to_bytes(_COUNTER_SIZE)
        head = (
            HEADER.pack(MAGIC, PROTOCOL_VERSION, FORM_AES_GCM, ring.use, self._cluster, to_epoch)
            + prefix
            + number
        )
        return head + cipher.encrypt(_NONCE_FILL + number, body, head + bound + self._cluster_name)

    def _open(self, channel: "_Channel", data: bytes, bound: bytes = b"") -> tuple[int, bytes]:
        form, key_id, to_epoch = check_header(data, self._cluster)
        if form != FORM_AES_GCM:
            opened = self._plain.open(data)
            if not self._ring.plain:
                raise ForeignKey(PLAIN)
            return opened
        if len(data) < _BODY_AT + _TAG_SIZE:
            raise Refused("truncated")
        held = self._keys.get(key_id)
        if held is None:
            raise ForeignKey(key_id)
        key, fingerprint = held
        if data[HEADER.size : _SALT_AT] != fingerprint:
            raise ForeignKey(key_id, held=True)
        name = key_id, data[HEADER.size : _COUNTER_AT]
        cipher = channel.cipher(key, name)
        number = data[_COUNTER_AT:_BODY_AT]
        try:
            body = cipher.decrypt(
                _NONCE_FILL + number, data[_BODY_AT:], data[:_BODY_AT] + bound + self._cluster_name
            )
        except InvalidTag:
            raise Refused("checksum") from None
        # Only now, because a forged envelope must not push out the cipher of a real one.
        channel.keep(name, cipher)
        return to_epoch, body


class _Memory:
    """The latest counters of each salt, also of salts whose key is no longer accepted."""

    def __init__(self) -> None:
        # By salt: the highest counter, and one bit for each counter below it.  The salt that was
        # used last is at the end.
        self._heard = BoundedMap[_Name, tuple[int, int]](_SALTS_LIMIT)

    def note(self, name: _Name, counter: int) -> None:
        """Remember a counter of a salt; raise `Refused` if it is known, or too far behind."""
        highest, heard = self._heard.pop(name, (-1, 0))
        try:
            behind = highest - counter
            if behind >= _WINDOW or (behind >= 0 and heard >> behind & 1):
                raise Refused("replay")
            if behind < 0:
                # If the counter is far ahead, no known counter is in the window any more.
                heard = heard << -behind & _WINDOW_BITS if -behind < _WINDOW else 0
                highest, behind = counter, 0
            heard |= 1 << behind
        finally:
            self._heard.keep(name, (highest, heard))


class _Channel:
    """Datagrams or frames: this peer's salt and its counter, and the salts of other peers."""

    def __init__(self, purpose: bytes, salt: Callable[[], bytes], salt_envelopes: int) -> None:
        self._purpose = purpose
        self._draw = salt
        self._limit = salt_envelopes
        self._counter = 0
        self._key: Key | None = None
        self._prefix = b""
        self._cipher: AESGCM | None = None
        # The ciphers of other peers' salts; the one that was used last is at the end.
        self._ciphers = BoundedMap[_Name, AESGCM](_CIPHERS_LIMIT)

    def use(self, key: Key | None) -> None:
        """Seal with another key from now on, and therefore with another salt."""
        if key != self._key:
            self._key = key
            self._cipher = None

    def next(self) -> tuple[AESGCM, bytes, int]:
        """Return the cipher, the names of key and salt, and a counter that was not used yet."""
        if self._cipher is None or self._counter >= self._limit:
            key = self._key
            assert key is not None
            salt = self._draw()
            assert len(salt) == SALT_SIZE
            self._cipher = self._derive(key, salt)
            self._prefix = key.fingerprint + salt
            self._counter = 0
        counter = self._counter
        self._counter += 1
        return self._cipher, self._prefix, counter

    def cipher(self, key: Key, name: _Name) -> AESGCM:
        """Return the cipher of another peer's salt."""
        return self._ciphers.get(name) or self._derive(key, name[1][FINGERPRINT_SIZE:])

    def keep(self, name: _Name, cipher: AESGCM) -> None:
        """Keep a cipher, and forget the one that was not used for the longest time."""
        self._ciphers.keep(name, cipher)

    def forget_all_but(self, accepted: set[tuple[int, bytes]]) -> None:
        """Forget the ciphers of all keys that are not in `accepted` (id and fingerprint)."""
        for key_id, prefix in list(self._ciphers):
            if (key_id, prefix[:FINGERPRINT_SIZE]) not in accepted:
                del self._ciphers[key_id, prefix]

    def _derive(self, key: Key, salt: bytes) -> AESGCM:
        info = b"gossamer " + self._purpose
        return AESGCM(HKDF(SHA256(), 32, salt, info).derive(key.secret))
