"""Reports made by formulas, for tests of what is shown: no simulation is run for them."""

from gossamer.simulations.report import (
    Convergence,
    Curve,
    Detection,
    FalseAccusations,
    Happening,
    Healing,
    Lookups,
    Report,
    Series,
    Spread,
    Theory,
    Traffic,
    Work,
)

CUT, HEAL, END, STEP = 10.0, 30.0, 60.0, 0.5


def partition_report(
    peers: int = 20, *, crashes: int = 3, changes: int = 60, converged: bool = True
) -> Report:
    """Return what a cut in two halves from 10 s to 30 s might look like, with crashes at 40 s."""
    seconds = [step * STEP for step in range(1, int(END / STEP) + 1)]
    first = [1.2 + 0.15 * (number % 7) for number in range(crashes)]
    known = [0.010 + 0.0005 * number for number in range(changes)]
    return Report(
        scenario="partition",
        summary="The network is cut in two halves, and heals.",
        model="faithful",
        model_reason="up to 2000 peers run the protocol's own code",
        seed=7,
        peers=peers,
        duration=END,
        parameters={"peers": peers, "seed": 7, "cut_at": CUT, "cut_for": HEAL - CUT},
        convergence=Convergence(
            changes=changes,
            complete=changes,
            p50=Spread.of(known).p50,
            p99=Spread.of(known).p99,
            max=Spread.of(known).max,
            half=Spread.of([time / 3 for time in known]),
            nearly=Spread.of([time / 1.2 for time in known]),
            everybody=Spread.of(known),
            curve=_curve(max(known, default=0.0)) if changes else Curve(),
        ),
        detection=Detection(
            crashes=crashes,
            detected=crashes,
            first=Spread.of(first),
            everybody=Spread.of([time + 0.4 for time in first]),
            first_times=first,
            all_times=[time + 0.4 for time in first],
        ),
        false_accusations=FalseAccusations(
            suspicions=12,
            deaths=4,
            suspicions_of_healthy=2,
            deaths_of_healthy=0,
            deaths_at_healthy=0,
            suspicions_by_cut=3,
            deaths_by_cut=1,
        ),
        healing=Healing(heals=1, equal_roots=Spread.of([1.31])),
        lookups=Lookups(
            made=peers * 60,
            wrong=peers * 2,
            missing=peers,
            missing_behind_cut=peers * 5,
            dead=peers,
            rate=1 / 30,
            wrong_for=Spread.of([0.4, 1.1, 2.0]),
        ),
        traffic=Traffic(
            datagrams_per_peer_per_second=11.4,
            bytes_per_peer_per_second=2310.0,
            stream_bytes_per_peer_per_second=180.0,
            cpu_ms_per_peer_per_second=2.1,
        ),
        theory=[
            Theory(
                quantity="depth of the tree",
                expected=0.021,
                measured=Spread.of(known).p50,
                unit="s",
                source="one hop of a tree of arity 3 per level",
            ),
            Theory(
                quantity="first detection of a crash",
                expected=1.58,
                measured=Spread.of(first).mean,
                unit="s",
                source="SWIM (Das, Gupta, Motivala 2002), section 4: e/(e-1) periods",
                remark="processes on living hosts answer sooner",
            ),
        ],
        timeline=[
            Happening(at=CUT, what="cut west | east", until=HEAL),
            *(Happening(at=40.0, what=f"crash p{number}") for number in range(crashes)),
        ],
        series=_series(seconds, peers, crashes),
        converged=converged,
        digest="9f86d081884c7d65",
        work=Work(
            wall_seconds=4.2,
            cpu_seconds=4.1,
            events=412_345,
            events_per_second=98_177.4,
            peak_rss_mib=142.0,
        ),
        version="0.1.0",
    )


def _curve(longest: float) -> Curve:
    x = [longest * number / 80 for number in range(81)]
    return Curve(x, [min(1.0, (time / longest * 1.6) ** 3 / (0.3 + time / longest)) for time in x])


def _series(seconds: list[float], peers: int, crashes: int) -> Series:
    noticed = [CUT + 4.0 <= second < HEAL + 1.0 for second in seconds]
    across = peers // 2 * (peers - peers // 2) * 2
    return Series(
        seconds=seconds,
        datagrams=[int(peers * STEP * (24 if gone else 11)) for gone in noticed],
        bytes=[int(peers * STEP * (4600 if gone else 2300)) for gone in noticed],
        stream_bytes=[
            int(peers * STEP * (9000 if HEAL <= second < HEAL + 1.5 else 60)) for second in seconds
        ],
        alive=[peers * (peers - 1) - (across if gone else 0) for gone in noticed],
        suspect=[across if CUT + 1.0 <= second < CUT + 4.0 else 0 for second in seconds],
        dead=[across if gone else 0 for gone in noticed],
        left=[0 for _ in seconds],
        roots=[2 if CUT + 1.0 <= second < HEAL + 1.5 else 1 for second in seconds],
        wrong=[peers // 4 if HEAL <= second < HEAL + 1.5 else 0 for second in seconds],
        peers=[f"p{number}" for number in range(peers)],
        bands=[
            "".join(_held_for(number, second, peers, crashes) for second in seconds)
            for number in range(peers)
        ],
    )


def _held_for(number: int, second: float, peers: int, crashes: int) -> str:
    west = number < peers // 2
    if number < crashes and second >= 40.0:
        return "s" if second < 41.5 else "d"
    if CUT + 1.0 <= second < CUT + 4.0:
        return "s" if west else "S"
    if CUT + 4.0 <= second < HEAL + 1.0:
        return "d" if west else "D"
    return "a"
