"""What it takes to declare a member dead at once, step by step."""

from itertools import product
from typing import Any

import pytest
from cores import EPOCH, ROOT, SEAL, Bench, about, address_of

from gossamer.gossip import REFUSAL, MemberFailed, MemberReturned, MemberSuspected, Status, encode
from gossamer.gossip.kernel import ProbeExchange
from gossamer.gossip.membership._evidence import Evidence
from gossamer.gossip.messages import Ack, Gone, Nack, NotMe, Ping, PingReq, Probed, Relayed
from gossamer.gossip.state import decode_member_update

OTHERS = ("a", "b", "c", "d")


class Probing(Bench):
    """A core with one probe under way, of `target`."""

    def __init__(self, *names: str, **options: Any) -> None:
        super().__init__(probe_interval=1.0, probe_timeout=0.5, **options)
        self.meet(*(names or OTHERS))
        while not (pings := self.sent(Ping)):
            self.now = max(self.now, self.core.deadline)
            self.core.tick(self.now)
        self.ping = pings[0].told(Ping)
        self.target = self.ping.target
        self.address = address_of(self.target)

    def unreachable(self) -> None:
        """The target's host says that nobody listens there."""
        self.core.unreachable(self.address, self.now)

    def relays(self) -> list[str]:
        """Return and drain whom the core asks to ping the target."""
        names = {address_of(name): name for name in self.core.members}
        return [names[item.address] for item in self.sent(PingReq)]

    def stream(self) -> ProbeExchange:
        """Return the stream over which the core asks the target."""
        [call] = self.calls("probe")
        assert isinstance(call, ProbeExchange)
        return call

    def status(self) -> Status:
        return self.core.members[self.target].status


def test_the_evidence_of_one_kind_never_suffices() -> None:
    """Datagram, stream and a witness are needed, or the first two where nobody can be asked."""
    both = (False, True)
    for datagram, stream, witnesses, relays in product(both, both, (0, 1), (0, 3)):
        evidence = Evidence(datagram, stream, witnesses)
        wanted = datagram and stream and (witnesses == 1 or relays == 0)
        assert evidence.suffices(relays=relays) == wanted


def test_all_three_together_are_a_definite_death() -> None:
    """Without waiting for any time-out; the update says that it is definite, and leaves at once."""
    bench = Probing()
    began = bench.now
    bench.unreachable()
    relays = bench.relays()
    assert len(relays) == 3
    bench.stream().fail(REFUSAL, bench.now)
    bench.hear(relays[0], Gone(bench.ping.sequence))
    [failed] = bench.events(MemberFailed)
    assert (failed.member.name, failed.by, failed.definite) == (bench.target, "me", True)
    assert bench.now == began
    said = [decode_member_update(update) for update in bench.updates()]
    assert [(each.name, each.status, each.definite) for each in said] == [
        (bench.target, Status.DEAD, True)
    ]
    assert bench.counts("probes_unreachable", "probes_definite") == (1, 1)


@pytest.mark.parametrize("missing", ["datagram", "stream", "witness"])
def test_with_one_of_them_missing_it_is_a_suspicion(missing: str) -> None:
    """The probe goes to its end, and the member has the time of a suspect."""
    bench = Probing()
    if missing == "datagram":
        bench.run(0.5)
    else:
        bench.unreachable()
    relays = bench.relays()
    stream = bench.stream()
    stream.fail("timeout" if missing == "stream" else REFUSAL, bench.now)
    number = bench.ping.sequence
    answer = Nack(number, ROOT) if missing == "witness" else Gone(number)
    for relay in relays:
        bench.hear(relay, answer)
    assert bench.status() is Status.ALIVE
    bench.run(1.1)
    assert bench.events(MemberSuspected)
    assert not bench.events(MemberFailed)


@pytest.mark.parametrize("answer", ["ack", "relayed", "stream"])
def test_an_answer_outweighs_all_evidence(answer: str) -> None:
    """A member that answers in any way during the probe is alive, whatever hosts and relays say."""
    bench = Probing()
    bench.unreachable()
    relays = bench.relays()
    stream = bench.stream()
    match answer:
        case "ack":
            bench.hear(bench.target, Ack(bench.ping.sequence, ROOT))
        case "relayed":
            bench.hear(relays[1], Relayed(bench.ping.sequence, ROOT))
        case "stream":
            answered = Probed(bench.ping.sequence).items()
            stream.receive(SEAL.seal(encode(answered), EPOCH), bench.now)
    if answer != "stream":
        stream.fail(REFUSAL, bench.now)
    bench.hear(relays[0], Gone(bench.ping.sequence))
    bench.run(0.9)
    assert not bench.events(MemberFailed)
    assert bench.status() is Status.ALIVE


def test_where_nobody_can_be_asked_two_suffice() -> None:
    """In a mesh of two the other's host and its refused stream decide."""
    bench = Probing("a")
    bench.unreachable()
    assert not bench.relays()
    assert bench.status() is Status.ALIVE
    bench.stream().fail(REFUSAL, bench.now)
    assert bench.status() is Status.DEAD


def test_a_forged_message_only_hurries_the_questions() -> None:
    """However often ICMP comes for whomever: one probe asks three relays and opens one stream."""
    bench = Probing()
    for _ in range(100):
        for name in OTHERS:
            bench.core.unreachable(address_of(name), bench.now)
        bench.core.unreachable(("192.0.2.1", 1), bench.now)
    assert len(bench.relays()) == 3
    assert len(bench.calls("probe")) == 1
    bench.hear(bench.target, Ack(bench.ping.sequence, ROOT))
    bench.run(0.5)
    assert not bench.events(MemberSuspected)
    assert not bench.events(MemberFailed)


def test_a_relay_passes_on_what_the_targets_host_says() -> None:
    """A relay tells the prober at once when the target's host says that nobody is there."""
    bench = Bench()
    bench.meet(*OTHERS)
    bench.hear("a", PingReq(77, "b", EPOCH, address_of("b"), 500))
    assert [item.address for item in bench.sent(Ping)] == [address_of("b")]
    bench.core.unreachable(address_of("b"), bench.now)
    [told] = bench.sent(Gone)
    assert told.address == address_of("a")
    assert told.packet.messages == [Gone(77)]
    bench.run(1)
    assert not bench.sent(Nack)  # it has answered


def test_another_peer_at_the_address_counts_as_its_host() -> None:
    """ "Not me" from the probed address is evidence as ICMP is; from elsewhere it is nothing."""
    bench = Probing()
    bench.hear("x", NotMe(bench.ping.sequence), sender=("192.0.2.1", 7940))
    assert bench.counts("probes_unreachable") == (0,)
    bench.hear("x", NotMe(bench.ping.sequence), sender=bench.address)
    assert bench.counts("probes_unreachable") == (1,)


def test_a_not_me_that_nothing_asked_for_begins_nothing() -> None:
    """A ping that somebody recorded has another peer say it; only who was pinged is believed."""
    bench = Bench()
    bench.meet(*OTHERS)
    bench.calls()
    for number in range(100):
        bench.hear("a", NotMe(number))
        bench.run(0.01)
    assert not bench.calls("heal")
    assert bench.counts("probes_unreachable") == (0,)


def test_a_not_me_after_the_answer_is_no_evidence() -> None:
    """A member that has answered is alive, whatever another peer then says at its address."""
    bench = Probing()
    bench.hear(bench.target, Ack(bench.ping.sequence, ROOT))
    bench.hear("x", NotMe(bench.ping.sequence), sender=bench.address)
    assert bench.counts("probes_unreachable") == (0,)


def test_only_relays_that_were_asked_are_witnesses() -> None:
    """What others claim, or a relay claims of another probe, does not count, nor twice."""
    bench = Probing(*"abcdefgh")
    bench.unreachable()
    relays = bench.relays()
    bench.stream().fail(REFUSAL, bench.now)
    stranger = next(name for name in "abcdefgh" if name not in (*relays, bench.target))
    bench.hear(stranger, Gone(bench.ping.sequence))
    bench.hear(relays[0], Gone(bench.ping.sequence + 1))
    assert bench.status() is Status.ALIVE
    bench.hear(relays[0], Nack(bench.ping.sequence, ROOT))
    bench.hear(relays[0], Gone(bench.ping.sequence))
    assert bench.status() is Status.ALIVE  # it had said that it knows nothing


def test_a_new_life_is_not_buried_with_the_old_one() -> None:
    """If a later epoch becomes known during the probe, evidence concerns the old one alone."""
    bench = Probing()
    bench.unreachable()
    relays = bench.relays()
    later = about(bench.target, epoch=EPOCH + 1)
    bench.hear("a" if bench.target != "a" else "b", updates=[later.encode()])
    bench.events(MemberReturned)
    bench.stream().fail(REFUSAL, bench.now)
    bench.hear(relays[0], Gone(bench.ping.sequence))
    assert bench.status() is Status.ALIVE
    assert not bench.events(MemberFailed)


def test_a_definite_death_is_passed_on_as_definite() -> None:
    """An update keeps `definite`; in an exchange, the death is still only a suspicion."""
    bench = Bench()
    bench.meet(*OTHERS)
    dead = about("a", Status.DEAD, definite=True)
    assert decode_member_update(dead.encode()) == dead
    bench.hear("b", updates=[dead.encode()])
    [failed] = bench.events(MemberFailed)
    assert failed.definite
    other = about("c", Status.DEAD, definite=True)
    bench.inside.membership.hear_table([(other, other.encode(), 0)], "b", bench.now)
    assert bench.core.members["c"].status is Status.SUSPECT
    assert not bench.events(MemberFailed)


def test_without_the_setting_nothing_of_it_happens() -> None:
    """`evidence=False` leaves SWIM's silence as the only sign."""
    bench = Probing(evidence=False)
    bench.unreachable()
    assert not bench.relays()
    bench.run(0.5)
    bench.stream().fail(REFUSAL, bench.now)
    for relay in bench.relays():
        bench.hear(relay, Gone(bench.ping.sequence))
    assert bench.status() is Status.ALIVE
