"""A probe, step by step, and every effect of each step."""

from typing import Any

import pytest
from cores import EPOCH, ROOT, SEAL, Bench, about

from gossamer.gossip import (
    IsolationChanged,
    MemberFailed,
    MemberSuspected,
    Status,
    encode,
)
from gossamer.gossip.dissemination import MEMBERSHIP
from gossamer.gossip.messages import (
    Ack,
    Another,
    Message,
    Nack,
    NotMe,
    Ping,
    PingReq,
    Probed,
    Relayed,
)

QUIET = {"probe_interval": 1.0, "probe_timeout": 0.5}


class Probing(Bench):
    """A core about to probe members, none of which answers by itself."""

    def __init__(self, *names: str, **options: Any) -> None:
        super().__init__(**{**QUIET, **options})
        self.meet(*names)
        self.names = {self.core.members[name].address: name for name in names}

    def until_ping(self) -> tuple[str, Message]:
        """Let time pass until the next probe; return its target and the ping."""
        for _ in range(10_000):
            for item in self.sent(Ping):
                probe = self.inside.prober.probe
                # Other pings compare roots, or tell a suspect what it is.
                if probe is not None and item.packet.messages[0].sequence == probe.sequence:
                    return self.names[item.address], item.packet.messages[0]
            self.now = max(self.now, self.core.deadline)
            self.core.tick(self.now)
        raise AssertionError("no ping")

    def status(self, name: str) -> Status:
        return self.core.members[name].status


def test_a_probe_begins_with_a_ping() -> None:
    """The target alone is pinged, by name, in its life."""
    bench = Probing("a", "b", "c")
    while not (sent := bench.sent(Ping)):
        bench.run(0.01)
    [ping] = sent
    name = bench.names[ping.address]
    assert ping.told(Ping).target == name
    assert ping.to_epoch == EPOCH
    assert not bench.calls("probe")


def test_an_answer_ends_it() -> None:
    """After an ack in time nobody is asked, no stream is opened, nobody is accused."""
    bench = Probing("a", "b", "c")
    bench.context.health.score = 3
    target, ping = bench.until_ping()
    bench.hear(target, Ack(ping.sequence, ROOT))
    assert bench.core.health == 2
    bench.run(0.9)
    assert not bench.sent(PingReq)
    assert not bench.calls("probe")
    bench.run(1)
    assert not bench.events(MemberSuspected)
    assert bench.counts("probes_failed") == (0,)


@pytest.mark.parametrize("how", ["another sequence", "another source", "late"])
def test_what_is_no_answer(how: str) -> None:
    """An ack of another number or from another peer, or after the period, saves nobody."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    other = next(name for name in "abcde" if name != target)
    sequence = ping.sequence
    assert isinstance(sequence, int)
    match how:
        case "another sequence":
            bench.hear(target, Ack(sequence + 1, ROOT))
        case "another source":
            bench.hear(other, Ack(sequence, ROOT))
        case _:
            bench.run(0.6)
            for relay in bench.names.values():
                bench.hear(relay, Nack(sequence, ROOT))
            bench.run(0.5)
            bench.hear(target, Ack(sequence, ROOT))
    bench.run(0.55)
    for relay in bench.names.values():
        bench.hear(relay, Nack(sequence, ROOT))
    bench.run(0.55)
    assert [event.member.name for event in bench.events(MemberSuspected)] == [target]


def test_after_the_timeout_others_are_asked_and_a_stream_tried() -> None:
    """At the time-out, not before, three relays get what is left of the budget, and one stream."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    began = bench.now
    bench.run(0.499)
    assert not bench.sent(PingReq)
    assert not bench.calls()
    bench.run(0.002)
    requests = bench.sent(PingReq)
    asked = {bench.names[item.address] for item in requests}
    assert len(asked) == len(requests) == 3
    assert target not in asked
    row = bench.core.members[target]
    for item in requests:
        assert item.packet.messages == [
            PingReq(ping.sequence, target, EPOCH, row.address, 500)
        ]  # fmt: skip
    [call] = bench.calls()
    assert (call.purpose, call.address) == ("probe", row.address)
    assert call.deadline == pytest.approx(began + 1.0)


def test_a_relayed_answer_counts() -> None:
    """What a relay heard in our place ends the probe well."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    bench.hear("a", Relayed(ping.sequence, ROOT))  # before anybody was asked: believed of nobody
    assert bench.counts("probes_relayed") == (0,)
    bench.run(0.55)
    relays = [bench.names[item.address] for item in bench.sent(PingReq)]
    [bystander] = {"a", "b", "c", "d", "e"} - {target, *relays}
    bench.hear(bystander, Relayed(ping.sequence, ROOT))  # nobody asked it
    assert bench.counts("probes_relayed") == (0,)
    bench.hear(relays[0], Relayed(ping.sequence, ROOT))
    bench.run(1)
    assert bench.counts("probes_relayed", "probes_failed") == (1, 0)
    assert bench.status(target) is Status.ALIVE


def test_a_silent_target_is_accused_at_the_end_of_the_period() -> None:
    """With all nacks there the target is suspected after one period, and we are well."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    bench.run(0.55)
    for item in bench.sent(PingReq):
        bench.hear(bench.names[item.address], Nack(ping.sequence, ROOT))
    assert bench.status(target) is Status.ALIVE
    bench.run(0.5)
    assert bench.status(target) is Status.SUSPECT
    [event] = bench.events(MemberSuspected)
    assert (event.member.name, event.by) == (target, "me")
    assert bench.core.health == 0
    assert not bench.core.isolated
    assert bench.counts("probes_failed", "accusations_withheld") == (1, 0)
    told = [update for item in bench.sent() for update in item.packet.updates]
    assert about(target, Status.SUSPECT, accuser="me").encode() in told


@pytest.mark.parametrize(("nacks", "score"), [(3, 0), (2, 1), (1, 2)])
def test_missing_nacks_tell_against_ourselves(nacks: int, score: int) -> None:
    """Each relay that says nothing either way worsens our own health by one, told twice or not."""
    bench = Probing("a", "b", "c", "d", "e")
    _, ping = bench.until_ping()
    bench.run(0.55)
    for item in bench.sent(PingReq)[:nacks]:
        bench.hear(bench.names[item.address], Nack(ping.sequence, ROOT))
        bench.hear(bench.names[item.address], Nack(ping.sequence, ROOT))
    bench.run(0.5)
    assert bench.core.health == score
    assert len(bench.events(MemberSuspected)) == 1


def test_nacks_of_peers_that_were_not_asked_count_for_nothing() -> None:
    """Only a relay can say that it heard nothing: others do not mend our health."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    bench.run(0.55)
    asked = {bench.names[item.address] for item in bench.sent(PingReq)}
    for name in ("x", "y", "z", "w", target, *(set("abcde") - asked)):
        bench.hear(name, Nack(ping.sequence, ROOT))
    bench.run(0.5)
    assert bench.core.health == 3
    assert bench.core.isolated


def test_silence_all_around_accuses_nobody() -> None:
    """When target and relays are silent alike, the peer considers itself isolated and says so."""
    bench = Probing("a", "b", "c", "d", "e")
    bench.until_ping()
    bench.run(1.05)
    assert bench.core.isolated
    assert [event.isolated for event in bench.events(IsolationChanged)] == [True]
    assert bench.counts("accusations_withheld") == (1,)
    assert not bench.events(MemberSuspected)
    assert bench.core.health == 3


def test_without_relays_silence_is_an_accusation() -> None:
    """In a mesh of two there is nobody to ask: the other is accused, and our health worsens."""
    bench = Probing("a")
    bench.until_ping()
    bench.run(1.05)
    assert bench.status("a") is Status.SUSPECT
    assert bench.core.health == 1


def test_an_answer_by_stream_alone_accuses_nobody() -> None:
    """Where only datagrams are lost the target lives; that is counted, and no health is lost."""
    bench = Probing("a", "b", "c", "d", "e")
    target, ping = bench.until_ping()
    bench.run(0.55)
    [call] = bench.calls("probe")
    call.outbox.clear()
    call.receive(SEAL.seal(encode([Probed.KIND, ping.sequence]), EPOCH), bench.now)
    assert call.finished
    bench.run(0.5)
    assert bench.status(target) is Status.ALIVE
    assert bench.counts("probes_by_stream_only", "probes_failed") == (1, 1)
    assert bench.core.health == 0
    assert not bench.core.isolated


@pytest.mark.parametrize("message", [[Another.KIND], [Probed.KIND, 0], [Probed.KIND], []])
def test_a_wrong_answer_by_stream_saves_nobody(message: list[object]) -> None:
    """Another peer there, or an answer to another question, is none."""
    bench = Probing("a")
    bench.until_ping()
    bench.run(0.55)
    [call] = bench.calls("probe")
    call.receive(SEAL.seal(encode(message), EPOCH), bench.now)
    assert call.finished
    bench.run(0.5)
    assert bench.status("a") is Status.SUSPECT


def test_a_stretched_probe_waits_longer() -> None:
    """Local health stretches the time-out, and the budget of the relays with it."""
    bench = Probing("a", "b", "c", "d", "e")
    bench.until_ping()
    bench.context.health.score = 2
    bench.until_ping()  # begun when the first had failed, which has its effect already
    began = bench.now
    stretch = bench.core.health + 1
    assert stretch >= 3
    while not (requests := bench.sent(PingReq)):
        bench.run(0.01)
    assert bench.now - began == pytest.approx(0.5 * stretch, abs=0.02)
    assert requests[0].told(PingReq).budget == pytest.approx(500 * stretch, abs=2)


# Relaying


def test_a_relay_pings_and_reports() -> None:
    """Asked to, a peer pings the target in its life and passes on that it answered."""
    bench = Probing("a", "b", probe_interval=500.0, probe_timeout=100.0)
    bench.hear("a", PingReq(77, "b", EPOCH, bench.core.members["b"].address, 500))
    [ping] = bench.sent(Ping)
    assert (bench.names[ping.address], ping.to_epoch) == ("b", EPOCH)
    assert ping.told(Ping).target == "b"
    bench.hear("b", Ack(ping.packet.messages[0].sequence, ROOT))
    [answer] = bench.sent(Relayed)
    assert bench.names[answer.address] == "a"
    assert answer.packet.messages == [Relayed(77, bench.core.root)]
    bench.run(1)
    assert not bench.sent(Nack, Relayed)


def test_a_relay_says_after_four_fifths_that_it_heard_nothing() -> None:
    """At 80 % of the budget in the request, not before, the nack goes out; then it is over."""
    bench = Probing("a", "b", probe_interval=500.0, probe_timeout=100.0)
    bench.hear("a", PingReq(77, "b", EPOCH, bench.core.members["b"].address, 500))
    [ping] = bench.sent(Ping)
    bench.run(0.399)
    assert not bench.sent(Nack)
    bench.run(0.002)
    [nack] = bench.sent(Nack)
    assert bench.names[nack.address] == "a"
    assert nack.packet.messages == [Nack(77, bench.core.root)]
    bench.hear("b", Ack(ping.packet.messages[0].sequence, ROOT))
    assert not bench.sent(Relayed)


def test_relays_are_bounded() -> None:
    """The 257th request at a time is answered at once with a nack, and counted."""
    bench = Probing("a", "b", probe_interval=500.0, probe_timeout=100.0)
    address = bench.core.members["b"].address
    for number in range(256):
        bench.hear("a", PingReq(number, "b", EPOCH, address, 1000))
    assert bench.counts("refused_relays") == (0,)
    assert len(bench.sent(Ping)) == 256
    bench.hear("a", PingReq(999, "b", EPOCH, address, 1000))
    assert bench.counts("refused_relays") == (1,)
    assert [item.told(Nack).sequence for item in bench.sent()] == [999]
    bench.run(0.81)
    assert len(bench.sent(Nack)) == 256
    bench.hear("a", PingReq(1000, "b", EPOCH, address, 1000))
    assert len(bench.sent(Ping)) == 1


# Being probed


def test_a_ping_is_answered_with_the_root() -> None:
    """A ping for this peer, or for any peer at this address, is answered with this peer's root."""
    bench = Probing("a")
    for name in ("me", ""):
        bench.hear("a", Ping(5, name))
        [ack] = bench.sent(Ack)
        assert ack.packet.messages == [Ack(5, bench.core.root)]


def test_who_is_accused_is_told_so_first() -> None:
    """The ack to a suspect carries its accusation, so that it can speak up."""
    bench = Probing("a", "b")
    accusation = about("a", Status.SUSPECT, accuser="b").encode()
    bench.hear("b", updates=[accusation])
    bench.sent()
    bench.inside.spread.queue(MEMBERSHIP).clear()  # it no longer travels by itself
    bench.hear("a", Ping(5, "me"))
    [ack] = bench.sent(Ack)
    assert ack.packet.updates[0] == accusation


def test_a_ping_for_another_is_answered_by_who_is_here() -> None:
    """Not me: the sender learns who lives at this address now, by its own update."""
    bench = Probing("a")
    bench.hear("a", Ping(5, "predecessor"))
    [answer] = bench.sent(NotMe)
    assert answer.packet.messages == [NotMe(5)]
    assert answer.packet.updates[0] == bench.context.me.update().encode()
    bench.hear("a", Ping(6, "me"), to_epoch=EPOCH - 1)
    assert len(bench.sent(NotMe)) == 1
    assert bench.counts("refused_epoch") == (1,)


# Being stopped


def test_a_peer_that_was_stopped_accuses_nobody() -> None:
    """Waking long after its deadline a peer drops its probe; its health, not others', suffers."""
    bench = Probing("a", "b", "c", "d", "e")
    target, _ = bench.until_ping()
    bench.now += 60
    bench.core.tick(bench.now)
    assert bench.counts("lags", "probes_abandoned", "probes_failed") == (1, 1, 0)
    assert bench.status(target) is Status.ALIVE
    assert bench.core.health == 1


def test_what_was_gathered_before_a_stop_isolates_nobody() -> None:
    """Outcomes of probes from before a stop say nothing of the network after it."""
    bench = Probing("a", "b", "c", "d", "e", indirect_probes=0)
    targets = {bench.until_ping()[0] for _ in range(3)}  # two have failed, one is under way
    assert len(bench.events(MemberSuspected)) == 2
    bench.now += 60
    bench.core.tick(bench.now)
    while bench.counts("probes_failed") == (2,):
        targets.add(bench.until_ping()[0])
    assert bench.counts("probes_abandoned", "probes_failed") == (1, 3)
    assert len(targets) >= 3
    assert not bench.core.isolated


def test_suspects_get_the_time_that_was_lost() -> None:
    """A suspicion that would have ended while this peer was stopped ends as much later."""
    bench = Probing("a", "b", "c", "d", "e")
    bench.hear("b", updates=[about("a", Status.SUSPECT, accuser="b").encode()])
    ends = bench.inside.membership.suspicions.ends_at("a")
    bench.now = ends + 100
    bench.core.tick(bench.now)
    assert bench.status("a") is Status.SUSPECT
    assert bench.inside.membership.suspicions.ends_at("a") > bench.now
    assert not bench.events(MemberFailed)


def test_the_dead_are_found_by_a_lone_survivor() -> None:
    """Isolation ends by its limit: who stays silent for good is declared dead some day."""
    bench = Probing("a", "b", "c", "d", isolation_limit=10.0)
    for _ in range(300):
        bench.run(1)
        bench.sent()
        bench.calls()
    assert {bench.status(name) for name in "abcd"} == {Status.DEAD}
    assert bench.counts("accusations_withheld")[0] > 0
