import random
from dataclasses import dataclass, field

import pytest

from gossamer.gossip import Joined
from gossamer.simulations import (
    Address,
    Carrier,
    ConstantLatency,
    Cut,
    Fabric,
    Packet,
    Rule,
    StreamEnd,
    Trace,
    UniformLatency,
    Verdict,
    VirtualClock,
)

A: Address = ("10.0.0.1", 7940)
B: Address = ("10.0.0.2", 7940)


@dataclass
class Listener:
    clock: VirtualClock
    heard: list[tuple[float, bytes, Address]] = field(default_factory=list)
    closed: list[Address] = field(default_factory=list)

    def receive(self, data: bytes, sender: Address) -> None:
        self.heard.append((self.clock.now, data, sender))

    def unreachable(self, address: Address) -> None:
        self.closed.append(address)

    def accept(self, end: StreamEnd) -> bool:
        return False


class Answer(Rule):
    """Answers the same to each packet, and counts how often it was asked."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.asked = 0

    def judge(self, packet: Packet, fabric: Carrier) -> Verdict:
        self.asked += 1
        return self.verdict


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fabric(clock: VirtualClock) -> Fabric:
    return Fabric(clock, random.Random(1), latency=ConstantLatency(0.5))


@pytest.fixture
def listener(clock: VirtualClock, fabric: Fabric) -> Listener:
    listener = Listener(clock)
    fabric.attach(B, listener)
    return listener


def test_delivers_after_the_latency(
    fabric: Fabric, clock: VirtualClock, listener: Listener
) -> None:
    """With no rules a datagram arrives after the default latency, with data and sender."""
    fabric.send_datagram(A, B, b"hello")
    clock.run_for(1.0)

    assert listener.heard == [(0.5, b"hello", A)]
    assert fabric.statistics() == {
        "sent": 1,
        "delivered": 1,
        "dropped": 0,
        "held": 0,
        "unreachable": 0,
        "bytes_sent": 5,
        "bytes_delivered": 5,
    }


def test_counts_what_nobody_listens_for(fabric: Fabric, clock: VirtualClock) -> None:
    """A datagram to an address without a port is counted and goes nowhere."""
    fabric.send_datagram(A, B, b"hello")
    clock.run_for(1.0)

    assert (fabric.unreachable, fabric.delivered) == (1, 0)


def test_one_port_for_an_address(fabric: Fabric, listener: Listener, clock: VirtualClock) -> None:
    """An address is taken until it is detached."""
    with pytest.raises(ValueError, match="taken"):
        fabric.attach(B, Listener(clock))
    fabric.detach(B)
    fabric.detach(B)
    fabric.attach(B, Listener(clock))


def test_first_verdict_wins_and_the_newest_rule_is_asked_first(
    fabric: Fabric, clock: VirtualClock, listener: Listener
) -> None:
    """A rule that passes lets the next be asked; one that decides ends the chain."""
    last, middle, first = Answer(0.1), Answer(0.2), Answer(None)
    for rule in (last, middle, first):
        fabric.add(rule)

    fabric.send_datagram(A, B, b"")
    clock.run_for(1.0)

    assert [first.asked, middle.asked, last.asked] == [1, 1, 0]
    assert listener.heard[0][0] == 0.2


def test_a_guard_takes_its_rule_away(
    fabric: Fabric, clock: VirtualClock, listener: Listener
) -> None:
    """After the guard's block, and after remove, the rule is not asked any more."""
    rule = Answer(-1.0)
    with fabric.add(rule) as guard:
        fabric.send_datagram(A, B, b"lost")
        during = guard.active
    fabric.send_datagram(A, B, b"found")
    guard.remove()
    clock.run_for(1.0)

    assert (during, guard.active) == (True, False)
    assert [data for _, data, _ in listener.heard] == [b"found"]
    assert (rule.asked, fabric.dropped) == (1, 1)


def test_a_rule_stands_in_the_chain_once(fabric: Fabric) -> None:
    """The same rule cannot be added twice, but again after it was removed."""
    rule = Answer(None)
    guard = fabric.add(rule)
    with pytest.raises(ValueError, match="already"):
        fabric.add(rule)
    guard.remove()
    fabric.add(rule)


def test_a_cut_takes_effect_at_delivery(
    fabric: Fabric, clock: VirtualClock, listener: Listener
) -> None:
    """A packet in flight when the cut falls is lost; one sent after healing arrives."""
    fabric.send_datagram(A, B, b"in flight")
    clock.run_until(0.4)
    fabric.cut([A[0]], [B[0]])
    clock.run_until(1.0)
    fabric.heal()
    fabric.send_datagram(A, B, b"after")
    clock.run_until(2.0)

    assert [data for _, data, _ in listener.heard] == [b"after"]
    assert fabric.dropped == 1


def test_a_packet_sent_during_a_cut_is_lost_though_it_heals_in_time(
    fabric: Fabric, clock: VirtualClock, listener: Listener
) -> None:
    """Healing does not bring back what was sent into the cut."""
    guard = fabric.cut([A[0]], [B[0]])
    fabric.send_datagram(A, B, b"into the cut")
    guard.remove()
    clock.run_for(1.0)

    assert listener.heard == []


def test_healing_ends_all_cuts_and_no_other_rule(fabric: Fabric) -> None:
    """`heal` takes away what `cut` and `cut_one_way` laid, also after a guard did so."""
    other = fabric.add(Cut([A[0]], [B[0]]))
    guards = [fabric.cut([A[0]], [B[0]]), fabric.cut_one_way([A[0]], [B[0]])]
    guards[0].remove()
    fabric.heal()
    fabric.heal()

    assert [guard.active for guard in guards] == [False, False]
    assert other.active


def test_rules_at_arrival_must_not_delay(fabric: Fabric, clock: VirtualClock) -> None:
    """A rule that would delay what has arrived is a mistake and says its name."""

    class Late(Answer):
        on_arrival = True

    fabric.send_datagram(A, B, b"")
    fabric.add(Late(1.0))
    with pytest.raises(RuntimeError, match="Late"):
        clock.run_for(1.0)


def test_the_last_rule_must_decide(clock: VirtualClock) -> None:
    """A latency rule that passes leaves no verdict, which is a mistake."""
    fabric = Fabric(clock, random.Random(1), latency=Answer(None))
    with pytest.raises(RuntimeError, match="must not pass"):
        fabric.send_datagram(A, B, b"")


def test_a_host_says_that_a_port_is_closed(clock: VirtualClock, fabric: Fabric) -> None:
    """A datagram to a closed port comes back as an error; a host that never was says nothing."""
    sender, other = Listener(clock), Listener(clock)
    fabric.attach(A, sender)
    fabric.attach(B, other)
    fabric.detach(B)
    fabric.send_datagram(A, B, b"x")
    fabric.send_datagram(A, ("10.0.0.9", 7940), b"x")
    clock.run_for(0.9)
    assert not sender.closed
    clock.run_for(0.2)
    assert sender.closed == [B]


def test_a_cut_takes_the_error_as_well(clock: VirtualClock, fabric: Fabric) -> None:
    """What a host says of a closed port is a packet like others."""
    sender = Listener(clock)
    fabric.attach(A, sender)
    fabric.attach(B, Listener(clock))
    fabric.detach(B)
    fabric.send_datagram(A, B, b"x")
    clock.run_for(0.6)
    fabric.cut(["10.0.0.1"], ["10.0.0.2"])
    clock.run_for(2.0)
    assert not sender.closed


def _traced(seed: int) -> tuple[str, int]:
    clock = VirtualClock()
    fabric = Fabric(clock, random.Random(seed), latency=UniformLatency(0.1, 0.9))
    fabric.attach(B, Listener(clock))
    trace = Trace()
    fabric.observer = lambda packet: trace.delivery(clock.now, packet)
    for index in range(20):
        fabric.send_datagram(A, B, bytes([index]))
    clock.run_for(1.0)
    trace.happened(clock.now, "b", [Joined()])
    return trace.digest, trace.entries


def test_the_trace_tells_runs_apart() -> None:
    """The same seed gives the same digest, another seed another one."""
    assert _traced(7) == _traced(7)
    assert _traced(7) != _traced(8)
    assert _traced(7)[1] == 21
