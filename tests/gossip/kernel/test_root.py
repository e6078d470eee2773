"""The fingerprint of all that a peer knows."""

from cores import NOW, about, context


def test_equal_knowledge_has_equal_roots() -> None:
    """Two peers that know each other and the same parts have one root."""
    a, b = context("a"), context("b")
    assert a.root.digest != b.root.digest
    for one, other in ((a, b), (b, a)):
        one.table.put(other.me.update(), NOW)
    assert a.root.digest == b.root.digest
    for one in (a, b):
        one.store.append(one.store.open("o", 7), [("k", b"v")])
    assert a.root.digest == b.root.digest


def test_members_and_parts_have_eight_bytes_each() -> None:
    """A change of parts leaves the members' half as it is, and the reverse."""
    peer = context("a")
    before = peer.root.digest
    peer.store.append(peer.store.open("a", 7), [("k", b"v")])
    with_part = peer.root.digest
    assert (with_part[:8], with_part[8:] == before[8:]) == (before[:8], False)
    peer.table.put(about("b"), NOW)
    assert (peer.root.digest[8:], peer.root.digest[:8] == before[:8]) == (with_part[8:], False)


def test_this_peer_counts_while_it_has_not_left() -> None:
    """Its own incarnation and epoch show; after its departure it is no living member."""
    peer = context("a")
    roots = {peer.root.digest}
    peer.me.incarnation = 1
    roots.add(peer.root.digest)
    peer.me.epoch += 1
    roots.add(peer.root.digest)
    peer.me.left = True
    assert peer.root.digest == bytes(16)
    assert len(roots) == 3
