"""What is measured: each statistic is declared once, beside what counts it.

A declaration has a name by the conventions of Prometheus (base units, `_total` for counters), a
kind, a unit, labels and a sentence.
`info` shows numbers by their keys, metrics by name and labels; both are made from these tables.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate


class Kind(StrEnum):
    """How a statistic changes, by the word that Prometheus has for it."""

    COUNTER = "counter"
    """It counts since the peer's start, and never goes down."""
    GAUGE = "gauge"
    """It is what there is now."""
    HISTOGRAM = "histogram"
    """It counts observations since the peer's start by their size."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """The declaration of one statistic.

    Statistics of one name share kind, unit and sentence, and differ in the value of their label.
    """

    key: str
    """Its name among `counters` in `info`; no two have the same."""
    name: str
    kind: Kind
    unit: str
    """What is counted, or the base unit in which it is measured."""
    sentence: str
    labels: tuple[tuple[str, str], ...] = ()
    in_info: bool = True
    """Whether `info` lists it among its counters; a histogram, it does not."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram has observed so far."""

    buckets: tuple[tuple[float, int], ...]
    """For each bound, ascending, how many observations were at most that; infinity is the last."""
    sum: float
    """The sum of all observations."""

    @property
    def count(self) -> int:
        """How many observations there were."""
        return self.buckets[-1][1]


Value = int | float | Distribution


@dataclass(frozen=True, slots=True)
class Metric:
    """A statistic with its value at one moment."""

    statistic: Statistic
    value: Value

    @property
    def name(self) -> str:
        """Its name, such as `gossamer_datagrams_total`."""
        return self.statistic.name

    @property
    def kind(self) -> Kind:
        """How it changes."""
        return self.statistic.kind

    @property
    def unit(self) -> str:
        """What is counted, or the base unit in which it is measured."""
        return self.statistic.unit

    @property
    def labels(self) -> Mapping[str, str]:
        """What tells it from others of its name."""
        return dict(self.statistic.labels)

    @property
    def sentence(self) -> str:
        """What it means."""
        return self.statistic.sentence


class Histogram:
    """Counts observations by their size."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin with nothing observed; `bounds` ascend, and one at infinity is added."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation; it belongs to the first bound that it does not exceed."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def distribution(self) -> Distribution:
        """What was observed so far."""
        bounds = (*self._bounds, float("inf"))
        return Distribution(tuple(zip(bounds, accumulate(self._counts), strict=True)), self._sum)


def family(
    name: str, kind: Kind, unit: str, sentence: str, label: str, keys: Mapping[str, str]
) -> tuple[Statistic, ...]:
    """Return the statistics of one name: `keys` gives the value of `label` for each key."""
    return tuple(
        Statistic(key, name, kind, unit, sentence, ((label, value),)) for key, value in keys.items()
    )


def measured(table: Iterable[Statistic], values: Mapping[str, Value]) -> Iterator[Metric]:
    """Return the statistics of a table with their values, which `values` gives by key."""
    for statistic in table:
        yield Metric(statistic, values[statistic.key])


def by_key(metrics: Iterable[Metric]) -> dict[str, int]:
    """Return the numbers that `info` lists, by their keys."""
    return {
        metric.statistic.key: metric.value
        for metric in metrics
        if metric.statistic.in_info and isinstance(metric.value, int)
    }
