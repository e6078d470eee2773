"""Which exchanges that others begin are served."""

from cores import NOW, context

from gossamer.gossip.exchange._admission import Admission


def test_places_are_few_and_come_back() -> None:
    """A host with its share of places is told when to come back; one that leaves makes room."""
    peer = context(inbound_exchanges=3)
    admission = Admission(peer, NOW)
    assert admission.enter("h1", NOW) is None
    assert admission.enter("h2", NOW) is None
    wait = admission.enter("h1", NOW)
    assert wait is not None
    assert 100 <= wait <= 400
    assert peer.counters["refused_exchanges"] == 1
    admission.leave("h1", 0)
    admission.leave("h2", 0)
    assert len(admission.places) == 0
    assert admission.enter("h1", NOW) is None


def test_what_a_host_brings_is_bounded_for_ten_seconds() -> None:
    """At its limit of items a host waits for the next window; other hosts do not."""
    admission = Admission(context(host_items=100), NOW)
    for brought in (60, 39, 1):
        assert admission.enter("h", NOW) is None
        admission.leave("h", brought)
    assert admission.enter("h", NOW + 9.9) is not None
    assert admission.enter("other", NOW + 9.9) is None
    assert admission.enter("h", NOW + 10.0) is None
