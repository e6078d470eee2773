"""How a datagram or frame is sealed: with a checksum, or with a key."""

from ._keys import (
    FINGERPRINT_SIZE as FINGERPRINT_SIZE,
    KEY_ID_MOST as KEY_ID_MOST,
    PLAIN as PLAIN,
    PROOF_SIZE as PROOF_SIZE,
    RING_LIMIT as RING_LIMIT,
    SECRET_SIZE as SECRET_SIZE,
    Key as Key,
    KeyRing as KeyRing,
    check_key_id as check_key_id,
    key_label as key_label,
)
from ._seal import (
    ChecksumSeal as ChecksumSeal,
    ForeignKey as ForeignKey,
    Refused as Refused,
    Seal as Seal,
)
