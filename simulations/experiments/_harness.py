"""Runs an experiment: its options, its seeds, and its trials, one by one or on several cores."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import TypeVar

from ._table import Result

A = TypeVar("A")
B = TypeVar("B")

SEED = 1


@dataclass(frozen=True, slots=True)
class Options:
    """What an experiment is told: how much to run, from which seed, on how many cores."""

    quick: bool = False
    seed: int = SEED
    jobs: int = 1

    def trials(self, run: Callable[[A], B], tasks: Iterable[A]) -> list[B]:
        """Return what `run` makes of each task, in the tasks' order on however many cores."""
        waiting = list(tasks)
        if self.jobs < 2:
            return [run(task) for task in waiting]
        # Not by fork: the process that runs an experiment may have threads.
        with ProcessPoolExecutor(self.jobs, get_context("spawn")) as pool:
            return list(pool.map(run, waiting, chunksize=max(1, len(waiting) // 50)))

    def rng(self, *what: object) -> Random:
        """Return the random numbers of one part of an experiment, which no other part shifts."""
        return Random("/".join(map(str, (self.seed, *what))))


def mesh_seed(options: Options, *what: object) -> int:
    """Return the seed of one trial, made of what the trial is."""
    return options.rng(*what).getrandbits(32)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent lie, between neighbours in proportion."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=1000, method="inclusive")[round(percent * 10) - 1]


def main(name: str, experiment: Callable[[Options], Result]) -> None:
    """Run an experiment from the command line: print its tables, and write them with `--out`."""
    parser = argparse.ArgumentParser(prog=f"python -m gossamer.simulations.experiments.{name}")
    parser.add_argument("--quick", action="store_true", help="a few seconds, with more noise")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default {SEED}")
    parser.add_argument("--jobs", type=int, default=1, help="processes; the figures are the same")
    parser.add_argument("--out", type=Path, help="directory to write the tables to, as Markdown")
    given = parser.parse_args()
    command = f"python -m gossamer.simulations.experiments.{name} --seed {given.seed}"
    if given.quick:
        command += " --quick"
    result = experiment(Options(given.quick, given.seed, given.jobs))
    text = result.text(command)
    sys.stdout.write(text)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / f"{name}.md").write_text(text, "utf-8")
