"""All measurements of one run, fed from one place."""

from collections.abc import Sequence

from gossamer.gossip import (
    Event,
    MemberFailed,
    MemberForgotten,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    MemberSuspected,
    PartChanged,
    Status,
)
from gossamer.peers import Registry
from gossamer.simulations import Mesh, SimulatedPeer

from ._accusations import Accusations
from ._detection import Crashes
from ._healing import Heals
from ._lookups import Answers
from ._propagation import Propagation
from ._reach import Reach
from ._truth import Truth
from ._views import DEAD, UNKNOWN, Views


class Measures:
    """Hears what the peers of a mesh hear, and what befalls them."""

    def __init__(
        self,
        mesh: Mesh,
        peers: Sequence[SimulatedPeer],
        number: dict[str, int],
        registries: Sequence[Registry | None],
        present: Sequence[bool],
        active: Sequence[bool],
        touched: Sequence[bool],
        reach: Reach,
        truth: Truth,
    ) -> None:
        self._peers = peers
        self._number = number
        self._present = present
        self._clock = mesh.clock
        self.views = Views(len(present))
        self.changes = Propagation(reach, present)
        self.joins = Propagation(reach, present)
        self.crashes = Crashes(reach, present)
        self.accusations = Accusations(reach, present, touched)
        self.heals = Heals(mesh, peers, present)
        self.answers = Answers(truth, reach, registries, active, self._clock)

    def heard(self, observer: int, events: Sequence[Event]) -> None:
        """A peer's core told of these, at one instant."""
        for event in events:
            kind = type(event)
            if kind is MemberSuspected:
                subject = self._hold(observer, event)
                assert isinstance(event, MemberSuspected)
                self.accusations.suspected(observer, subject, self._accuser(event.by, observer))
            elif kind is MemberFailed:
                subject = self._hold(observer, event)
                assert isinstance(event, MemberFailed)
                self.accusations.failed(observer, subject, self._accuser(event.by, observer))
                self.crashes.failed(observer, subject, self._clock.now)
            elif kind is MemberReturned or kind is MemberJoined:
                subject = self._hold(observer, event)
                self._met(observer, subject, event)
            elif kind is PartChanged:
                assert isinstance(event, PartChanged)
                self._part_changed(observer, event.owner)
            elif kind is MemberLeft:
                self._hold(observer, event)
            elif isinstance(event, MemberForgotten):
                self.views.holds(observer, self._number[event.name], UNKNOWN)

    def begin(self, observer: int) -> None:
        """Take up a peer that runs when measuring begins."""
        self.views.started(observer)
        for name, member in self._peers[observer].gossip.members.items():
            self.views.holds(observer, self._number[name], int(member.status) + 1)

    def all_join(self) -> None:
        """Note that all running peers began at this moment: each is new to all others."""
        for peer, present in enumerate(self._present):
            if present:
                self.joins.made(peer, self._peers[peer].gossip.epoch, 0, self._clock.now)

    def started(self, peer: int) -> None:
        """A process begins; its core has said nothing yet."""
        self.crashes.returned(peer)
        self.views.started(peer)
        self.joins.made(peer, self._peers[peer].gossip.epoch, 0, self._clock.now)
        self.answers.peer_changed(peer)

    def stopped(self, peer: int, *, crashed: bool) -> None:
        """A process ended, or has said good-bye."""
        if crashed:
            knew = [
                observer
                for observer, present in enumerate(self._present)
                if present and self.views.how(observer, peer) == DEAD
            ]
            self.crashes.crashed(peer, self._clock.now, knew)
        self.crashes.stopped(peer)
        self.views.stopped(peer)
        self.changes.stopped(peer)
        self.joins.stopped(peer)
        self.answers.peer_changed(peer)

    def moved(self) -> None:
        """It changed who can reach whom, or who is awake."""
        self.changes.moved()
        self.joins.moved()
        self.answers.moved()

    def _hold(self, observer: int, event: Event) -> int:
        member = event.member  # type: ignore[union-attr]
        subject = self._number[member.name]
        self.views.holds(observer, subject, member.status + 1)
        return subject

    def _accuser(self, name: str, observer: int) -> int:
        # Hearsay in an exchange names nobody.
        return self._number.get(name, observer)

    def _met(self, observer: int, subject: int, event: Event) -> None:
        member = event.member  # type: ignore[union-attr]
        if member.status is Status.ALIVE:
            self.joins.seen(observer, subject, member.epoch, 0, self._clock.now)

    def _part_changed(self, observer: int, owner: str) -> None:
        peer = self._peers[observer]
        part = peer.gossip.parts.get(owner)
        if part is None:
            # Dropped within the same instant.
            return
        subject = self._number[owner]
        if subject == observer:
            self.changes.made(observer, part.epoch, part.version, self._clock.now)
        else:
            self.changes.seen(observer, subject, part.epoch, part.version, self._clock.now)
