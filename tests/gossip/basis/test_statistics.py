"""The declarations of what is measured, and histograms."""

from math import inf

import pytest

from gossamer.gossip.basis import (
    PROTOCOL,
    Counters,
    Histogram,
    Kind,
    Metric,
    Statistic,
    Value,
    by_key,
    family,
    measured,
)

PLAIN = Statistic("plain", "gossamer_plain", Kind.GAUGE, "things", "Things.")
HIDDEN = Statistic("hidden", "gossamer_hidden", Kind.GAUGE, "things", "Things.", in_info=False)


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, 0), (1.0, 0), (1.000001, 1), (2.0, 1), (2.1, 2), (inf, 2)]
)
def test_an_observation_belongs_to_the_first_bound_that_it_does_not_exceed(
    value: float, bucket: int
) -> None:
    """A bound itself is still within, and beyond the last there is infinity."""
    histogram = Histogram((1.0, 2.0))
    histogram.observe(value)
    counts = [count for _, count in histogram.distribution.buckets]
    assert counts == [0] * bucket + [1] * (3 - bucket)


def test_a_distribution_has_cumulative_buckets_sum_and_count() -> None:
    """As Prometheus has them; what is observed later does not change one that was taken."""
    histogram = Histogram((1.0, 2.0))
    assert histogram.distribution.count == 0
    for value in (0.5, 1.5, 5.0):
        histogram.observe(value)
    taken = histogram.distribution
    histogram.observe(9.0)
    assert taken.buckets == ((1.0, 1), (2.0, 2), (inf, 3))
    assert (taken.sum, taken.count) == (7.0, 3)


def test_a_family_differs_in_one_label() -> None:
    """Its statistics share name, kind, unit and sentence."""
    one, two = family(
        "gossamer_x_total", Kind.COUNTER, "items", "Items.", "way", {"x_in": "in", "x_out": "out"}
    )
    metric = Metric(one, 3)
    assert (metric.name, metric.kind, metric.unit) == ("gossamer_x_total", "counter", "items")
    assert (metric.labels, metric.sentence) == ({"way": "in"}, "Items.")
    assert (two.key, two.labels) == ("x_out", (("way", "out"),))


def test_info_lists_whole_numbers_that_are_meant_for_it() -> None:
    """A histogram is no number, and some statistics have another place in `info`."""
    histogram = Statistic("spread", "gossamer_spread_seconds", Kind.HISTOGRAM, "seconds", "Time.")
    values: dict[str, Value] = {"plain": 3, "hidden": 4, "spread": Histogram((1.0,)).distribution}
    assert by_key(measured([PLAIN, HIDDEN, histogram], values)) == {"plain": 3}


def test_a_value_that_is_missing_is_a_fault_of_the_program() -> None:
    """A table and what fills it cannot part unnoticed."""
    with pytest.raises(KeyError):
        list(measured([PLAIN], {}))


def test_counters_begin_at_zero() -> None:
    """All that is declared is there before it happens."""
    counters = Counters()
    assert set(counters) == {each.key for each in PROTOCOL}
    assert set(counters.values()) == {0}
    counters.add("lags", 2)
    assert counters["lags"] == 2
