"""Numbers and findings in words, the same on the terminal and above a plot."""

from __future__ import annotations

from math import floor, log10

from ._report import Report, Series


def duration(seconds: float | None) -> str:
    """A time for people, three digits long: `41.3 ms`, `1.23 s`, `125 s`."""
    if seconds is None:
        return "-"
    if seconds == 0:
        return "0 s"
    # Rounded before the unit is chosen, so that 0.9999 s is not 1000 ms.
    if abs(float(f"{seconds:.3g}")) < 1:
        return f"{digits(seconds * 1000)} ms"
    return f"{digits(seconds)} s"


def digits(value: float | None) -> str:
    """A number with three digits, or all that stand before the point."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if value == int(value):
        return f"{value:,.0f}"
    places = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(count: float | None) -> str:
    """So many bytes, in units of 1,000."""
    if count is None:
        return "-"
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if abs(count) >= factor:
            return f"{digits(count / factor)} {unit}"
    return f"{digits(count)} B"


def percent(share: float | None) -> str:
    """A share in percent; what is not nothing is never shown as 0."""
    if share is None:
        return "-"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    return f"{digits(float(f'{share * 100:.2f}'))} %"


def many(count: int, one: str, more: str | None = None) -> str:
    """A count with its noun, which has an s unless `more` is given."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def convergence_finding(report: Report) -> str:
    """How fast changes spread, in one sentence."""
    found = report.convergence
    if not found.changes:
        return "No change was made"
    missed = found.changes - found.complete
    if not found.complete:
        return f"None of {many(found.changes, 'change')} reached all reachable peers"
    said = f"All reachable peers knew a change after {duration(found.p99)} (p99)"
    if missed:
        said += f"; {missed:,} of {many(found.changes, 'change')} did not reach all"
    return said


def detection_finding(report: Report) -> str:
    """How fast crashes were seen, in one sentence."""
    found = report.detection
    if not found.crashes:
        return "Nothing crashed"
    if not found.detected:
        return f"None of {many(found.crashes, 'crash', 'crashes')} became known to all"
    said = (
        f"A crash was known to the first peer after {duration(found.first.p50)},"
        f" to all after {duration(found.everybody.p50)} (medians)"
    )
    if missed := found.crashes - found.detected:
        said += f"; {missed:,} of {found.crashes:,} never to all"
    return said


def members_finding(report: Report) -> str:
    """What the members thought of one another at the worst moment and at the end."""
    series = report.series
    shares = dead_shares(series)
    if not shares:
        return "Members' states were not sampled"
    worst = max(shares)
    if not worst:
        return "No running member saw another as dead"
    at = series.seconds[shares.index(worst)]
    said = f"At worst members saw {percent(worst)} of the others as dead, first at {at:.4g} s"
    return f"{said}; at the end {percent(shares[-1])}"


def traffic_finding(report: Report) -> str:
    """What a peer sent, in one sentence."""
    found = report.traffic
    said = (
        f"A peer sent {digits(found.datagrams_per_peer_per_second)} datagrams"
        f" with {size(found.bytes_per_peer_per_second)} a second"
    )
    rates = per_peer_per_second(report.series.datagrams, report)
    if rates and max(rates) > 1.5 * found.datagrams_per_peer_per_second:
        peak = max(rates)
        at = report.series.seconds[rates.index(peak)]
        said += f"; at most {digits(float(f'{peak:.2g}'))} datagrams, at {at:.4g} s"
    return said


def outcome(report: Report) -> str:
    """How it ended, in one sentence."""
    if not report.converged:
        roots = report.series.roots
        seen = f", with {many(roots[-1], 'root')}" if roots and roots[-1] > 1 else ""
        return f"The running peers did not agree at the end{seen}"
    if report.healing.heals and report.healing.equal_roots.max is not None:
        said = duration(report.healing.equal_roots.max)
        return f"All running peers agreed at the end, {said} at most after healing"
    return "All running peers agreed at the end"


def dead_shares(series: Series) -> list[float]:
    """The share of all pairs (observer, member) that read `dead`, at each sample."""
    return shares_of(series.dead, series)


def shares_of(pairs: list[int], series: Series) -> list[float]:
    """The share that `pairs` are of all pairs (observer, member), at each sample."""
    everything = zip(series.alive, series.suspect, series.dead, series.left, strict=True)
    return [
        count / total if (total := sum(states)) else 0.0
        for count, states in zip(pairs, everything, strict=True)
    ]


def per_peer_per_second(counts: list[int], report: Report) -> list[float]:
    """Counts between samples as rates; the first sample counts from the beginning."""
    rates: list[float] = []
    before = 0.0
    for at, count in zip(report.series.seconds, counts, strict=True):
        rates.append(count / (at - before) / report.peers if at > before else 0.0)
        before = at
    return rates
