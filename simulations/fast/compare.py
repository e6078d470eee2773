"""Compare the fast model with the protocol's own code, and print a table in Markdown.

    python -m gossamer.simulations.fast.compare [PEERS ...]

The lines below the table name each figure that is not within ten per cent.
The faithful meshes take nearly all of the time.
"""

import sys
from collections.abc import Sequence

from gossamer.simulations.scenario import Latency, Network

from ._compare import Case, Row, compare_detection, compare_spread

_WITHIN = 0.10
_LOSS = 0.1
_FAR = Latency(kind="uniform", low_ms=20.0, high_ms=60.0)
# One mesh of the largest size says as much as three of a small one, and takes long enough.
_LARGE = 2000


def main(arguments: Sequence[str]) -> None:
    """Compare at the sizes that are named, or at all four."""
    sizes = [int(size) for size in arguments] or [256, 512, 1024, 2048]
    _say("| mesh | figure | faithful | fast | difference |\n|---|---|---|---|---|")
    rows: list[Row] = []
    for peers in sizes:
        for case in _cases(peers):
            rows += _show(compare_spread(case, repeats=20))
    smallest = min(sizes)
    crash = Case(name=f"{smallest}, crash", peers=smallest, seeds=tuple(range(1, 101)))
    rows += _show(compare_detection(crash, repeats=20))
    apart = [row for row in rows if abs(row.difference) > _WITHIN]
    _say(f"\n{len(rows) - len(apart)} of {len(rows)} figures lie within {_WITHIN:.0%}.")
    for row in apart:
        _say(f"Not so: {row.case}, {row.figure}: {row.difference:+.1%}.")


def _cases(peers: int) -> list[Case]:
    if peers > _LARGE:
        return [Case(name=f"{peers}", peers=peers, changes=16, seeds=(1,))]
    near = Case(name=f"{peers}", peers=peers)
    lossy = Case(
        name=f"{peers}, 10 % lost",
        peers=peers,
        network=Network(loss=_LOSS),
        changes=15_000 // peers,
        seeds=(1, 2, 3, 4),
    )
    if peers > 256:
        return [near, lossy]
    return [
        near,
        lossy,
        Case(name=f"{peers}, 20 to 60 ms", peers=peers, network=Network(latency=_FAR)),
        Case(
            name=f"{peers}, 20 to 60 ms, 10 % lost",
            peers=peers,
            network=Network(latency=_FAR, loss=_LOSS),
            changes=20,
            seeds=(1, 2, 3, 4),
        ),
    ]


def _show(rows: list[Row]) -> list[Row]:
    for row in rows:
        slow, fast = (_time(seconds) for seconds in (row.faithful, row.fast))
        _say(f"| {row.case} | {row.figure} | {slow} | {fast} | {row.difference:+.1%} |")
    return rows


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


if __name__ == "__main__":
    main(sys.argv[1:])
