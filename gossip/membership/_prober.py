"""Failure detection: SWIM's probes with Lifeguard's nacks and local health.

Each period has one probe.  It begins with a direct ping.  After the timeout the prober asks k
relays to ping (within the remaining budget), and tries a stream.  At the end of the period it
accuses the target if no answer came.
A relay that got no answer says so (nack) when 80 % of its budget is used.  If the relays stay
silent too, the prober learns that it is slow itself.

A peer that was stopped (its deadline passed long ago) drops its probes instead of accusing.

When a target's own host says that the target is gone, relays are asked at once; if they are told
the same, the target is declared dead without a suspicion (_evidence.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gossamer.gossip.basis import Histogram, Metric, Timer, measured
from gossamer.gossip.dissemination import Spread
from gossamer.gossip.kernel import Context, ProbeExchange, ProbeResult, Sequence
from gossamer.gossip.messages import Ack, Ping, PingReq
from gossamer.gossip.state import Address, IsolationChanged, Member, Status

from ._evidence import Evidence
from ._membership import Membership
from ._paths import Path, Paths
from ._planner import ProbePlanner
from ._statistics import ROUND_TRIP_BOUNDS, ROUND_TRIPS

# Together with the target, as many as make isolation (_health.py).
_SILENT_RELAYS = 2
# The member at an unreachable address is looked up among all members; so often a second at most, as
# any host can say so.
_LOOK_UPS = 10


@dataclass(slots=True)
class Probe:
    """One probe under way."""

    sequence: int
    target: str
    epoch: int
    address: Address
    began_at: float
    ends_at: float
    timers: list[Timer] = field(default_factory=list)
    relays: dict[str, None] = field(default_factory=dict)
    nacks: dict[str, None] = field(default_factory=dict)
    asked: bool = False
    answered: bool = False
    by_stream: bool = False
    by_datagram: bool = False
    stream_tried: bool = False
    evidence: Evidence = field(default_factory=Evidence)


class Prober:
    """Probes one member each period, and answers the probes of others."""

    def __init__(
        self,
        context: Context,
        spread: Spread,
        membership: Membership,
        planner: ProbePlanner,
        paths: Paths,
        sequence: Sequence,
    ) -> None:
        self._paths = paths
        self._sequence = sequence
        self._endpoint = context.endpoint
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._root = context.root
        self._health = context.health
        self._isolation = context.isolation
        self._timers = context.timers
        self._signals = context.signals
        self._questions = context.questions
        self._counters = context.counters
        self._events = context.events
        self._calls = context.calls
        self._spread = spread
        self._membership = membership
        self._planner = planner
        self._round_trips = Histogram(ROUND_TRIP_BOUNDS)
        self.probe: Probe | None = None
        """The probe under way."""
        self._next: Timer | None = None
        self._looked_up_at = float("-inf")

    def start(self, now: float) -> None:
        """Begin to probe, at a random phase of the period."""
        self._arm(now + self._rng.random() * self._config.probe_interval)

    def stop(self) -> None:
        """Begin no further probe, until `start` or `abandon` is called."""
        if self._next is not None:
            self._next.cancel()

    def abandon(self, now: float) -> None:
        """Drop the probe under way: this peer was stopped and could not have heard an answer."""
        if self.probe is not None:
            self._end(self.probe)
            self._counters.add("probes_abandoned")
        self._isolation.forget()
        self._arm(now + self._rng.random() * self._config.probe_interval)

    # What others say

    def metrics(self) -> Iterator[Metric]:
        """Return how long direct answers to probes took."""
        return measured((ROUND_TRIPS,), {ROUND_TRIPS.key: self._round_trips.distribution})

    def on_ping(self, message: Ping, sender: Address, epoch: int, row: Member | None) -> None:
        """ProbeResult a ping that is meant for us; a sender that is accused is told so first."""
        first: list[bytes] = []
        if self._me.left:
            first.append(self._me.update().encode())
        accusation = self._to_be_told(row) if row is not None else None
        if accusation is not None:
            first.append(accusation)
        self._spread.send(sender, epoch, [Ack(message.sequence, self._root.digest)], first)

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None:
        """Take in the answer to the ping of a probe."""
        probe = self.probe
        if probe is not None and probe.sequence == sequence and probe.target == source:
            if not probe.by_datagram:
                self._round_trips.observe(now - probe.began_at)
            probe.by_datagram = True
            self._succeed(probe, now)

    def on_relayed(self, sequence: int, source: str, now: float) -> None:
        """Take in that a relay got an answer for us."""
        probe = self.probe
        if probe is not None and probe.sequence == sequence and source in probe.relays:
            self._counters.add("probes_relayed")
            self._succeed(probe, now)

    def on_nack(self, sequence: int, source: str) -> None:
        """Take in that a relay lives and got no answer."""
        probe = self.probe
        if probe is not None and probe.sequence == sequence and source in probe.relays:
            probe.nacks[source] = None

    def on_unreachable(self, address: Address, now: float) -> None:
        """Take in that a host says that nobody listens at `address` (ICMP port unreachable)."""
        if not self._config.evidence:
            return
        probe = self.probe
        if probe is not None and not probe.answered and probe.address == address:
            self._suspect_gone(probe, now)
        elif self._table.lives_at(address) and now >= self._looked_up_at + 1 / _LOOK_UPS:
            # Something else than a probe went there: look for ourselves, next.
            self._looked_up_at = now
            for row in self._table:
                if row.address == address and row.status.living:
                    self._planner.hasten(row.name)

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        """Take in that another peer, or another life of one, is at the address of a ping.

        Returns whether one was pinged there.
        """
        probe = self.probe
        if probe is None or (probe.sequence, probe.address) != (sequence, sender):
            return False
        if self._config.evidence and not probe.answered:
            self._suspect_gone(probe, now)
        return True

    def on_gone(self, sequence: int, source: str, now: float) -> None:
        """Take in that a relay was told that the target is gone."""
        probe = self.probe
        if probe is None or probe.sequence != sequence or source not in probe.relays:
            return
        if source not in probe.nacks:
            # It lives and said what it knows, as a nack does.
            probe.nacks[source] = None
            probe.evidence.witnesses += 1
            self._weigh(probe, now)

    def _suspect_gone(self, probe: Probe, now: float) -> None:
        """The target's address says that it is not there: ask others, and for a stream, at once."""
        if probe.evidence.by_datagram:
            return
        probe.evidence.by_datagram = True
        self._counters.add("probes_unreachable")
        for timer in probe.timers:
            timer.cancel()
        self._ask_others(probe, now)
        self._weigh(probe, now)

    def _weigh(self, probe: Probe, now: float) -> None:
        """Declare the target dead if the evidence suffices."""
        if self.probe is not probe or probe.answered or self._isolation.isolated:
            return
        if probe.evidence.suffices(relays=len(probe.relays)):
            self._counters.add("probes_definite")
            self._end(probe)
            self._membership.declare_dead(probe.target, probe.epoch, now)

    # Our own probes

    def _arm(self, when: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._timers.at(when, self._period)

    def _period(self, now: float) -> None:
        if self.probe is not None:
            self._conclude(self.probe, now)
        # After the verdict: what it says of our own health counts for this period already.
        interval = self._health.scale(self._config.probe_interval)
        self._arm(now + interval)
        self._membership.reap(now)
        self._paths.period()
        name = self._planner.next()
        row = self._table.get(name) if name is not None else None
        if row is None or not row.status.living:
            return
        probe = Probe(self._sequence.next(), row.name, row.epoch, row.address, now, now + interval)
        self.probe = probe
        self._questions.open(probe.sequence, self)
        timeout = min(self._health.scale(self._config.probe_timeout), interval)

        def ask_others(when: float) -> None:
            self._ask_others(probe, when)

        probe.timers = [self._timers.at(now + timeout, ask_others)]
        accusation = self._to_be_told(row)
        first = [] if accusation is None else [accusation]
        self._spread.send(row.address, row.epoch, [Ping(probe.sequence, row.name)], first)
        if self._config.stream_probes and self._paths.asks_by_stream(row.name):
            self._ask_by_stream(probe, row)

    def _to_be_told(self, row: Member) -> bytes | None:
        """Return the accusation of a member, for a packet to it; None if it need not hear one."""
        if row.status is Status.SUSPECT and not self._config.tell_suspects:
            return None
        return self._membership.accusation(row)

    def _ask_others(self, probe: Probe, now: float) -> None:
        row = self._table.get(probe.target)
        if row is None or not row.status.living or probe.asked:
            return
        probe.asked = True
        ring, rows = self._table.ring, self._table.rows
        count = self._config.indirect_probes
        chosen = self._rng.sample(ring, min(count + 2, len(ring)))
        excluded = (self._me.name, probe.target)
        relays = [
            rows[name]
            for name in chosen
            if name not in excluded and rows[name].status is Status.ALIVE
        ][:count]
        budget = max(0, int((probe.ends_at - now) * 1000))
        message = PingReq(probe.sequence, row.name, row.epoch, row.address, budget)
        for relay in relays:
            self._spread.send(relay.address, relay.epoch, [message])
        probe.relays = {relay.name: None for relay in relays}
        if self._config.stream_probes and not probe.stream_tried:
            self._ask_by_stream(probe, row)

    def _ask_by_stream(self, probe: Probe, row: Member) -> None:
        probe.stream_tried = True

        def report(answer: ProbeResult, when: float) -> None:
            if self.probe is not probe:
                return
            probe.by_stream = probe.by_stream or answer == "alive"
            if answer == "gone" and self._config.evidence:
                probe.evidence.by_stream = True
                self._weigh(probe, when)

        call = ProbeExchange(self._endpoint, row, probe.sequence, probe.ends_at, report)
        self._calls.append(call)

    def _succeed(self, probe: Probe, now: float) -> None:
        if probe.answered:
            return
        probe.answered = True
        for timer in probe.timers:
            timer.cancel()
        self._health.note(-1)
        self._note_outcome(probe.target, True, now)

    def _conclude(self, probe: Probe, now: float) -> None:
        """Judge a probe at the end of its period."""
        self._end(probe)
        row = self._table.get(probe.target)
        if row is None or not row.status.living or row.epoch != probe.epoch:
            return
        self._note_paths(probe, row, now)
        if probe.answered:
            return
        self._counters.add("probes_failed")
        if probe.by_stream:
            # It lives, and only datagrams do not get through: nothing to accuse it of.
            self._counters.add("probes_by_stream_only")
            self._note_outcome(probe.target, True, now)
            return
        # memberlist: with relays, only their missing nacks tell against ourselves.
        asked = len(probe.relays) if self._config.nacks else 0
        missing = asked - len(probe.nacks)
        self._health.note(missing if asked else 1)
        # A live relay is heard in any case: when several are not, it is us who cannot hear. Without
        # this, a peer behind a slow link accuses its first few targets before it knows itself.
        silence = asked >= _SILENT_RELAYS and not probe.nacks
        self._note_outcome(probe.target, False, now, silence=silence)
        if self._isolation.isolated:
            self._counters.add("accusations_withheld")
            return
        self._membership.accuse(probe.target, now)

    def _note_outcome(
        self, target: str, answered: bool, now: float, *, silence: bool = False
    ) -> None:
        isolation = self._isolation
        before = isolation.isolated
        isolation.note(target, answered, now)
        if silence:
            isolation.note_silence(now)
        if isolation.isolated != before:
            self._events.append(IsolationChanged(isolation.isolated))

    def _note_paths(self, probe: Probe, row: Member, now: float) -> None:
        """Tell which transport reached the target, if one did."""
        if probe.by_datagram:
            self._paths.passed(Path.UDP, row.name)
        elif probe.by_stream:
            self._paths.failed(Path.UDP, row.name)
            if row.name in self._paths.blocked:
                self._signals.only_streams_pass(row, now)
        if probe.by_stream:
            self._paths.passed(Path.TCP, row.name)
        elif probe.by_datagram and probe.stream_tried:
            self._paths.failed(Path.TCP, row.name)

    def _end(self, probe: Probe) -> None:
        for timer in probe.timers:
            timer.cancel()
        self._questions.close(probe.sequence, self)
        if self.probe is probe:
            self.probe = None
