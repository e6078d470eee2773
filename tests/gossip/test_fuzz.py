"""Real datagrams, frames and records, mutated: nothing raises, and nothing changes unless it may.

`make fuzz` tries 100,000 cases, `make test` a few thousand; both print what repeats a failure.
Hypothesis chooses the seeds; each seed stands for a batch of cases on one core.
"""

import os
from collections.abc import Callable
from random import Random

import pytest
from captured import SEAL, TARGET, capture, record
from cores import without_notices
from hypothesis import HealthCheck, Phase, given, note, settings, strategies as st
from mutations import bytes_changed, value_changed

from gossamer.gossip import Address, Exchange, Gossip, Status, decode
from gossamer.gossip.basis import array
from gossamer.gossip.messages import Ask, Parts, decode_body
from gossamer.gossip.state import TAIL_LIMIT
from gossamer.peers.registry import Refused, Unknown
from gossamer.peers.registry._records import decode_intervention, decode_record, parse_key
from gossamer.simulations import Mesh

CAPTURED = capture()
STRANGER: Address = ("10.9.9.9", 5000)
BATCH = 50
CASES = int(os.environ.get("GOSSAMER_FUZZ_CASES", "2500"))

seeds = st.integers(0, 2**63 - 1)


def fuzzing(share: float) -> settings:
    """Return how many batches a test tries; failures are kept and shrunk by no database."""
    campaign = "GOSSAMER_FUZZ_CASES" in os.environ
    return settings(
        max_examples=max(1, round(share * CASES / BATCH)),
        derandomize=not campaign and settings().derandomize,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def each_case(seed: int, try_one: Callable[[Random], None]) -> None:
    """Try a batch; a failure says by which seed and case it is repeated."""
    for case in range(BATCH):
        note(f"seed {seed}, case {case}")
        try_one(Random(f"{seed}/{case}"))


def state(core: Gossip) -> tuple[object, ...]:
    """Return all that others could have changed."""
    return (
        core.root,
        core.epoch,
        core.incarnation,
        {
            name: (row.epoch, row.incarnation, row.status, row.address, row.tail)
            for name, row in core.members.items()
        },
        {owner: (*part.head, len(part.records)) for owner, part in core.parts.items()},
    )


Heights = tuple[int, dict[str, tuple[int, int]], dict[str, tuple[int, int]]]


def heights(core: Gossip) -> Heights:
    """Return what never falls: the own epoch, lives of members, and heads of parts."""
    return (
        core.epoch,
        {name: (row.epoch, row.incarnation) for name, row in core.members.items()},
        {owner: part.head for owner, part in core.parts.items()},
    )


def check_whole(core: Gossip, before: Heights) -> None:
    """Check what holds of a core whatever it has heard, and drain it."""
    epoch, members, parts = heights(core)
    assert epoch >= before[0]
    for name, life in before[1].items():
        assert members.get(name, life) >= life, name
    for owner, head in before[2].items():
        assert parts.get(owner, head) >= head, owner
    assert TARGET not in core.members
    assert core.parts[TARGET].records.keys() >= {f"i\norders\nmine-{n}" for n in range(40)}
    config = core.config
    kept = core.statistics()
    assert kept["rumors_membership"] <= 2 * config.queue_limit
    assert kept["rumors_registry"] <= config.queue_limit
    assert kept["rumors_unknown"] <= config.queue_limit
    assert all(len(row.tail) <= TAIL_LIMIT for row in core.members.values())
    assert kept["waiting_deltas"] <= 256 * 16
    assert len(core.members) <= config.member_limit
    assert len(core.calls) <= 6 + 32  # exchanges, and probes by stream
    for address, data in core.outbox:
        assert len(data) <= config.packet_limit
        assert 0 < address[1] < 65_536
    core.outbox.clear()
    core.events.clear()
    core.calls.clear()


def refusals(core: Gossip) -> int:
    """Return how much was refused."""
    return sum(count for name, count in core.statistics().items() if name.startswith("refused_"))


@fuzzing(0.25)
@given(seeds)
def test_damaged_datagrams_change_nothing(seed: int) -> None:
    """A datagram that is not as it was sealed is counted, answered by nothing, and forgotten."""
    core = CAPTURED.core()
    before = state(core)

    def damage(rng: Random) -> None:
        sample = SEAL.seal(rng.choice(CAPTURED.datagrams), CAPTURED.epoch)
        damaged = bytes_changed(sample, rng)
        if damaged == sample:
            return
        refused = refusals(core)
        core.receive(damaged, STRANGER, CAPTURED.now + 0.1)
        assert refusals(core) == refused + 1
        assert (without_notices(core), core.calls) == (([], []), [])

    each_case(seed, damage)
    assert state(core) == before


@fuzzing(0.05)
@given(seeds)
def test_damaged_frames_change_nothing(seed: int) -> None:
    """A frame that is not as it was sealed ends its conversation, on either side."""
    core = CAPTURED.core()
    before = state(core)

    def damage(rng: Random) -> None:
        frames = rng.choice([*CAPTURED.inbound, *CAPTURED.outbound])
        sample = SEAL.seal(rng.choice(frames), CAPTURED.epoch)
        damaged = bytes_changed(sample, rng)
        if damaged == sample:
            return
        exchange = conversation(core, rng)
        exchange.receive(damaged, CAPTURED.now + 0.1)
        assert exchange.finished
        core.events.clear()
        core.calls.clear()

    each_case(seed, damage)
    assert state(core) == before


@fuzzing(0.1)
@given(seeds)
def test_resealed_damaged_bodies_leave_a_core_whole(seed: int) -> None:
    """Bytes changed below a right checksum: a core takes them or not, and stays whole."""
    resealed(seed, bytes_changed)


@fuzzing(0.25)
@given(seeds)
def test_resealed_other_values_leave_a_core_whole(seed: int) -> None:
    """Values swapped, out of range, of other types, nested deep, of other names and lives."""
    resealed(seed, lambda body, rng: value_changed(body, CAPTURED.datagrams, rng))


def resealed(seed: int, change: Callable[[bytes, Random], bytes]) -> None:
    """Have a core hear a batch of changed bodies under right checksums, and time pass."""
    core = CAPTURED.core()
    now = CAPTURED.now + 0.1

    def hear(rng: Random) -> None:
        nonlocal now
        before = heights(core)
        body = change(rng.choice(CAPTURED.datagrams), rng)
        to_epoch = rng.choice((core.epoch, core.epoch, core.epoch, 0, CAPTURED.epoch))
        core.receive(SEAL.seal(body, to_epoch), rng.choice(SENDERS), now)
        if rng.random() < 0.2:
            now += rng.random()
            core.tick(now)
        check_whole(core, before)

    each_case(seed, hear)


SENDERS: tuple[Address, ...] = (STRANGER, ("10.0.0.2", 7940), ("::1", 1))


def conversation(core: Gossip, rng: Random) -> Exchange:
    """Return a conversation that the core was called into, or began itself."""
    core.calls.clear()
    now = CAPTURED.now + 0.1
    if rng.random() < 0.5:
        return core.accept(STRANGER, now)
    exchanges = core.inside.exchanges
    address = f"10.5.{rng.randrange(250)}.{rng.randrange(250)}", 7940
    purpose = rng.choice(("join", "heal", "repair", "fetch"))
    owners = ["p1", "p3"] if purpose == "fetch" else None
    for call in list(exchanges.under_way.values()):
        call.fail("given up", now)
    assert exchanges.begin(purpose, address, now, owners=owners)  # type: ignore[arg-type]
    return core.calls.pop()


@fuzzing(0.25)
@given(seeds)
def test_resealed_frames_leave_a_core_whole(seed: int) -> None:
    """Conversations in which one frame or more was changed below a right checksum."""
    core = CAPTURED.core()
    now = CAPTURED.now + 0.1

    def converse(rng: Random) -> None:
        before = heights(core)
        exchange = conversation(core, rng)
        frames = rng.choice(
            CAPTURED.inbound if exchange.purpose == "inbound" else CAPTURED.outbound
        )
        spoiled = rng.randrange(len(frames))
        for number, frame in enumerate(frames):
            body = frame
            if number == spoiled:
                others = [each for some in CAPTURED.outbound for each in some]
                body = value_changed(frame, CAPTURED.datagrams, rng)
                if rng.random() < 0.2:
                    body = bytes_changed(frame, rng)
                elif rng.random() < 0.2:
                    body = value_changed(rng.choice(others), CAPTURED.datagrams, rng)
            exchange.receive(SEAL.seal(body, core.epoch), now)
        exchange.fail("closed", now)
        assert exchange.finished
        assert core.inside.exchanges.served == 0
        check_whole(core, before)

    each_case(seed, converse)


@fuzzing(0.1)
@given(seeds)
def test_changed_records_are_refused_or_read(seed: int) -> None:
    """Records and keys of the registry with other values are refused in one way, or are good."""

    def read(rng: Random) -> None:
        sample = rng.choice(CAPTURED.records)
        change = bytes_changed if rng.random() < 0.3 else value_of_record
        data = change(sample, rng)
        for decoder in (decode_record, decode_intervention):
            try:
                decoder(data)
            except (Refused, Unknown):
                continue
        key = bytes_changed(b"i\norders\norders-1", rng).decode("latin1")
        try:
            parse_key(key)
        except Refused:
            return

    each_case(seed, read)


def value_of_record(data: bytes, rng: Random) -> bytes:
    """Return a record with other values in it."""
    return value_changed(data, CAPTURED.records, rng)


def test_what_was_captured_has_every_kind() -> None:
    """Every kind of message, update, frame and entry is there to be mutated, and later ones."""
    messages, updates, frames, entries = set(), set(), set(), set()
    unknown = longer = 0
    for body in CAPTURED.datagrams:
        packet = decode_body(body)
        messages |= {message.KIND for message in packet.messages}
        unknown += packet.unknown
        longer += len(array(decode(body))) > 4
        updates |= {array(decode(update))[0] for update in packet.updates}
    for frame in (frame for some in (*CAPTURED.inbound, *CAPTURED.outbound) for frame in some):
        items = array(decode(frame))
        frames.add(items[0])
        if items[0] == Parts.KIND:
            entries |= {array(decode(entry))[0] for entry in array(items[1])}  # type: ignore[arg-type]
    assert (messages, updates) == (set(range(10)), {0, 1, 2, 5})
    assert (frames, entries) == ({*range(12), Ask.KIND}, {1, 3, 4, 5})
    assert unknown > 0
    assert longer > 0


@pytest.mark.parametrize("seed", range(2))
def test_a_mesh_works_after_all_that(seed: int) -> None:
    """Peers that heard thousands of forged datagrams find together again and go on."""
    mesh = Mesh(seed, dead_for=5.0, left_for=1.0, part_for=5.0)
    mesh.add_peers(5, apart=0.1)
    mesh.run_until(mesh.complete, 10.0)
    rng = Random(seed)
    for _ in range(2000):
        peer = rng.choice(list(mesh))
        sample = rng.choice(CAPTURED.datagrams)
        body = value_changed(sample, CAPTURED.datagrams, rng)
        mesh.fabric.send_datagram(STRANGER, peer.address, SEAL.seal(body, peer.gossip.epoch))
        mesh.run_for(0.005)
    mesh["p2"].publish("i\norders\nafter", record())
    mesh.run_until(mesh.complete, 60.0)
    mesh.run_until(
        lambda: set(mesh.record(mesh["p2"], "i\norders\nafter").values()) == {record()}, 60.0
    )
    assert all(
        member.status is not Status.DEAD
        for peer in mesh
        for name, member in peer.gossip.members.items()
        if name in mesh.peers
    )
