"""Roots that differ: when an exchange follows, and when they are compared beside the probes."""

from itertools import pairwise

import pytest
from cores import Bench, about, address_of, declare_dead

from gossamer.gossip import Exchange
from gossamer.gossip.messages import Ping

OTHER_ROOT = b"\xff" * 16


def _compared(bench: Bench, root: bytes) -> list[Exchange]:
    bench.inside.repair.on_root(bench.core.members["a"], root, bench.now)
    return bench.calls("repair")


def _settled(bench: Bench) -> None:
    """Let what was new grow old; equal roots are seen meanwhile."""
    bench.now += 3
    _compared(bench, bench.core.root)


def _after_a_return() -> Bench:
    """Return a core that probes nobody, and to which a member was just given back."""
    bench = Bench()
    bench.meet("a", "b", "p0")
    declare_dead(bench, ["p0"])
    bench.inside.prober.stop()
    bench.hear("p0", updates=[about("p0", incarnation=1).encode()])
    return bench


def test_roots_that_stay_different_lead_to_an_exchange() -> None:
    """A differing root is no cause while updates came just now; after a while it is."""
    bench = Bench()
    bench.meet("a", "b")
    _settled(bench)
    assert not _compared(bench, bench.core.root)
    bench.core.publish("k", b"v", bench.now)
    assert not _compared(bench, OTHER_ROOT)
    bench.now += 0.49
    assert not _compared(bench, OTHER_ROOT)
    bench.now += 0.02
    [call] = _compared(bench, OTHER_ROOT)
    assert call.address == address_of("a")


def test_repairs_keep_their_distance() -> None:
    """However many roots differ, a repair begins at most once in one to two settling times."""
    bench = Bench()
    bench.meet("a", "b")
    _settled(bench)
    began = []
    for _ in range(2000):
        bench.now += 0.01
        for call in _compared(bench, OTHER_ROOT):
            began.append(bench.now)
            call.fail("refused", bench.now)
    gaps = [b - a for a, b in pairwise(began)]
    assert min(gaps) >= 0.49
    assert max(gaps) <= 1.02


def test_under_constant_change_repair_comes_all_the_same() -> None:
    """When roots were never equal for eight settling times, it is done although nothing rests."""
    bench = Bench()
    bench.meet("a", "b")
    _settled(bench)
    began = bench.context.root.changed_at = bench.now
    while not (calls := _compared(bench, OTHER_ROOT)):
        bench.now += 0.1
        bench.context.root.changed_at = bench.now
        assert bench.now < began + 5
    assert calls
    assert bench.now - began == pytest.approx(4.0, abs=0.11)


def test_after_a_return_roots_are_compared_beside_the_probes() -> None:
    """Three members drawn at random are asked for their roots, apart from each other in time."""
    bench = _after_a_return()
    asked = []
    for _ in range(500):
        bench.run(0.01)
        asked += [bench.now for _ in bench.sent(Ping)]
    assert len(asked) == 3
    assert all(later - sooner >= 0.49 for sooner, later in pairwise(asked))


def test_after_a_return_a_difference_is_looked_at_again_as_soon_as_it_counts() -> None:
    """Not before it has rested for a settling time, nor a comparison's random wait after that."""
    bench = _after_a_return()
    changed, config = bench.context.root.changed_at, bench.context.config
    bench.run(0.05)
    bench.sent()
    bench.context.timers.clear()  # what else is due would ask as well
    assert not _compared(bench, bytes(16))
    asked = []
    while bench.now < changed + 2 * config.settle:
        bench.run(0.01)
        asked += [bench.now for _ in bench.sent(Ping)]
    soonest = changed + config.settle
    assert asked
    assert soonest <= asked[0] <= soonest + config.gossip_interval + 0.02
