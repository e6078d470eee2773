"""The envelope with a key: AES-256-GCM over the body, bound to header and cluster.

    offset  bytes  field
    0       21     header as ever (_seal.py): form 1, the key's id
    21      4      fingerprint of the key, so that a wrong one is told from damage
    25      16     salt: random, of this sender and for so many envelopes
    41      4      counter under this salt
    45      ...    encrypted body, and 16 bytes of tag

A key is never used itself.  Each sender draws a salt at its start, derives a key of its own from
both (HKDF-SHA256, RFC 5869), and counts its nonces up from 0; before the counter would come round
it draws another salt.  So no nonce is used twice under one key, also across restarts and without
anything being kept on disk: that would take two equal salts of 128 bits.

Whoever records a datagram can send it again.  Of those that are meant for its own life a receiver
remembers the latest counters of each salt, and refuses those it has seen and those that more than
127 later ones overtook.  Frames have salts apart from datagrams and no such memory: each is bound
to what its sender has heard in that very conversation (_exchange.py), so that none fits into
another one.
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

# Salts of others whose ciphers are at hand: each peer has two, and a new pair after a restart.
_CIPHERS_LIMIT = 4096
# Those whose counters are remembered; each costs some 300 bytes.
_SALTS_LIMIT = 16_384
# How many counters.
_WINDOW = 128
_WINDOW_BITS = (1 << _WINDOW) - 1


class KeyedSeal:
    """Seals with one key of a ring and opens with all of them; may be handed another ring.

    `salt` returns 16 random bytes that nobody can predict or repeat: of the operating system, but
    for simulations.
    One process makes it and no other goes on with it: after a fork both would count on.
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
        """The keys that are accepted, and the one in use; a new ring holds from the next call."""
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
        """Return the datagram of `body`, addressed to a peer's life `to_epoch` (0: any)."""
        return self._seal(self._datagrams, body, to_epoch)

    def open(self, data: bytes) -> tuple[int, bytes]:
        """Return the epoch that a datagram is addressed to and its body, or raise `Refused`."""
        return self._open(self._datagrams, data)

    def once(self, data: bytes) -> None:
        """Raise `Refused` if a datagram that was opened has been here before, or may have been."""
        if data[3] == FORM_AES_GCM:
            name = data[4], data[HEADER.size : _COUNTER_AT]
            self._memory.note(name, int.from_bytes(data[_COUNTER_AT:_BODY_AT]))

    def seal_frame(self, body: bytes, to_epoch: int, bound: bytes = b"") -> bytes:
        """As `seal`, for a frame of a stream, bound to what was heard in it."""
        return self._seal(self._frames, body, to_epoch, bound)

    def open_frame(self, data: bytes, bound: bytes = b"") -> tuple[int, bytes]:
        """As `open`, for a frame of a stream."""
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
        # Only now: what is not authentic must not push out what is.
        channel.keep(name, cipher)
        return to_epoch, body


class _Memory:
    """The counters with which each salt was heard lately, whatever became of its key."""

    def __init__(self) -> None:
        # By salt the highest counter, and a bit for each of those below it; the one heard last at
        # the end.
        self._heard = BoundedMap[_Name, tuple[int, int]](_SALTS_LIMIT)

    def note(self, name: _Name, counter: int) -> None:
        """Remember a counter of a salt; raises `Refused` if it was heard, or is too far behind."""
        highest, heard = self._heard.pop(name, (-1, 0))
        try:
            behind = highest - counter
            if behind >= _WINDOW or (behind >= 0 and heard >> behind & 1):
                raise Refused("replay")
            if behind < 0:
                # Far ahead, nothing of what was heard is in the window any more.
                heard = heard << -behind & _WINDOW_BITS if -behind < _WINDOW else 0
                highest, behind = counter, 0
            heard |= 1 << behind
        finally:
            self._heard.keep(name, (highest, heard))


class _Channel:
    """Datagrams or frames: the own salt and its counter, and the salts of others."""

    def __init__(self, purpose: bytes, salt: Callable[[], bytes], salt_envelopes: int) -> None:
        self._purpose = purpose
        self._draw = salt
        self._limit = salt_envelopes
        self._counter = 0
        self._key: Key | None = None
        self._prefix = b""
        self._cipher: AESGCM | None = None
        # Of others' salts; the one heard last at the end.
        self._ciphers = BoundedMap[_Name, AESGCM](_CIPHERS_LIMIT)

    def use(self, key: Key | None) -> None:
        """Seal with another key from now on, and so with another salt."""
        if key != self._key:
            self._key = key
            self._cipher = None

    def next(self) -> tuple[AESGCM, bytes, int]:
        """Return the cipher, what names key and salt, and a counter that was not used yet."""
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
        """Return the cipher of another's salt."""
        return self._ciphers.get(name) or self._derive(key, name[1][FINGERPRINT_SIZE:])

    def keep(self, name: _Name, cipher: AESGCM) -> None:
        """Have a cipher at hand, at the cost of the one that was not needed longest."""
        self._ciphers.keep(name, cipher)

    def forget_all_but(self, accepted: set[tuple[int, bytes]]) -> None:
        """Forget the ciphers of keys, by id and fingerprint, that are not accepted any more."""
        for key_id, prefix in list(self._ciphers):
            if (key_id, prefix[:FINGERPRINT_SIZE]) not in accepted:
                del self._ciphers[key_id, prefix]

    def _derive(self, key: Key, salt: bytes) -> AESGCM:
        info = b"gossamer " + self._purpose
        return AESGCM(HKDF(SHA256(), 32, salt, info).derive(key.secret))
