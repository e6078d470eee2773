"""The objects that the parts of one peer's protocol share; each part takes those that it uses."""

from dataclasses import dataclass
from random import Random
from typing import Self

from gossamer.gossip.basis import Counters, GossipConfig, Timers
from gossamer.gossip.sealing import Seal
from gossamer.gossip.state import Event, MemberTable, Store

from ._epochs import Epochs
from ._exchange import Endpoint, Exchange
from ._health import Isolation, LocalHealth
from ._identity import Identity
from ._outbox import Outbox
from ._questions import Questions
from ._refusals import Refusals
from ._root import Root
from ._signals import Signals


@dataclass(frozen=True, slots=True)
class Context:
    """The objects that several parts of the protocol share."""

    config: GossipConfig
    rng: Random
    me: Identity
    table: MemberTable
    store: Store
    root: Root
    epochs: Epochs
    health: LocalHealth
    isolation: Isolation
    timers: Timers
    signals: Signals
    questions: Questions
    counters: Counters
    refusals: Refusals
    seal: Seal
    outbox: Outbox
    endpoint: Endpoint
    events: list[Event]
    calls: list[Exchange]

    @classmethod
    def begin(
        cls,
        config: GossipConfig,
        me: Identity,
        seal: Seal,
        rng: Random,
        now: float,
        *,
        wall_ms: int | None = None,
    ) -> Self:
        """Return what a peer has at its start; without `wall_ms` its epoch stands for the clock."""
        table, store, counters = MemberTable(me.name), Store(), Counters()
        events: list[Event] = []
        refusals = Refusals(counters, events)
        return cls(
            config=config,
            rng=rng,
            me=me,
            table=table,
            store=store,
            root=Root(me, table, store, now),
            epochs=Epochs(me.epoch if wall_ms is None else wall_ms, now),
            health=LocalHealth(config.awareness_limit),
            isolation=Isolation(config.isolation_limit),
            timers=Timers(),
            signals=Signals(),
            questions=Questions(),
            counters=counters,
            refusals=refusals,
            seal=seal,
            outbox=Outbox(me, seal, counters),
            endpoint=Endpoint(config, me, seal, counters, refusals),
            events=events,
            calls=[],
        )
