"""A campaign of faults on simulated meshes: `make soak`, half an hour unless told otherwise.

Every run has a seed of its own, which is printed and repeats it alone; the first seed fixes all.
Kinds of runs, in turn: a mesh to which anything happens, with all invariants checked after each
step (`support/world.py`); a cut of some form and length at 64 peers, with both sides' changes
(`support/cuts.py`); visitors that come and go (`support/visitors.py`).
Ends with a table, and with 1 if anything was violated.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent / "support"))

from cuts import FORMS, survive
from visitors import come_and_go
from world import World, live_through

STEPS = 150
# Peers, seconds of the cut, and seconds within which all must agree after it.
_LENGTHS = ((64, 10.0, 3.0), (64, 600.0, 3.0), (16, 3 * 3600.0, 15.0))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did and found."""

    kind: str
    seed: int
    told: str
    virtual: float
    healed: float
    wall: float
    faults: dict[str, int] = field(default_factory=dict)
    violation: str | None = None


def anything(seed: int) -> tuple[str, float, float, dict[str, int]]:
    """A mesh of four to twelve peers of two versions, with keys or without: anything happens."""
    rng = Random(seed)
    count, keyed = rng.randint(4, 12), rng.random() < 0.5
    world = World(seed, count, keyed=keyed, later=rng.getrandbits(12))
    began = world.mesh.now
    try:
        healed = live_through(world, rng, STEPS)
    except AssertionError as error:
        raise AssertionError(f"{count} peers, {'keys' if keyed else 'plain'}: {error}") from None
    told = f"{count} peers, {'keys' if keyed else 'plain'}, {STEPS} steps"
    return told, world.mesh.now - began, healed, dict(world.done)


def cut(seed: int) -> tuple[str, float, float, dict[str, int]]:
    """A cut of some form and length."""
    rng = Random(seed)
    form = rng.choice(list(FORMS))
    count, seconds, within = rng.choices(_LENGTHS, (6, 2, 1))[0]
    healed = survive(form, count, seconds, within, seed)
    return f"{form}, {count} peers, {seconds:g} s", seconds + 40.0, healed, {"cuts": 1}


def churn(seed: int) -> tuple[str, float, float, dict[str, int]]:
    """Two thousand visitors around a core of 32."""
    return "2,000 visitors", come_and_go(seed, 2000), 0.0, {"visitors": 2000}


KINDS: dict[str, Callable[[int], tuple[str, float, float, dict[str, int]]]] = {
    "anything": anything,
    "cut": cut,
    "churn": churn,
}
# One run of each after the other would spend most of the time on visitors.
_TURNS = ["anything"] * 20 + ["cut"] * 2
_CHURN_EVERY = 8


def run(kind: str, seed: int) -> Outcome:
    """Do one run; what it violates is in the outcome."""
    began = time.perf_counter()
    try:
        told, virtual, healed, faults = KINDS[kind](seed)
    except Exception as error:  # noqa: BLE001 - whatever a run finds is what the campaign is for
        said = str(error) or type(error).__name__
        wall = time.perf_counter() - began
        return Outcome(kind, seed, "", 0.0, 0.0, wall, violation=" ".join(said.split())[:400])
    return Outcome(kind, seed, told, virtual, healed, time.perf_counter() - began, faults)


@click.command()
@click.option("--minutes", type=float, default=30.0, show_default=True)
@click.option("--seed", type=int, default=None, help="The first seed; another one each time.")
@click.option("--jobs", type=int, default=2, show_default=True, help="Runs at one time.")
@click.option("--only", type=click.Choice(list(KINDS)), help="Repeat one run of this kind.")
def main(minutes: float, seed: int | None, jobs: int, only: str | None) -> None:
    """Let faults befall simulated meshes for so many minutes, and tell what was violated."""
    out = Console(highlight=False)
    seed = time.time_ns() % 1_000_000_007 if seed is None else seed
    if only is not None:
        outcome = run(only, seed)
        _tell(out, 1, outcome)
        sys.exit(outcome.violation is not None)
    out.print(f"soaking for {minutes:g} minutes from seed {seed}: 'make soak SEED={seed}' repeats")
    ends = time.monotonic() + 60 * minutes
    outcomes: list[Outcome] = []
    rng = Random(seed)
    with ProcessPoolExecutor(jobs) as pool:
        begun = 0
        pending: set[Future[Outcome]] = set()
        while pending or time.monotonic() < ends:
            while len(pending) < jobs and time.monotonic() < ends:
                turn = begun % len(_TURNS)
                rare = turn == 0 and begun // len(_TURNS) % _CHURN_EVERY == 3
                kind = "churn" if rare else _TURNS[turn]
                pending.add(pool.submit(run, kind, rng.getrandbits(40)))
                begun += 1
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                outcomes.append(future.result())
                _tell(out, len(outcomes), outcomes[-1])
    violated = _summary(out, seed, outcomes)
    sys.exit(1 if violated else 0)


def _tell(out: Console, number: int, outcome: Outcome) -> None:
    what = f"{number:5} {outcome.kind:9} seed {outcome.seed:<14}"
    if outcome.violation is not None:
        out.print(f"{what} [red]VIOLATED[/]: {outcome.violation}", soft_wrap=True)
        return
    healed = f", quiet after {outcome.healed:.1f} s" if outcome.healed else ""
    out.print(f"{what} ok ({outcome.wall:.1f} s): {outcome.told}{healed}", soft_wrap=True)


def _summary(out: Console, seed: int, outcomes: list[Outcome]) -> int:
    table = Table(title=f"soak from seed {seed}")
    for heading in (
        "kind",
        "runs",
        "violated",
        "virtual hours",
        "worst until quiet",
        "cpu minutes",
    ):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind in KINDS:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        worst = max((outcome.healed for outcome in of_kind), default=0.0)
        table.add_row(
            kind,
            str(len(of_kind)),
            str(sum(outcome.violation is not None for outcome in of_kind)),
            f"{sum(outcome.virtual for outcome in of_kind) / 3600:.1f}",
            f"{worst:.1f} s",
            f"{sum(outcome.wall for outcome in of_kind) / 60:.1f}",
        )
    out.print(table)
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
    out.print("what befell them: " + ", ".join(f"{n} {name}" for name, n in sorted(faults.items())))
    violations = [outcome for outcome in outcomes if outcome.violation is not None]
    for outcome in violations:
        repeat = f"python tests/soak.py --only {outcome.kind} --seed {outcome.seed}"
        out.print(f"[red]violated[/]: {repeat}: {outcome.violation}", soft_wrap=True)
    return len(violations)


if __name__ == "__main__":
    main()
