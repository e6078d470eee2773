"""How updates travel: at once along a rumor's tree, then in rounds, and on other datagrams.

A peer that learns of a new update sends it to its children in the rumor's tree and to one random
member.  It does so within `gather` seconds, or at once if it sent nothing just before.
For many updates at once, a datagram to the children of each tree would be too expensive: they go
together to a few random members, in full datagrams.
Rounds every `gossip_interval` pass on the rumors that have not been sent often enough, and so do
pings and acks with their free room.
The classes of rumors share the room of each datagram (_classes.py).
"""

from collections.abc import Iterable, Iterator
from math import inf

from gossamer.gossip.basis import Metric, measured
from gossamer.gossip.kernel import Context
from gossamer.gossip.messages import Message, encode_body, messages_size, update_cost
from gossamer.gossip.state import Address

from ._classes import CLASSES, MEMBERSHIP, UNKNOWN, Lane, RumorClass, share_room
from ._rumors import Rumor, RumorQueue
from ._statistics import RUMORS
from ._tree import children

# Updates that go out at once in one flush; what is beyond waits for rounds, or for repair.
_FRESH_LIMIT = 256
# Of these, how many may be of kinds that only later versions understand.
_FRESH_UNKNOWN = 16
# From so many updates in one flush on, their trees together reach nearly everybody, each with a
# datagram of its own: after a partition that is ten times the datagrams for the same updates.
_BURST = 8
_POURING = 2
# Four listeners each let a burst reach all but two in a hundred at once; two, four in five (what is
# missed has the share s = e^-2(1-s)), and rounds the rest.  A storm grows with the square of the
# mesh, so that in a large one it is worth to wait for rounds.
_SMALL = 128
_LISTENERS_OF_MANY = 2
# So many rumors that wait are a storm.  Each is sent to as many as hear of a lone one at once; sent
# by memberlist's law, most of them would travel long after all know.  Repair finds the peers that
# missed some.
_STORM = 128
# Times `gather`, the longest time in which updates are gathered while they pour in.
_LONGEST_PAUSE = 8
# Datagrams to one member in one flush.
_FLUSH_DATAGRAMS = 8
# Updates up to here fit into the smallest datagram behind the longest name.
_SURELY_FITS = 900
# The most bytes that an update takes in a datagram beside its own (see `update_cost`).
_OVERHEAD = 3


class Spread:
    """Takes in updates that are new here and passes them on."""

    def __init__(self, context: Context) -> None:
        self._config = context.config
        self._rng = context.rng
        self._me = context.me
        self._table = context.table
        self._timers = context.timers
        self._counters = context.counters
        self._seal = context.seal
        self._outbox = context.outbox
        limit = context.config.queue_limit
        self._lanes = tuple(Lane(kind, limit) for kind in CLASSES)
        self._lane = {lane.kind: lane for lane in self._lanes}
        self._membership = self._lane[MEMBERSHIP]
        # Accusations of many at a time: they take the room that the classes leave.
        self.accusations = RumorQueue(limit)
        # Set while a newcomer takes in what everybody but itself knows.
        self.muted = False
        self._fresh: dict[object, tuple[Lane, Rumor]] = {}
        self._fresh_unknown = 0
        self._flush_at: float | None = None
        self.flushed_at = float("-inf")
        """When fresh updates were last sent."""
        self._pause = context.config.gather
        # How many living members the lanes know of.
        self._adapted_to = 0
        # The room of a datagram without messages, and the epoch for which that is so.
        self._room_for: tuple[int, int] = (-1, 0)
        self._round_waits = False

    @property
    def storms(self) -> bool:
        """Whether so many updates about members wait that they are a storm."""
        return len(self._membership.queue) >= _STORM

    def pours(self, now: float) -> bool:
        """Whether updates come in so fast that they are gathered as long as can be."""
        longest = _LONGEST_PAUSE * self._config.gather
        return self._pause >= longest and now - self.flushed_at <= 2 * longest

    def queue(self, kind: RumorClass) -> RumorQueue:
        """Return the rumors of a class that wait."""
        return self._lane[kind].queue

    def sends(self, kind: RumorClass) -> int:
        """Return how often a rumor of a class is sent in all, as things are."""
        self._adapt()
        lane = self._lane[kind]
        return lane.limit_in_storm if self.storms else lane.limit

    def metrics(self) -> Iterator[Metric]:
        """Return how many rumors wait, by class, and how many found no room."""
        waiting = {f"rumors_{lane.kind.name}": len(lane.queue) for lane in self._lanes}
        waiting[f"rumors_{MEMBERSHIP.name}"] += len(self.accusations)
        dropped = sum(queue.dropped for queue in self._queues())
        return measured(RUMORS, {**waiting, "rumors_dropped": dropped})

    def tell(
        self,
        kind: RumorClass,
        key: object,
        payload: bytes,
        origin: str,
        heard_from: str,
        now: float,
        *,
        urgent: bool = True,
        rooted: bool = True,
    ) -> None:
        """Pass on something that this peer did not know before.

        What is not urgent travels in rounds, to one member each, and on other packets' backs;
        `rooted` is what shows in the root.
        """
        if self._table.living < 2:
            return  # nobody to tell: state is kept, messages are not
        if len(payload) > _SURELY_FITS and update_cost(payload) > self._room([]):
            # It would never be sent: it only fitted behind the shorter name of another peer.
            self._counters.add("rumors_too_large")
            return
        if self.muted and origin != self._me.name:
            return
        rumor = Rumor(key, payload, origin, heard_from, now if rooted else inf)
        self._want_round(now)
        lane = self._lane[kind]
        if not urgent:
            lane.queue.discard(key)
            self._fresh.pop(key, None)
            self.accusations.add(rumor)
            return
        self.accusations.discard(key)
        lane.queue.add(rumor)
        if not self._config.eager:
            return
        if kind is UNKNOWN and key not in self._fresh:
            if self._fresh_unknown >= _FRESH_UNKNOWN:
                return
            self._fresh_unknown += 1
        if len(self._fresh) < _FRESH_LIMIT or key in self._fresh:
            self._fresh[key] = (lane, rumor)
        if self._flush_at is None:
            gather = self._config.gather
            self._flush_at = max(now, self.flushed_at + self._pause)
            if self._flush_at > now:
                # Updates pour in: gather longer each time, until there is a pause.
                self._pause = min(2 * self._pause, _LONGEST_PAUSE * gather)
                self._timers.at(self._flush_at, self.flush)
            else:
                self._pause = gather

    def flush_if_due(self, now: float) -> None:
        """Send fresh updates if they need not be gathered any longer; called after every input."""
        if self._flush_at is not None and self._flush_at <= now:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Send all fresh updates, each along its tree or, when they are many, together."""
        if self._flush_at is None:
            return
        self._flush_at = None
        self.flushed_at = now
        fresh = list(self._fresh.values())
        self._fresh.clear()
        self._fresh_unknown = 0
        if not fresh:
            return  # what was to be told has become an accusation, which can wait
        pouring = self._pause >= _LONGEST_PAUSE * self._config.gather
        if len(fresh) >= (_POURING if pouring else _BURST) or self.storms:
            self._flush_together(fresh)
        else:
            self._flush_apart(fresh)

    def _flush_apart(self, fresh: list[tuple[Lane, Rumor]]) -> None:
        """Send each rumor to its children in its tree and to one random member."""
        self._adapt()
        storm = self.storms
        by_target: dict[str, list[bytes]] = {}
        for lane, rumor in fresh:
            targets = self._targets(rumor)
            for name in targets:
                by_target.setdefault(name, []).append(rumor.payload)
            limit = lane.limit_in_storm if storm else lane.limit
            lane.queue.sent(rumor, len(targets), limit)
        for name, payloads in by_target.items():
            self._send_all([name], payloads)

    def _flush_together(self, fresh: list[tuple[Lane, Rumor]]) -> None:
        """Send all of many rumors to a few random members."""
        self._adapt()
        storm = self.storms
        names = self._at_random()
        if self._lane[UNKNOWN].queue:
            # The flush is bounded: what this version understands must not wait for the rest.
            fresh = sorted(fresh, key=lambda each: each[0].kind is UNKNOWN)
        for lane, rumor in fresh:
            limit = lane.limit_in_storm if storm else lane.limit
            lane.queue.sent(rumor, len(names), limit)
        self._send_all(names, [rumor.payload for _, rumor in fresh])

    def quench(self, known_at: float) -> None:
        """Pass on no more of what shows in the root and was known at that time."""
        for queue in self._queues():
            queue.quench(known_at)

    def discard(self, key: object) -> None:
        """Pass on no more of a membership rumor."""
        self._membership.queue.discard(key)
        self.accusations.discard(key)

    def send(
        self,
        address: Address,
        to_epoch: int,
        messages: list[Message],
        first: Iterable[bytes] = (),
    ) -> None:
        """Send messages with `first` and as many rumors as fit.

        What does not fit of `first` goes before them, in datagrams of its own.
        """
        updates: list[bytes] = []
        room = self._room(messages)
        for update in first:
            cost = update_cost(update)
            if cost <= room:
                updates.append(update)
                room -= cost
            else:
                self._outbox.send(address, to_epoch, [], [update])
        # Rumors go only to an address that a member has.  Otherwise a ping with a forged address
        # would make this peer send many times its size to a third party.
        if self._table.lives_at(address):
            updates += self._ride(room)
        self._outbox.send(address, to_epoch, messages, updates)

    def _targets(self, rumor: Rumor) -> list[str]:
        table, own = self._table, self._me.name
        ring = table.ring
        arity = self._config.tree_arity
        if len(ring) <= arity + 2:
            return [name for name in ring if name not in (own, rumor.heard_from)]
        targets = children(ring, own, rumor.origin, rumor.payload, arity)
        targets.append(ring[int(self._rng.random() * len(ring))])
        return [name for name in dict.fromkeys(targets) if name not in (own, rumor.heard_from)]

    def _at_random(self) -> list[str]:
        """Return the few members that hear of a burst at once."""
        ring = self._table.ring
        wanted = self._config.tree_arity + 1 if len(ring) <= _SMALL else _LISTENERS_OF_MANY
        chosen = self._rng.sample(ring, min(wanted + 1, len(ring)))
        return [name for name in chosen if name != self._me.name][:wanted]

    def _adapt(self) -> None:
        """Have the lanes know how many members live now."""
        living = self._table.living
        if self._adapted_to != living:
            self._adapted_to = living
            for lane in self._lanes:
                lane.adapt(self._config, living)

    def _room(self, messages: list[Message]) -> int:
        """How many bytes of updates fit beside messages."""
        me = self._me
        if self._room_for[0] != me.epoch:
            body = len(encode_body(me.name, me.epoch, [], [])) + 2
            self._room_for = me.epoch, self._config.packet_limit - self._seal.overhead - body
        room = self._room_for[1]
        return room - messages_size(messages) + 1 if messages else room

    def _ride(self, room: int, *, accusations: bool = True) -> list[bytes]:
        """Take rumors for `room` bytes; accusations of many take what the classes leave."""
        self._adapt()
        storm = self.storms
        taken = share_room(self._lanes, room, _OVERHEAD, storm=storm)
        if accusations and self.accusations:
            room -= sum(map(len, taken)) + _OVERHEAD * len(taken)
            lane = self._membership
            limit = lane.limit_in_storm if storm else lane.limit
            taken += self.accusations.take(room, limit, _OVERHEAD)
        return taken

    def _send_all(self, names: list[str], payloads: list[bytes]) -> None:
        """Send updates alone to each of these members, in as few datagrams as they fit into."""
        room = full = self._room([])
        batches: list[list[bytes]] = [[]]
        for payload in payloads:
            cost = update_cost(payload)
            if cost > room and batches[-1]:
                if len(batches) == _FLUSH_DATAGRAMS:
                    break
                batches.append([])
                room = full
            batches[-1].append(payload)
            room -= cost
        members = [self._table.rows[name] for name in names]
        for batch in batches:
            self._outbox.send_to_all(members, batch)

    def _want_round(self, now: float) -> None:
        if not self._round_waits and self._config.rounds:
            self._round_waits = True
            # A random phase keeps peers that heard the same update from ticking together.
            interval = self._config.gossip_interval
            wait = interval * (0.5 + self._rng.random() / 2)
            self._timers.at(now + wait, self._round)

    def _round(self, now: float) -> None:
        self._round_waits = False
        ring, own = self._table.ring, self._me.name
        if len(ring) < 2:
            for queue in self._queues():
                queue.clear()
            return
        if not self._waiting:
            return
        nodes = self._config.gossip_nodes
        chosen = self._rng.sample(ring, min(nodes + 1, len(ring)))
        for number, name in enumerate([name for name in chosen if name != own][:nodes]):
            member = self._table.rows[name]
            updates = self._ride(self._room([]), accusations=number == 0)
            if updates:
                self._outbox.send(member.address, member.epoch, [], updates)
        if self._waiting:
            self._round_waits = True
            self._timers.at(now + self._config.gossip_interval, self._round)

    @property
    def _waiting(self) -> bool:
        return any(self._queues())

    def _queues(self) -> list[RumorQueue]:
        return [*(lane.queue for lane in self._lanes), self.accusations]
