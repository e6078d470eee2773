"""How the parts of one peer's protocol are put together: each is built from those before it.

What a part has to tell those that are built after it goes through a signal (kernel/_signals.py).
"""

from random import Random

from ._listener import Listener
from .basis import GossipConfig
from .dissemination import Spread
from .exchange import Contacts, Exchanges, Fetches, Healing, Joining, Knowledge, Repair, Seeds
from .kernel import Context, Identity, Sequence
from .membership import Departure, Membership, OwnLife, Paths, ProbePlanner, Prober, Relays
from .replication import OwnPart, Receipts, Remains, Replicas
from .sealing import Seal


class Wiring:
    """All parts of one peer's protocol."""

    def __init__(
        self,
        config: GossipConfig,
        me: Identity,
        seal: Seal,
        rng: Random,
        now: float,
        *,
        wall_ms: int | None = None,
    ) -> None:
        self.context = context = Context.begin(config, me, seal, rng, now, wall_ms=wall_ms)
        self.planner = ProbePlanner(rng)
        self.spread = Spread(context)
        self.own_life = OwnLife(context, self.spread)
        self.remains = Remains()
        self.membership = Membership(
            context, self.spread, self.planner, self.own_life, left_by=self.remains.epoch
        )
        self.paths = Paths(context, self.planner)
        sequence = Sequence(rng)
        self.relays = Relays(context, self.spread, sequence)
        self.prober = Prober(
            context, self.spread, self.membership, self.planner, self.paths, sequence
        )  # fmt: skip
        self.own_part = OwnPart(context, self.spread, overtaken=self.own_life.raise_epoch)
        self.replicas = Replicas(context, self.spread, self.own_part, self.remains, now)
        knowledge = Knowledge(self.spread, self.membership, self.own_part, self.replicas)
        self.exchanges = Exchanges(context, knowledge, now)
        self.seeds = Seeds(context)
        self.contacts = Contacts(context, self.spread, self.seeds)
        self.fetches = Fetches(context, self.exchanges)
        self.repair = Repair(
            context, self.spread, self.replicas, self.exchanges, self.contacts, now
        )  # fmt: skip
        self.joining = Joining(context, self.exchanges, self.seeds)
        self.healing = Healing(
            context, self.membership, self.exchanges, self.seeds, self.joining, self.contacts,
            self.repair, now,
        )  # fmt: skip
        self.receipts = Receipts(context, self.spread)
        self.departure = Departure(context, self.spread, is_meeting=lambda: bool(self.exchanges))
        self.listener = Listener(
            context, self.spread, self.membership, self.prober, self.relays, self.contacts,
            self.healing, self.repair, self.replicas, self.receipts,
        )  # fmt: skip
        self.prober.start(now)
