"""The envelope of every datagram and stream frame: header, tag, body.

    offset  bytes  field
    0       2      magic
    2       1      protocol version
    3       1      form of the tag: 0 a checksum; further forms come with keys
    4       1      key id (0 for the checksum)
    5       8      cluster: hash of its name, so that a foreign mesh is told from garbage
    13      8      epoch of the peer it is addressed to; 0 where the sender cannot know it
    21      8      tag over header and body, bound to the cluster's name
    29      ...    body

The checksum finds damage and strangers, not forgers: whoever knows the cluster's name can
compute it.
"""

import hashlib
import struct

PROTOCOL_VERSION = 1
MAGIC = b"Gs"
FORM_CHECKSUM = 0

_HEADER = struct.Struct(">2sBBB8sQ")
_TAG_SIZE = 8
_BODY_AT = _HEADER.size + _TAG_SIZE


class Refused(Exception):
    """A datagram or frame that is not for us to act on; `reason` names the counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChecksumSeal:
    """Seals and opens envelopes of one cluster without a key."""

    overhead = _BODY_AT

    def __init__(self, cluster: str) -> None:
        name = cluster.encode()
        self._cluster = hashlib.blake2b(name, digest_size=8, person=b"gsmr-cluster").digest()
        # A prepared state is copied for each tag: 0.9 us instead of 1.2 us for 600 bytes.
        key = hashlib.blake2b(name, digest_size=32).digest()
        self._state = hashlib.blake2b(key=key, digest_size=_TAG_SIZE)

    def seal(self, body: bytes, to_epoch: int) -> bytes:
        """Return the envelope of `body`, addressed to a peer's life `to_epoch` (0: any)."""
        header = _HEADER.pack(MAGIC, PROTOCOL_VERSION, FORM_CHECKSUM, 0, self._cluster, to_epoch)
        state = self._state.copy()
        state.update(header)
        state.update(body)
        return header + state.digest() + body

    def open(self, data: bytes) -> tuple[int, bytes]:
        """Return the epoch that `data` is addressed to and its body, or raise `Refused`."""
        if len(data) < _BODY_AT:
            raise Refused("truncated")
        magic, version, form, key, cluster, to_epoch = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise Refused("garbage")
        if version != PROTOCOL_VERSION:
            raise Refused("version")
        if cluster != self._cluster:
            raise Refused("cluster")
        if form != FORM_CHECKSUM or key != 0:
            raise Refused("key")
        state = self._state.copy()
        state.update(data[: _HEADER.size])
        state.update(data[_BODY_AT:])
        if state.digest() != data[_HEADER.size : _BODY_AT]:
            raise Refused("checksum")
        return to_epoch, data[_BODY_AT:]
