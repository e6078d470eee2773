# Runs in processes of this machine.
#
# This is not the pool of `concurrent.futures`.  That pool gives up all runs when one process dies
# (the kernel's out-of-memory killer ends the largest), cannot say which run it was, and cannot end
# busy processes.  Here a process has one pipe and one run at a time, and its end is the run's end.
#
# Processes start by "spawn", not by "fork" or "forkserver".  They inherit nothing, so no result can
# depend on this process, and no server is left behind.  It costs a third of a second for each
# process, which is little compared with a run.  All data of a run goes through the pipe, so it
# works in every main program.

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from gossamer.simulations.basis import MissingExtra

from ._plan import Run, SweepError
from ._run import Failed, Outcome, attempt, outcome

# A process keeps what its largest run needed; a new one now and then gives it back.
RUNS_PER_PROCESS: Final = 50
WORKER_LIMIT: Final = 1024
_PATIENCE: Final = 5.0


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(runs: Sequence[Run], workers: int) -> Generator[Outcome, None, None]:
    """Yield what becomes of each run, in the order in which they end.

    Closing the generator ends all processes at once.
    Raises `SweepError` if processes cannot be started at all, and `MissingExtra` before the first
    if a run needs what is not installed.
    """
    if any(run.model == "fast" for run in runs) and find_spec("numpy") is None:
        raise MissingExtra("the fast model", "sim")
    waiting = deque(runs)
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, Run]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _Worker()
                run = waiting.popleft()
                busy[worker.pipe] = worker, run
                worker.give(run)
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                worker, run = busy[pipe]
                try:
                    said = pipe.recv()
                except (EOFError, OSError):
                    del busy[pipe]
                    yield Failed(run, worker.bury())
                    continue
                if said is None:
                    worker.started = True
                    continue
                del busy[pipe]
                worker.runs += 1
                if waiting and worker.runs < RUNS_PER_PROCESS:
                    idle.append(worker)
                else:
                    worker.end()
                yield outcome(run, said)
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.end()


class _Worker:
    """A process, as the one that gives it work sees it."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.runs = 0
        self.started = False
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs,), daemon=True)
        with _interrupts_held(), theirs:
            self.process.start()

    def give(self, run: Run) -> None:
        try:
            self.pipe.send((run.scenario, run.model))
        except OSError:
            pass  # it died; what it says next is the end of its pipe

    def end(self) -> None:
        """End the process, whatever it is doing: what it does is not wanted any more."""
        self.process.kill()
        self._clear()

    def bury(self) -> str:
        """Return what ended a process that was not told to end."""
        self.process.join(_PATIENCE)
        code = self.process.exitcode
        self.end()
        if not self.started:
            raise SweepError(
                f"processes for the runs cannot be started here (exit code {code}):"
                " their own messages above say why"
            )
        if code is not None and code < 0:
            hint = " (is there enough memory?)" if -code == signal.SIGKILL else ""
            return f"its process was ended by {signal.Signals(-code).name}{hint}"
        return f"its process ended with exit code {code}"

    def _clear(self) -> None:
        self.process.join()
        self.process.close()
        self.pipe.close()


# Ctrl-C reaches every process of the terminal.  The one that gives out work ends the others; they
# must not print tracebacks of their own, also not while they are still importing.  A blocked signal
# stays blocked in the new process, and here it is only late by some milliseconds.
@contextmanager
def _interrupts_held() -> Iterator[None]:
    # Started on demand otherwise, and then it would unblock the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection) -> None:
    threading.Thread(target=_follow_parent, daemon=True).start()
    pipe.send(None)  # everything is imported
    while True:
        scenario, model = pipe.recv()
        pipe.send(attempt(scenario, model))


# A parent that was killed cannot end its processes, and a run may take an hour more.
def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
