# Results on disk, one line of JSON each, written at once.
#
# The first line names the sweep.  A killed process may leave an incomplete last line, which is cut
# off when the file is opened again.  Failures are written too, for later inspection, and those runs
# are tried again.

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from ._edition import edition
from ._plan import Plan, SweepError
from ._run import Finished, Outcome, Result

FORM: Final = 1


@dataclass(slots=True)
class Store:
    """The file `runs.jsonl` of one sweep, held by one process at a time."""

    path: Path
    results: dict[str, Result] = field(default_factory=dict)
    """What is finished, by the fingerprint of its run."""
    _file: BinaryIO | None = None

    @classmethod
    def open(cls, directory: Path, plan: Plan) -> Self:
        """Read the results in a sweep's directory, and prepare it for more.

        Raises `SweepError` when the results are another sweep's, or another process writes there.
        """
        path = directory / "runs.jsonl"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except OSError as error:
            raise SweepError(f"{path} cannot be written: {error.strerror or error}") from None
        store = cls(path, _file=file)
        try:
            _lock(file)
            store._take_up(file, plan)
        except BlockingIOError:
            file.close()
            raise SweepError(
                f"another sweep is writing to {path}: wait for it, or give another directory"
            ) from None
        except BaseException:
            file.close()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, outcome: Outcome, values: Mapping[str, Any]) -> None:
        """Write what became of a run; it is kept even if this process is killed now."""
        run = outcome.run
        line: dict[str, Any] = {
            "run": run.fingerprint,
            "values": values,
            "seed": run.scenario.seed,
            "model": run.model,
        }
        if isinstance(outcome, Finished):
            line["result"] = outcome.result
            self.results[run.fingerprint] = outcome.result
        else:
            line["failed"] = outcome.why
        self._write(line)

    def _take_up(self, file: BinaryIO, plan: Plan) -> None:
        file.seek(0)
        text = file.read()
        whole = text.rfind(b"\n") + 1
        lines = text[:whole].split(b"\n")[:-1]
        # Before anything is cut off: it must be a sweep's file, and this sweep's.
        if lines or not _torn_head(text):
            self._check_head(lines[0] if lines else text, plan)
        for number, line in enumerate(lines[1:], 2):
            try:
                found = json.loads(line)
                name, result = found["run"], found.get("result")
                if result is not None:
                    self.results[name] = dict(result)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise SweepError(
                    f"{self.path}:{number}: this is not the result of a run:"
                    " remove the line, or give another directory"
                ) from None
        file.truncate(whole)
        if not lines:
            self._write(_head(plan))

    def _check_head(self, line: bytes, plan: Plan) -> None:
        try:
            found = json.loads(line)
            sweep, code, scenario = found["sweep"], found["gossamer"], found["scenario"]
        except (ValueError, TypeError, KeyError):
            raise SweepError(
                f"{self.path} is not the file of a sweep: give another directory"
            ) from None
        if code != edition():
            raise SweepError(
                f"{self.path} was written by gossamer {code}, and this is {edition()}:"
                " give another directory, or remove that file"
            )
        if sweep != plan.identity:
            raise SweepError(
                f"{self.path} belongs to another sweep ({scenario}, over"
                f" {', '.join(found.get('varied') or ['seeds'])}, or with other values set):"
                " give another directory, or remove that file"
            )

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()


def _lock(file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # some network file systems have no locks; a sweep is done there all the same


def _head(plan: Plan) -> dict[str, Any]:
    return {
        "sweep": plan.identity,
        "form": FORM,
        "gossamer": edition(),
        "scenario": plan.scenario,
        "varied": list(plan.varied),
        "set": dict(plan.changes),
        "model": plan.model,
    }


# A file that was just begun when its process was killed; any other text is somebody's.
def _torn_head(text: bytes) -> bool:
    start = b'{"sweep":"'
    return text.startswith(start) or start.startswith(text)
