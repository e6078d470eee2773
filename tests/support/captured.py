"""What the peers of a simulated mesh said to one another: raw material for fuzzing.

The mesh joins, registers, overrides, loses a peer for a while, restarts one and says farewell to
another, so that every kind of message, update and frame is there.
One of its peers is of a next version (future.py), so that longer forms and unknown kinds are too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from random import Random
from unittest.mock import patch

from future import FAMILY, NextVersion

from gossamer.gossip import Address, Exchange, Gossip, GossipConfig, decode, encode, join_tail
from gossamer.gossip.sealing import ChecksumSeal, Refused
from gossamer.peers.model import Override
from gossamer.peers.registry._records import (
    Intervention,
    Kind,
    Record,
    encode_intervention,
    encode_record,
    instance_key,
    intervention_key,
    report_tail,
)
from gossamer.simulations import Block, Mesh

SEAL = ChecksumSeal("default")
TARGET = "p0"


@dataclass
class Captured:
    """Bodies, without their seals, and what it takes to play the one who heard them."""

    datagrams: list[bytes] = field(default_factory=list)
    """Each that any peer heard."""
    told: list[bytes] = field(default_factory=list)
    """Those that the target heard, in order."""
    inbound: list[list[bytes]] = field(default_factory=list)
    """For each conversation, the frames that the called peer heard."""
    outbound: list[list[bytes]] = field(default_factory=list)
    """For each conversation, the frames that the calling peer heard."""
    records: list[bytes] = field(default_factory=list)
    epoch: int = 0
    nonce: int = 0
    now: float = 0.0

    def core(self, seed: int = 1) -> Gossip:
        """Return a core that plays the target and knows what the target was told."""
        core = Gossip(
            GossipConfig(name=TARGET, sender_datagrams=10**8, sender_updates=10**8),
            epoch=self.epoch,
            nonce=self.nonce,
            advertise=("10.0.0.1", 7940),
            rng=Random(seed),
            now=self.now,
        )
        for number in range(40):
            core.publish(f"i\norders\nmine-{number}", self.records[0], self.now)
        for body in self.told:
            core.receive(SEAL.seal(body, self.epoch), ("10.0.0.2", 7940), self.now)
        core.tick(self.now + 0.1)
        for output in (core.outbox, core.events, core.calls):
            output.clear()
        return core


def record(port: int = 80, stamp: int = 1, padding: int = 0) -> bytes:
    """Return a registration as an owner publishes it; `padding` is bytes of metadata."""
    metadata = tuple((f"k{number}", "v" * 1000) for number in range(padding // 1000))
    moment = 1_767_225_600_000
    return encode_record(
        Record(
            stamp, "UP", "10.1.2.3", port, ("v2",), metadata, 1, "z1", None, moment, moment,
            None, 0,
        )
    )  # fmt: skip


def intervention(kind: Kind = Kind.STATUS) -> bytes:
    """Return a decision of a peer on another's instance."""
    override = Override("DOWN", "sick", "ops", None) if kind is Kind.STATUS else None
    return encode_intervention(Intervention(9, kind, "p1", 5, override, 1_767_225_600_000))


def report() -> bytes:
    """Return what a peer was told of an instance that it does not own."""
    tail = report_tail("DOWN", "refused")
    return encode_intervention(Intervention(9, Kind.REPORT, "p1", 5, None, 1_767_225_600_000, tail))


def decoded(data: bytes) -> list[object]:
    """Return the items of an array."""
    items = decode(data)
    assert isinstance(items, list)
    return items


@contextmanager
def _listening(captured: Captured) -> Iterator[None]:
    hear, read = Gossip.receive, Exchange.receive
    conversations: dict[int, tuple[Exchange, list[bytes]]] = {}

    def note_datagram(self: Gossip, datagram: bytes, sender: Address, now: float) -> None:
        try:
            body = SEAL.open(datagram)[1]
        except Refused:
            body = b""
        if body:
            captured.datagrams.append(body)
            if self.name == TARGET:
                captured.told.append(body)
        hear(self, datagram, sender, now)

    def note_frame(self: Exchange, frame: bytes, now: float) -> None:
        if id(self) not in conversations:
            frames: list[bytes] = []
            conversations[id(self)] = self, frames
            (captured.inbound if self.purpose == "inbound" else captured.outbound).append(frames)
        conversations[id(self)][1].append(SEAL.open(frame)[1])
        read(self, frame, now)

    with (
        patch.object(Gossip, "receive", note_datagram),
        patch.object(Exchange, "receive", note_frame),
    ):
        yield


@cache
def capture(seed: int = 1) -> Captured:
    """Run the mesh and return what was said; the same for the same seed."""
    captured = Captured()
    captured.records = [
        record(),
        record(8080, 7, 3000),
        intervention(),
        intervention(Kind.REMOVE),
        intervention(Kind.CLEAR),
        report(),
        join_tail(decoded(record()), encode(["http", 9, "ok", "later"])),
    ]
    mesh = Mesh(seed, inbound_exchanges=2, part_for=30.0)
    later = NextVersion(mesh, ["p1"])
    with _listening(captured), later.speaking():
        mesh.add_peers(3)
        mesh.add_peers(3, apart=0.2)
        mesh.run_for(3.0)
        mesh["p1"].publish(FAMILY, b"of a later family")
        later.tell(mesh["p1"], "of a later kind")
        _live(mesh)
        with patch("gossamer.gossip.exchange._heads._HEADS_AT_ONCE", 1):
            mesh.add_peers(2)
            mesh.run_for(5.0)
    target = mesh[TARGET].gossip
    captured.epoch, captured.nonce = target.epoch, target.inside.context.me.nonce
    captured.now = mesh.now
    # Each once, and not hundreds of pings that differ in their number.
    captured.datagrams = list(dict.fromkeys(captured.datagrams))
    return captured


def _live(mesh: Mesh) -> None:
    subject = ("orders", "orders-1")
    mesh["p1"].publish(instance_key(subject), record())
    mesh["p2"].publish(intervention_key(subject), intervention())
    mesh["p3"].publish(instance_key(("big", "big-1")), record(padding=7000))
    for number in range(70):  # more than a log holds
        mesh["p1"].publish(instance_key(("many", f"many-{number % 9}")), record(stamp=number))
    receipt = mesh["p1"].gossip.confirm(2, mesh.now)
    mesh.run_for(2.0)
    assert receipt is not None
    mesh["p1"].withdraw(instance_key(subject))
    ahead = mesh.add("ahead", seeds=[mesh["p0"].address], skew=10 * 86_400.0)
    mesh["p4"].pause()
    mesh.run_for(4.0)
    mesh["p4"].resume()
    ahead.crash()
    _part(mesh)
    mesh["p5"].crash()
    mesh.add("tenant", address=mesh["p5"].address)
    mesh.run_for(5.0)
    mesh["p3"].crash()
    mesh["p3"].restart()
    mesh.run_for(2.0)
    mesh["p4"].leave()
    mesh.run_for(60.0)  # until the parts of who is gone are dropped


def _part(mesh: Mesh) -> None:
    with mesh.cut([mesh["p0"], mesh["p1"], mesh["p2"]], [mesh["p3"], mesh["p4"], mesh["p5"]]):
        mesh["p5"].publish(instance_key(("orders", "cut")), record(81))
        mesh["p0"].publish(instance_key(("orders", "own")), record(82))
        mesh.run_for(20.0)
    mesh.run_for(5.0)
    with mesh.cut([mesh["p0"]], [mesh["p1"]]):
        mesh.run_for(8.0)
    with mesh.fabric.add(Block("udp", [mesh["p2"].address[0]])):
        mesh.run_for(5.0)
    mesh.run_for(5.0)
