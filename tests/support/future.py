"""A next version, made of this one: what some peers of a simulated mesh say has more in it.

Each of them adds an item to each body, message, frame and entry, and to its own deltas and heads;
a field to what it says of itself, and to each instance and intervention that it writes; messages,
entries and updates of new kinds; and records of a new family.
It understands all that: what it hears is noted here.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from keys import key, ring

from gossamer.gossip import Gossip, Member, Part, Seal, decode, encode
from gossamer.gossip.basis import array, blob
from gossamer.gossip.kernel import Identity
from gossamer.gossip.messages import Parts
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.gossip.sealing.keyed_seal import SALT_SIZE, KeyedSeal
from gossamer.peers.registry import Replication
from gossamer.simulations import Mesh, SimulatedPeer

LATER = "later"
# Capabilities of a later version, among them that of this one, and two further fields.
TAIL = encode([(1 << 40) | 1, LATER, [7, None, b"bytes"]])
FAMILY = "dc\nnorth"
# Beside what an envelope of this version takes: a datagram must have room for all that is added.
_ROOM = 500
_MESSAGES_MOST = 8
_NEW_MESSAGE = 10
_NEW_UPDATE = 5
_NEW_ENTRY = 5
# In how many datagrams an origin tells each of its updates: some go to peers that it cannot reach.
_TOLD = 12


class NextVersion:
    """The peers of a mesh that are of a later version, by name; they may change at any time.

    It sets the mesh's `sealer`.
    """

    def __init__(self, mesh: Mesh, names: Collection[str], *, keyed: bool = False) -> None:
        self.names = set(names)
        self.heard: dict[str, set[tuple[str, str]]] = {}
        """By listener, what of a later kind it heard, and of whom: `message`, or a text told."""
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self._rng = Random(mesh.seed)
        self._keyed = keyed
        mesh.sealer = self._seal

    def tell(self, peer: SimulatedPeer, text: str) -> None:
        """Have a peer say something in an update of a new kind, in its next datagrams."""
        told = self._texts.setdefault(peer.name, [])
        told.append((len(told) + 1, text))

    def beneath(self, peer: SimulatedPeer) -> Replication:
        """Return what the registry of a peer writes to."""
        return _Replication(peer.gossip) if peer.name in self.names else peer.gossip

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Have the processes that begin within say of themselves what their version does."""

        def identity(name: str, *others: Any) -> Identity:
            me = Identity(name, *others)
            if name in self.names:
                me.tail = TAIL
            return me

        with patch("gossamer.gossip._core.Identity", identity):
            yield

    def _seal(self, peer: SimulatedPeer) -> Seal:
        seal: Seal = ChecksumSeal(peer.config.cluster)
        if self._keyed:
            rng = self._rng
            seal = KeyedSeal(
                peer.config.cluster, ring(key(1)), salt=lambda: rng.randbytes(SALT_SIZE)
            )
        if peer.name not in self.names:
            return seal
        heard = self.heard.setdefault(peer.name, set())
        return _Seal(seal, peer.name, self._texts.setdefault(peer.name, []), heard)


class _Seal:
    """Adds to what a peer says below the seal, and reads there what others of its version add."""

    def __init__(
        self,
        seal: Seal,
        name: str,
        texts: list[tuple[int, str]],
        heard: set[tuple[str, str]],
    ) -> None:
        self._inner = seal
        self._name = name
        self._texts = texts
        self._told: dict[int, int] = {}
        self._heard = heard

    @property
    def overhead(self) -> int:
        return self._inner.overhead + _ROOM

    def seal(self, body: bytes, to_epoch: int) -> bytes:
        source, epoch, messages, updates = array(decode(body))
        said = [[*array(message), LATER] for message in array(messages)]
        if len(said) < _MESSAGES_MOST:
            said.append([_NEW_MESSAGE, self._name, [LATER]])
        told = [self._longer(blob(update, 1400)) for update in array(updates)]
        for number, text in self._texts:
            # What is addressed to no life is not believed, and tells nothing but that it is there.
            if to_epoch and self._told.setdefault(number, 0) < _TOLD:
                self._told[number] += 1
                told.append(encode([_NEW_UPDATE, self._name, epoch, number, text, [LATER]]))
        return self._inner.seal(encode([source, epoch, said, told, LATER, [1]]), to_epoch)

    def open(self, data: bytes) -> tuple[int, bytes]:
        to_epoch, body = self._inner.open(data)
        source, _, messages, updates, *_ = array(decode(body))
        for message in array(messages):
            if array(message)[0] == _NEW_MESSAGE:
                self._heard.add((str(source), "message"))
        for update in array(updates):
            match decode(blob(update, 1400)):
                case [kind, str(origin), _, _, str(text), *_] if kind == _NEW_UPDATE:
                    self._heard.add((origin, text))
        return to_epoch, body

    def once(self, data: bytes) -> None:
        self._inner.once(data)

    def seal_frame(self, body: bytes, to_epoch: int, bound: bytes = b"") -> bytes:
        items = array(decode(body))
        if items[0] == Parts.KIND:
            entries = [
                encode([*array(decode(blob(entry, 1 << 20))), LATER]) for entry in array(items[1])
            ]
            items = [Parts.KIND, [encode([_NEW_ENTRY, LATER]), *entries]]
        return self._inner.seal_frame(encode([*items, LATER, [1]]), to_epoch, bound)

    def open_frame(self, data: bytes, bound: bytes = b"") -> tuple[int, bytes]:
        return self._inner.open_frame(data, bound)

    def _longer(self, update: bytes) -> bytes:
        """Add an item to a delta or a head of this peer's own."""
        items = array(decode(update))
        if items[0] in (1, 2) and items[1] == self._name and items[-1] != LATER:
            return encode([*items, LATER])
        return update


class _Replication:
    """Adds a field to each instance and intervention that a registry writes."""

    def __init__(self, gossip: Gossip) -> None:
        self._gossip = gossip

    @property
    def name(self) -> str:
        return self._gossip.name

    @property
    def members(self) -> Mapping[str, Member]:
        return self._gossip.members

    @property
    def parts(self) -> Mapping[str, Part]:
        return self._gossip.parts

    @property
    def joined(self) -> bool:
        return self._gossip.joined

    @property
    def isolated(self) -> bool:
        return self._gossip.isolated

    def publish(self, key: str, value: bytes, now: float) -> int:
        items = array(decode(value))
        if key.startswith("i\n"):
            # Behind the items of the tail that this version knows.
            items += ["process", 0, ""][max(0, len(items) - 14) :]
        if items[-1] != LATER:
            items = [*items, LATER]
        return self._gossip.publish(key, encode(items), now)

    def withdraw(self, key: str, now: float) -> bool:
        return self._gossip.withdraw(key, now)
