"""What a setting leaves out of the protocol, so that an experiment runs plain SWIM, or a part more.

Each behaviour is seen with the setting as it is by default, and gone with it off.
"""

from typing import Any

import pytest
from cores import EPOCH, Bench, Sent, about, address_of

from gossamer.gossip import (
    ConfigError,
    GossipConfig,
    IsolationChanged,
    MemberFailed,
    MemberSuspected,
    Status,
)
from gossamer.gossip.messages import Ack, Nack, Ping, PingReq

SWITCHES = ("nacks", "stream_probes", "tell_suspects", "witnesses", "stop_guard", "eager", "rounds")
OTHERS = [f"p{number}" for number in range(12)]


def probing(**options: Any) -> tuple[Bench, str, int]:
    """Return a core that has just pinged, whom, and under which number."""
    bench = Bench(**options)
    bench.meet(*OTHERS)
    names = {address_of(name): name for name in OTHERS}
    while not (pings := bench.sent(Ping)):
        bench.run(0.01)
    sequence = pings[0].packet.messages[0].sequence
    assert isinstance(sequence, int)
    return bench, names[pings[0].address], sequence


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_on_by_default_and_takes_truth_values_alone(switch: str) -> None:
    """Off is False; a number or a text that might mean it is refused by name."""
    assert getattr(GossipConfig(name="a"), switch) is True
    off: dict[str, Any] = {"name": "a", switch: False}
    assert getattr(GossipConfig(**off), switch) is False
    for bad in (0, 1, "off", None):
        with pytest.raises(ConfigError, match=f"{switch} must be true or false") as caught:
            GossipConfig(**{**off, switch: bad})
        assert caught.value.fields == (switch,)


@pytest.mark.parametrize(("limit", "scores"), [(9, [4, 8, 8]), (1, [0, 0, 0])])
def test_local_health_can_be_held_at_its_best(limit: int, scores: list[int]) -> None:
    """The paper's limit is 9 times the interval; with a limit of 1 nothing is ever stretched."""
    bench = Bench(awareness_limit=limit)
    seen = []
    for _ in range(3):
        bench.context.health.note(4)
        seen.append(bench.core.health)
    assert seen == scores
    assert bench.context.health.scale(1.0) == scores[-1] + 1


@pytest.mark.parametrize("nacks", [True, False])
def test_without_nacks_a_relay_that_hears_nothing_says_nothing(nacks: bool) -> None:
    """Neither when its time is over, nor when it does not know the target."""
    bench = Bench(nacks=nacks)
    bench.meet("a", "b")
    bench.hear("a", PingReq(7, "b", EPOCH, address_of("b"), 500))
    bench.hear("a", PingReq(8, "x", EPOCH, address_of("x"), 500))
    bench.run(0.45)
    assert len(bench.sent(Nack)) == 2 * nacks


@pytest.mark.parametrize(("nacks", "score", "silent"), [(True, 3, True), (False, 1, False)])
def test_without_nacks_silence_is_no_more_than_a_failed_probe(
    nacks: bool, score: int, silent: bool
) -> None:
    """Three relays that say nothing are three signs against us where they were to speak."""
    bench, target, _ = probing(nacks=nacks)
    bench.run(1.05)
    assert bench.core.health == score
    assert [event.isolated for event in bench.events(IsolationChanged)] == [True] * silent
    assert (bench.core.members[target].status is Status.SUSPECT) is not silent


@pytest.mark.parametrize("stream_probes", [True, False])
def test_the_probe_over_a_stream_can_be_left_out(stream_probes: bool) -> None:
    """The relays are asked in any case."""
    bench, _, _ = probing(stream_probes=stream_probes)
    bench.run(0.55)
    assert len(bench.sent(PingReq)) == 3
    assert len(bench.calls("probe")) == stream_probes


@pytest.mark.parametrize("tell", [True, False])
def test_suspects_can_be_left_to_hear_of_it_by_chance(tell: bool) -> None:
    """Once the rumor has been passed on often enough, only the buddy system still tells."""
    bench = Bench(tell_suspects=tell, suspicion_multiplier=100)
    bench.meet("a", "b", "c")
    accusation = about("a", Status.SUSPECT, accuser="b").encode()
    bench.hear("b", updates=[accusation])
    bench.run(5.0)
    bench.sent()
    bench.hear("a", Ping(77, "me"))
    told = [item for item in bench.sent(Ack) if accusation in item.packet.updates]
    assert len(told) == tell
    pings: list[Sent] = []
    while not pings:
        bench.run(0.1)
        pings = [item for item in bench.sent(Ping) if item.address == address_of("a")]
    assert (accusation in pings[0].packet.updates) is tell


@pytest.mark.parametrize("tell", [True, False])
def test_the_dead_are_told_in_any_case(tell: bool) -> None:
    """A member that was buried by mistake has no other way back."""
    bench = Bench(tell_suspects=tell)
    bench.meet("a", "b", "c")
    bench.hear("b", updates=[about("a", Status.DEAD).encode()])
    bench.run(5.0)
    bench.sent()
    bench.hear("a", Ping(77, "me"))
    assert about("a", Status.DEAD, accuser="").encode() in bench.sent(Ack)[0].packet.updates


@pytest.mark.parametrize("witnesses", [True, False])
def test_suspects_can_be_left_to_their_turn(witnesses: bool) -> None:
    """In a mesh this small all who hear of a suspicion look for themselves, or nobody does."""
    bench = Bench(witnesses=witnesses)
    bench.meet("a", "b", "c")
    bench.hear("b", updates=[about("a", Status.SUSPECT, accuser="b").encode()])
    assert bench.inside.planner.hastened == ["a"] * witnesses


@pytest.mark.parametrize(("longest", "waits", "told"), [(6, 24.0, True), (1, 4.0, False)])
def test_a_fixed_time_out_counts_no_accusers(longest: int, waits: float, told: bool) -> None:
    """With a longest time equal to the shortest, a second accuser is not passed on either."""
    bench = Bench(suspicion_max_multiplier=longest, rounds=False)
    bench.meet(*OTHERS[:8])
    bench.hear("p1", updates=[about("p0", Status.SUSPECT, accuser="p1").encode()])
    assert bench.inside.membership.suspicions.ends_at("p0") - bench.now == pytest.approx(waits)
    bench.sent()
    second = about("p0", Status.SUSPECT, accuser="p2").encode()
    bench.run(0.1)
    bench.hear("p2", updates=[second])
    assert (second in bench.updates()) is told


@pytest.mark.parametrize(("limit", "isolated"), [(30.0, True), (0.0, False)])
def test_isolation_can_be_left_out(limit: float, isolated: bool) -> None:
    """With no time for it, silence all around accuses at once."""
    bench, target, _ = probing(isolation_limit=limit)
    bench.run(1.05)
    assert bench.core.isolated is isolated
    suspected = [event.member.name for event in bench.events(MemberSuspected)]
    assert suspected == [target] * (not isolated)


@pytest.mark.parametrize("guard", [True, False])
def test_a_peer_that_was_stopped_can_go_on_as_if_it_had_not(guard: bool) -> None:
    """Without the guard the probe and the suspicion that ran out meanwhile are both judged."""
    bench = Bench(stop_guard=guard, isolation_limit=0.0)
    bench.meet(*OTHERS)
    bench.hear("p1", updates=[about("p0", Status.SUSPECT, accuser="p1").encode()])
    while not bench.sent(Ping):
        bench.run(0.01)
    bench.events()
    bench.now += 100.0
    bench.core.tick(bench.now)
    assert len(bench.events(MemberFailed)) == (not guard)
    assert bench.counts("lags", "probes_failed") == ((1, 0) if guard else (0, 1))


@pytest.mark.parametrize(
    ("eager", "rounds", "at_once", "in_rounds"),
    [(True, True, True, True), (False, True, False, True), (False, False, False, False)],
)
def test_news_travel_by_the_ways_that_are_left(
    eager: bool, rounds: bool, at_once: bool, in_rounds: bool
) -> None:
    """At once, in rounds, and, with both off, on the back of probes alone."""
    bench = Bench(eager=eager, rounds=rounds, probe_interval=100.0)
    bench.meet(*OTHERS)
    bench.run(5.0)
    bench.sent()
    rumor = about("x").encode()
    bench.hear("p1", updates=[rumor])
    assert (rumor in bench.updates()) is at_once
    bench.run(0.3)
    assert (rumor in bench.updates()) is in_rounds
    bench.hear("p2", Ping(5, "me"))
    assert rumor in bench.sent(Ack)[0].packet.updates
