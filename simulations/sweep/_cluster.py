# Runs on a Dask cluster.
#
# A worker must have exactly this code, or its results would be those of another program.  All
# workers are checked before the first run, and each run checks again, because workers come and go.

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from gossamer.simulations.basis import MissingExtra
from gossamer.simulations.report import Model
from gossamer.simulations.scenario import Scenario

from ._edition import edition
from ._plan import Run, SweepError
from ._run import Failed, Outcome, Result, attempt, outcome

# `distributed` is typed in part only, and its calls into the rest would all be errors.
Client = Any
Future = Any

# For the scheduler to answer, and for its first worker to be there.
REACH_LIMIT: Final = 10.0
_CLOSE_LIMIT: Final = 2.0
# Each has a level of its own, from the library's configuration.
_LOGGERS: Final = ("distributed", "distributed.client", "distributed.comm", "distributed.core")


class SchedulerUnreachable(ConnectionError):
    """Nothing that could do the runs answers at the scheduler's address; one sentence."""


def on_cluster(
    runs: Sequence[Run], address: str, *, reach_limit: float = REACH_LIMIT
) -> Generator[Outcome, None, None]:
    """Yield what becomes of each run, in the order in which they end.

    Raises `SchedulerUnreachable`, also when the scheduler goes away in the midst of it,
    `SweepError` when a worker has no gossamer or another one, and `MissingExtra`.
    """
    try:
        import distributed
    except ImportError:
        raise MissingExtra("a sweep on a Dask cluster", "sim-dask") from None
    library: Any = distributed
    with _connected(library, address, reach_limit) as client:
        _check_workers(client, address, reach_limit)
        futures: dict[str, tuple[Future, Run]] = {}
        for run in runs:
            # pure=False: a name of its own, so that nothing kept by the cluster is taken for it.
            future = client.submit(
                _attempt_on_worker, run.scenario, run.model, edition(), pure=False
            )
            futures[future.key] = future, run
        ended = library.as_completed([future for future, _ in futures.values()], loop=client.loop)
        try:
            for future in ended:
                _, run = futures.pop(future.key)
                yield _outcome(run, future, address)
        finally:
            if futures:
                client.cancel([future for future, _ in futures.values()], force=True)


# distributed tells the terminal about every attempt to connect; there is one sentence for it here.
@contextmanager
def _connected(distributed: Any, address: str, limit: float) -> Iterator[Client]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        client = _connect(distributed, address, limit)
        try:
            yield client
        finally:
            client.close(timeout=_CLOSE_LIMIT)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _connect(distributed: Any, address: str, limit: float) -> Client:
    with warnings.catch_warnings():
        # Differing versions of other packages do not matter to us; ours are compared below.
        warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
        try:
            return distributed.Client(address, timeout=limit, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SchedulerUnreachable(
                f"no Dask scheduler answers at {address} within {limit:g} s ({_first_words(error)})"
            ) from None


def _check_workers(client: Client, address: str, limit: float) -> None:
    try:
        client.wait_for_workers(1, timeout=limit)
    except TimeoutError:
        raise SchedulerUnreachable(
            f"the Dask scheduler at {address} has no workers;"
            f" start one with: dask worker {address} --nthreads 1"
        ) from None

    # Defined here, it travels as its code and not as the name of a module that may not be there.
    def worker_edition() -> str:
        try:
            from gossamer.simulations.sweep import edition
        except ImportError:
            return ""
        return edition()

    for worker, found in sorted(client.run(worker_edition, on_error="return").items()):
        if found == "":
            raise SweepError(
                f"the Dask worker {worker} has no gossamer, or an older one: install"
                f" {edition()} there"
            )
        if found != edition():
            raise SweepError(
                f"the Dask worker {worker} has gossamer {found}, and this is {edition()}:"
                " install the same everywhere"
            )


# Threads of one worker would take turns within one run after another anyway, and all their meshes
# would need memory at once: one run at a time in each process.
_turn = Lock()


def _attempt_on_worker(scenario: Scenario, model: Model, expected: str) -> Result | str:
    if edition() != expected:
        return f"its worker has gossamer {edition()}, and {expected} was asked for"
    with _turn:
        return attempt(scenario, model)


def _outcome(run: Run, future: Future, address: str) -> Outcome:
    match future.status:
        case "finished":
            return outcome(run, future.result())
        case "error":
            return Failed(run, _reason(future.exception()))
        case _:
            # Nobody but the scheduler takes a run away, and it does so when it ends.
            raise SchedulerUnreachable(f"the Dask scheduler at {address} is gone")


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "KilledWorker":
        return "the workers that tried it died (is there enough memory?)"
    return f"its worker failed: {_first_words(error)}"


def _first_words(error: BaseException) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 200 else f"{words[:199]}…"
