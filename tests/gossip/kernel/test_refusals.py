"""What is not believed, and who is told of it."""

import pytest
from cores import NOW, address_of

from gossamer.gossip import Event, KeyRefused
from gossamer.gossip.basis import Counters
from gossamer.gossip.kernel import Refusals
from gossamer.gossip.sealing import ForeignKey, Refused
from gossamer.gossip.state import OwnKeyRefused

A, B = address_of("a"), address_of("b")


@pytest.fixture
def events() -> list[Event]:
    """Return a list for what the operator is told."""
    return []


def test_a_refusal_is_counted_by_its_reason(events: list[Event]) -> None:
    """A reason that has no counter is counted as another; nothing raises, nobody is told."""
    counters = Counters()
    refusals = Refusals(counters, events)
    assert not refusals.note(Refused("checksum"), A, NOW)
    assert not refusals.note(Refused("of a later seal"), A, NOW)
    assert (counters["refused_checksum"], counters["refused_other"]) == (1, 1)
    assert not events


def test_a_foreign_key_is_told_once_a_minute(events: list[Event]) -> None:
    """For each sender and key; the port of a stream is no other sender."""
    refusals = Refusals(Counters(), events)
    assert refusals.note(ForeignKey(3), A, NOW)
    assert not refusals.note(ForeignKey(3), A, NOW + 59.0)
    assert refusals.note(ForeignKey(3), B, NOW)
    assert refusals.note(ForeignKey(4), A, NOW)
    assert refusals.note(ForeignKey(3), A, NOW + 60.0)
    assert len(events) == 4
    assert events[0] == KeyRefused(A, 3, held=False)

    assert refusals.note(ForeignKey(3), ("10.9.9.9", 1), NOW, stream=True)
    assert not refusals.note(ForeignKey(3), ("10.9.9.9", 2), NOW, stream=True)


def test_forged_senders_do_not_silence_the_other_notice(events: list[Event]) -> None:
    """However many keys are foreign here, the operator hears that our own is refused."""
    counters = Counters()
    refusals = Refusals(counters, events)
    for number in range(100):
        refusals.note(ForeignKey(3), (f"10.7.7.{number}", 1), NOW)
    events.clear()
    refusals.hear(A, NOW)
    refusals.hear(A, NOW + 1.0)
    assert events == [OwnKeyRefused(A)]
    assert counters["keys_refused_by_others"] == 2
