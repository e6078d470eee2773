"""The keys that this peer seals and opens with, and the mesh's decisions on keys.

This peer writes both to disk before they take effect.
It carries out a decision as far as it has the keys for it.
It passes every decision on to others, even if it could not carry the decision out itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gossamer.gossip import PLAIN, KeyRing, key_label
from gossamer.peers.host import logger
from gossamer.peers.model import GossamerError

from ._key_decisions import PLAIN_NAMED, Decisions

if TYPE_CHECKING:
    # The import of encryption takes 30 ms and 7 MiB; a peer without keys does not need it.
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal


class HeldRing:
    """The ring that the seal uses, and the decisions that this peer believes.

    `save` writes both to disk; it raises `GossamerError` if it cannot.
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
        """The keys that this peer accepts, and the key that it seals with."""
        return self._seal.ring

    def settle(self, ring: KeyRing, decisions: Decisions) -> None:
        """Save another ring and decisions, then use them.

        Raises `GossamerError`, and changes nothing, if they cannot be saved.
        """
        if (ring, decisions) != (self.ring, self.decisions):
            self._save(ring, decisions)
            self.decisions = decisions
            if ring != self.ring:
                self._seal.ring = ring

    def carry_out(self, decisions: Decisions) -> None:
        """Apply the mesh's decisions to the ring, as far as this peer has the keys for them.

        An error of `save` is logged: then the ring stays, and the decisions are kept in memory.
        """
        before, ring = self.ring, decided(self.ring, decisions)
        try:
            self.settle(ring, decisions)
        except GossamerError as error:
            # This peer still passes the decisions on to others.
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
    """Return the ring after these decisions, as far as it has the keys for them.

    Decisions never make a ring accept another key, and never make it send plain text.
    """
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
            # One operator chose this key while another removed it. The key goes, because some
            # peers have removed it already.
            others = [each.id for each in ring.keys if (each.id, each.fingerprint) not in gone]
            if not others:
                continue
            ring = ring.using(others[0])
        if ring.use != key[0]:
            ring = ring.without(key[0])
    return ring
