"""The ring of keys that this peer works with, and what was decided in the mesh on keys.

Both are kept on disk before they count. A decision is carried out as far as this peer has the keys
for it, and told to others whether it could be carried out here or not.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gossamer.gossip import PLAIN, KeyRing, key_label
from gossamer.peers.host import logger
from gossamer.peers.model import GossamerError

from ._key_decisions import PLAIN_NAMED, Decisions

if TYPE_CHECKING:
    # Encryption takes 30 ms and 7 MiB to import, which a peer without keys can do without.
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal


class HeldRing:
    """The ring in use, together with the decisions that led to it.

    `save` keeps both on disk and raises `GossamerError` if it cannot.
    """

    def __init__(
        self,
        peer: str,
        seal: "KeyedSeal",
        decisions: Decisions,
        save: Callable[[KeyRing, Decisions], None],
    ) -> None:
        self._extra = {"peer": peer}
        self._seal = seal
        self._save = save
        self.decisions = decisions

    @property
    def ring(self) -> KeyRing:
        """The keys that are accepted, and the one in use."""
        return self._seal.ring

    def settle(self, ring: KeyRing, decisions: Decisions) -> None:
        """Work with another ring; raises `GossamerError`, with nothing changed."""
        if (ring, decisions) != (self.ring, self.decisions):
            self._save(ring, decisions)
            self.decisions = decisions
            if ring != self.ring:
                self._seal.ring = ring

    def carry_out(self, decisions: Decisions) -> None:
        """Do what was decided in the mesh, as far as this peer has the keys for it."""
        before, ring = self.ring, decided(self.ring, decisions)
        try:
            self.settle(ring, decisions)
        except GossamerError as error:
            # Others are told of it nevertheless.
            self.decisions = decisions
            logger.error(
                "this peer could not carry out the mesh's decision on keys: %s;"
                " repair that, then decide again",
                error,
                extra=self._extra,
            )
            return
        if ring != before:
            used = key_label(ring.use)
            accepted = ", ".join(key_label(each) for each in ring.accepted)
            logger.info(
                "the mesh decided on keys: this peer now seals with %s and accepts %s",
                used,
                accepted,
                extra=self._extra,
            )


def decided(ring: KeyRing, decisions: Decisions) -> KeyRing:
    """Return what becomes of a ring by the decisions, as far as it has the keys for them."""
    gone = decisions.removed
    use = decisions.use
    if use is not None and use.key not in (PLAIN_NAMED, *gone):
        key_id, fingerprint = use.key
        if ring.accepted.get(key_id) == fingerprint:
            ring = ring.using(key_id)
    for key in gone:
        if ring.accepted.get(key[0]) != key[1]:
            continue
        if ring.use == key[0] != PLAIN:
            # Used and removed by two operators at once: it goes, as some have lost it by now.
            others = [each.id for each in ring.keys if (each.id, each.fingerprint) not in gone]
            if not others:
                continue
            ring = ring.using(others[0])
        if ring.use != key[0]:
            ring = ring.without(key[0])
    return ring
