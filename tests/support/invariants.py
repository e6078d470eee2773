"""What must hold in a simulated mesh at every moment, and what must hold once things are quiet.

Each breach is an `AssertionError` that names the peer, what is wrong, and the virtual time.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from gossamer.gossip import Gossip
from gossamer.simulations import Carrier, Kind, Mesh, Packet, Rule, SimulatedPeer, Verdict

DATAGRAM_LIMIT = 1400
Head = tuple[int, int]


def registry_of(gossip: Gossip, but: Collection[str] = ()) -> object:
    """Return all that a peer's root stands for: the living members, and the parts.

    Without the parts of those in `but`.
    """
    living = {
        member.name: (member.epoch, member.incarnation, member.nonce)
        for member in gossip.members.values()
        if member.status.living
    }
    if not gossip.inside.context.me.left:
        living[gossip.name] = (gossip.epoch, gossip.incarnation, gossip.inside.context.me.nonce)
    parts = {
        owner: (part.head, dict(part.records))
        for owner, part in gossip.parts.items()
        if part.version and owner not in but
    }
    return living, parts


def check_roots(peers: Iterable[SimulatedPeer], now: float, twice: Collection[str] = ()) -> None:
    """Equal roots if and only if equal registries.

    `twice` are owners of whom two processes have shared an epoch: what stands under one version
    may differ until the later one has heard of it, and begun another epoch.
    """
    by_root = sorted(
        ((peer.gossip.root, peer.name, registry_of(peer.gossip, twice)) for peer in peers),
        key=lambda entry: entry[:2],
    )
    for (root, name, held), (other_root, other, other_held) in pairwise(by_root):
        if twice and root != other_root:
            continue
        assert (root == other_root) is (held == other_held), (
            f"at {now:.3f} {name} and {other} have {'equal' if root == other_root else 'other'}"
            f" roots and {'equal' if held == other_held else 'other'} registries"
        )
    if not twice:
        registries = [held for _, _, held in by_root]
        unequal = [held for place, held in enumerate(registries) if held not in registries[:place]]
        roots = {root for root, _, _ in by_root}
        assert len(unequal) == len(roots), f"at {now:.3f} one registry has two roots"


def check_queues(gossip: Gossip, now: float) -> None:
    """Every queue stays within its limit."""
    config, sizes = gossip.config, gossip.statistics()
    limits = {
        "rumors_membership": 2 * config.queue_limit,
        "rumors_registry": config.queue_limit,
        "waiting_deltas": 256 * 16,
        "part_tombstones": 20_000,
        "member_tombstones": 20_000,
        "suspicions": config.member_limit,
        # Cancelled ones are swept when the heap has doubled, and not below 256.
        "timers": 256 + 16 * (len(gossip.members) + len(gossip.parts)),
    }
    for name, limit in limits.items():
        assert sizes[name] <= limit, (
            f"at {now:.3f} {gossip.name} has {sizes[name]} {name}, and {limit} is the limit"
        )


@dataclass
class Remembered:
    """What one view held when it was last looked at."""

    gossip: Gossip
    own: Head
    members: dict[str, tuple[int, bool, int]] = field(default_factory=dict)
    parts: dict[str, Head] = field(default_factory=dict)


class Monotony:
    """Versions, epochs and incarnations never fall in one view.

    A process that is started again begins a view of its own; what is forgotten as a whole may be
    learned anew.  An epoch ends with "left", whichever peer says so: then the incarnation does not
    count, and may be one that this peer has never heard.
    """

    def __init__(self) -> None:
        self._views: dict[str, Remembered] = {}

    def check(self, name: str, gossip: Gossip, now: float) -> None:
        """Compare a view with what it was, and remember it."""
        own = (gossip.epoch, gossip.incarnation)
        members = {each.name: each.rank[:3] for each in gossip.members.values()}
        parts = {owner: part.head for owner, part in gossip.parts.items()}
        before = self._views.get(name)
        if before is not None and before.gossip is gossip:
            self._compare(name, "itself", {"": before.own}, {"": own}, now)
            self._compare(name, "member", before.members, members, now)
            self._compare(name, "part", before.parts, parts, now)
        self._views[name] = Remembered(gossip, own, members, parts)

    @staticmethod
    def _compare(
        view: str,
        what: str,
        before: Mapping[str, tuple[int, ...]],
        after: Mapping[str, tuple[int, ...]],
        now: float,
    ) -> None:
        for name, head in after.items():
            assert head >= before.get(name, head), (
                f"at {now:.3f} in {view}'s view {what} {name} fell from {before[name]} to {head}"
            )


@dataclass(frozen=True)
class Removal:
    """An instance that its owner removed, and the head of the owner's part after that."""

    owner: str
    head: Head
    id: str


def check_removed(
    peer: SimulatedPeer, shown: Iterable[str], removals: Iterable[Removal], now: float
) -> None:
    """No instance is visible that its owner removed at a version the view has passed."""
    visible = set(shown)
    parts = peer.gossip.parts
    for removal in removals:
        if removal.id in visible and removal.owner in parts:
            head = parts[removal.owner].head
            assert head < removal.head, (
                f"at {now:.3f} {peer.name} shows {removal.id}, which {removal.owner} removed at"
                f" {removal.head}, and holds {head}"
            )


class DatagramLimit(Rule):
    """Stands at the head of a network: every datagram within 1,400 bytes, as it is sent."""

    def __init__(self) -> None:
        self.largest = 0

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        if packet.kind is Kind.UDP:
            self.largest = max(self.largest, len(packet.data))
        return None

    def check(self, now: float) -> None:
        """Raise if one was larger."""
        assert self.largest <= DATAGRAM_LIMIT, (
            f"before {now:.3f} a datagram of {self.largest} bytes was sent"
        )


def check_nobody_dead(mesh: Mesh, peers: Iterable[SimulatedPeer]) -> None:
    """Once things are quiet, no live peer is anything but alive in any view."""
    peers = list(peers)
    for peer in peers:
        for other in peers:
            if other is not peer:
                row = peer.gossip.members.get(other.name)
                held = "unknown" if row is None else row.status.label
                assert held == "alive", f"at {mesh.now:.3f} {peer.name} holds {other.name} {held}"
