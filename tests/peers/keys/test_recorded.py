"""This version reads the key records of the first version."""

from keys import key
from recorded import recorded

from gossamer.peers.keys._key_decisions import Verb
from gossamer.peers.keys._key_records import decode_key_record


def test_key_records_of_the_first_version_are_read() -> None:
    """The keys that a peer accepts and uses, and the decisions, are read as they were written."""
    one = key(1)
    kept = recorded("keys")
    alone = decode_key_record(kept["key 1 is accepted and used"])
    assert (dict(alone.accepts), alone.use) == ({1: one.fingerprint}, 1)
    plain = decode_key_record(kept["plain text and key 1 are accepted, plain text is used"])
    assert (dict(plain.accepts), plain.use) == ({0: b"", 1: one.fingerprint}, 0)
    [says] = kept.keys() - {
        "key 1 is accepted and used",
        "plain text and key 1 are accepted, plain text is used",
    }
    decided = decode_key_record(kept[says])
    use, [removal] = decided.decisions.use, decided.decisions.removals.values()
    assert use is not None
    assert (use.stamp, use.verb, use.key[0]) == (12, Verb.USE, 1)
    assert (removal.stamp, removal.verb, removal.key[0]) == (11, Verb.REMOVE, 2)
    assert use.holds("default", one)
    assert removal.holds("default", one)
    for data in kept.values():
        assert decode_key_record(data).encode() == data
