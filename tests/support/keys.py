"""Keys for tests: a secret for each name, and seals whose salts come from a seed."""

from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from random import Random
from typing import TypeVar

from gossamer.gossip import Key, KeyRing, Observer
from gossamer.gossip.sealing.keyed_seal import SALT_SIZE, KeyedSeal
from gossamer.peers import GossamerError
from gossamer.peers.keys import KEYS_RECORD, Keys
from gossamer.peers.keys._key_decisions import Decisions
from gossamer.peers.registry import Registry
from gossamer.simulations import Mesh, SimulatedPeer

T = TypeVar("T")


def key(id: int, name: str = "") -> Key:
    """Return a key; another `name` makes it another one of the same id."""
    return Key(id, sha256(f"{id} {name}".encode()).digest())


def ring(*keys: Key, use: int | None = None, plain: bool = False) -> KeyRing:
    """Return a ring that uses the first of its keys unless another is named."""
    return KeyRing(keys, keys[0].id if use is None else use, plain)


def sealer(
    keys: KeyRing, *, seed: int = 1, cluster: str = "default", salt_envelopes: int = 1 << 32
) -> KeyedSeal:
    """Return a seal; two of one seed draw the same salts, as no two processes may."""
    rng = Random(seed)
    return KeyedSeal(
        cluster, keys, salt=lambda: rng.randbytes(SALT_SIZE), salt_envelopes=salt_envelopes
    )


class RecordingSeal(KeyedSeal):
    """A seal that keeps what it has sealed, datagrams and frames."""

    sealed: list[bytes]

    def seal(self, body: bytes, to_epoch: int) -> bytes:
        self.sealed.append(super().seal(body, to_epoch))
        return self.sealed[-1]

    def seal_frame(self, body: bytes, to_epoch: int, bound: bytes = b"") -> bytes:
        self.sealed.append(super().seal_frame(body, to_epoch, bound))
        return self.sealed[-1]


class KeyHolders:
    """The keys of all peers of a simulated mesh, each with a file that outlives its process."""

    def __init__(self, mesh: Mesh, keys: KeyRing) -> None:
        self._mesh = mesh
        self._rng = Random(mesh.seed)
        self._of: dict[str, Keys] = {}
        self._seals: dict[str, KeyedSeal] = {}
        self.files: dict[str, KeyRing | None] = {}
        self._decisions: dict[str, Decisions] = {}
        self.default = keys
        # All that anybody sealed.
        self.sealed: list[bytes] = []
        # Peers whose disk is full.
        self.full: set[str] = set()
        mesh.sealer = self._seal
        mesh.attendant = self._attend

    def __getitem__(self, peer: SimulatedPeer) -> Keys:
        return self._of[peer.name]

    def act(self, peer: SimulatedPeer, action: Callable[[Keys, float], T]) -> T:
        """Have an operator do something with a peer's keys, and its core say what follows."""
        try:
            return action(self._of[peer.name], self._mesh.now)
        finally:
            peer.drain()

    def add(self, peers: Iterable[SimulatedPeer], key: Key) -> None:
        """Accept a key at each of these peers."""
        for peer in peers:
            self.act(peer, lambda keys, now: keys.add([key], now))

    def use(self, peer: SimulatedPeer, key_id: int, *, force: bool = False) -> None:
        """Have the mesh use a key, from one peer."""
        self.act(peer, lambda keys, now: keys.use(key_id, now, force=force))

    def remove(self, peer: SimulatedPeer, key_id: int, *, force: bool = False) -> None:
        """Have the mesh remove a key, from one peer."""
        self.act(peer, lambda keys, now: keys.remove(key_id, now, force=force))

    def uses(self, peers: Iterable[SimulatedPeer]) -> set[int]:
        """Return the ids of the keys that any of these peers seals with."""
        return {self._of[peer.name].ring.use for peer in peers}

    def accepted(self, peers: Iterable[SimulatedPeer]) -> set[tuple[int, ...]]:
        """Return which sets of keys these peers accept."""
        return {tuple(self._of[peer.name].ring.accepted) for peer in peers}

    def _seal(self, peer: SimulatedPeer) -> KeyedSeal | None:
        ring = self.files.setdefault(peer.name, self.default)
        if ring is None:
            return None
        seal = RecordingSeal(peer.config.cluster, ring, salt=lambda: self._rng.randbytes(SALT_SIZE))
        seal.sealed = self.sealed
        self._seals[peer.name] = seal
        return seal

    def _attend(self, peer: SimulatedPeer) -> None:
        if self.files[peer.name] is None:
            return
        keys = Keys(
            peer.gossip,
            self._seals[peer.name],
            self._decisions.get(peer.name, Decisions()),
            wall=peer.wall,
            save=partial(self._save, peer.name),
            now=self._mesh.now,
        )
        self._of[peer.name] = keys
        registry = Registry(peer.gossip, wall=peer.wall, families={KEYS_RECORD: keys})
        peer.followers += [registry, Observer(keys.handle_all)]

    def _save(self, name: str, ring: KeyRing, decisions: Decisions) -> None:
        if name in self.full:
            raise GossamerError("no room is left on the disk")
        self.files[name] = ring
        self._decisions[name] = decisions
