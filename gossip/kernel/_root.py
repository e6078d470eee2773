"""The root: a fingerprint of all that a peer knows, equal at all peers of a converged mesh."""

from gossamer.gossip.messages import ROOT_SIZE
from gossamer.gossip.state import MemberTable, Store, fingerprint

from ._identity import Identity


class Root:
    """This peer's root, and when what it covers last changed."""

    def __init__(self, me: Identity, table: MemberTable, store: Store, now: float) -> None:
        self._me = me
        self._table = table
        self._store = store
        self.changed_at = now
        """When this peer's view last changed: roots that differ then may be updates on the way."""
        self._own_life = (-1, -1)
        self._own_fingerprint = 0

    @property
    def digest(self) -> bytes:
        """The 16 bytes that travel: 8 for the living members, 8 for the parts."""
        me = self._me
        members = self._table.root
        if not me.left:
            life = (me.epoch, me.incarnation)
            if self._own_life != life:
                self._own_life = life
                self._own_fingerprint = fingerprint(me.name, me.epoch, me.incarnation, me.nonce)
            members ^= self._own_fingerprint
        return ((members << 64) | self._store.root).to_bytes(ROOT_SIZE)
