"""Measure a mesh of real processes on loopback, and the simulator; this checkout, or two in turn.

    python benchmarks/mesh.py                        # this checkout alone
    python benchmarks/mesh.py --against ../before    # another checkout beside it, trial by trial

Each checkout is run by the interpreter in its own `.venv` (`make demo` makes one).
With two of them the trials alternate, since the speed of a shared machine drifts by more than the
difference that one looks for.

What is measured:

- registration: from the call of `register` in one process until another process's watch shows the
  instance.  p50 and p99 are over all pairs of registration and observer; "by all" is the time
  until the last observer shows it.
- idle: processor time and resident memory of each process after the mesh has settled.
- simulate: wall and processor time of `gossamer simulate propagate`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Loopback and an idle machine answer within milliseconds; beyond this a registration is lost.
PATIENCE = 30.0


@dataclass
class Side:
    """One checkout, and what was measured of it."""

    label: str
    root: Path
    seen: list[float] = field(default_factory=list)
    seen_by_all: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @property
    def python(self) -> str:
        """The interpreter of this checkout."""
        return str(self.root / ".venv" / "bin" / "python")


class Process:
    """One peer in a process of its own; see mesh_peer.py."""

    def __init__(self, side: Side, name: str, seed: str | None) -> None:
        command = [side.python, str(HERE / "mesh_peer.py"), name, *([seed] if seed else [])]
        environment = {**os.environ, "PYTHONPATH": str(side.root / "src")}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input: IO[str] = self._process.stdin
        self._output: IO[str] = self._process.stdout
        self.name = name
        self.address: str = self.read()["address"]

    def read(self) -> dict[str, Any]:
        """Return the next line that the process writes."""
        line = self._output.readline()
        if not line:
            raise SystemExit(f"peer {self.name} ended early: see its error above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str, **values: object) -> dict[str, Any]:
        """Give an order and return the answer."""
        self._input.write(json.dumps({"command": command, **values}) + "\n")
        self._input.flush()
        return self.read()

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    @property
    def rss(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def end(self) -> None:
        """Stop the process at once."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()


def measure_mesh(side: Side, peers: int, registrations: int, idle: float) -> None:
    """Run one trial with real processes."""
    processes: list[Process] = []
    try:
        for number in range(peers):
            seed = processes[0].address if processes else None
            processes.append(Process(side, f"p{number:03}", seed))
        for process in processes:
            process.ask("wait", members=peers)
        time.sleep(5.0)
        before = [process.cpu for process in processes]
        time.sleep(idle)
        after = [process.cpu for process in processes]
        side.cpu += [1000 * (b - a) / idle for a, b in zip(before, after, strict=True)]
        side.rss += [process.rss for process in processes]
        for number in range(registrations):
            teller = processes[number % peers]
            # Apart from each other and from the gossip interval, so that none meets its phase.
            time.sleep(0.1 + 0.2 * (number * 0.618 % 1))
            name = f"i{number}"
            began = teller.ask("register", id=name)["at"]
            moments = [
                process.ask("seen", id=name, patience=PATIENCE)["at"] - began
                for process in processes
                if process is not teller
            ]
            side.seen += [1000 * moment for moment in moments]
            side.seen_by_all.append(1000 * max(moments))
    finally:
        for process in processes:
            process.end()


def measure_simulator(side: Side, peers: int) -> None:
    """Run one simulation in a process of its own."""
    command = [side.python, "-c", "from gossamer.cli import main; main()"]
    command += ["simulate", "propagate", "--peers", str(peers), "--seed", "7", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(side.root / "src")}
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = os.times()
    side.wall.append(after.elapsed - before.elapsed)
    side.processor.append(
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def quantile(values: list[float], share: float) -> float:
    """Return the value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rows(side: Side) -> dict[str, float]:
    """Return what is printed of one checkout."""
    found: dict[str, float] = {}
    if side.seen:
        found["registration seen, p50, ms"] = quantile(side.seen, 0.5)
        found["registration seen, p99, ms"] = quantile(side.seen, 0.99)
        found["registration seen by all, p50, ms"] = quantile(side.seen_by_all, 0.5)
        found["registration seen by all, p99, ms"] = quantile(side.seen_by_all, 0.99)
        found["idle processor per peer, ms a second"] = statistics.mean(side.cpu)
        found["resident memory per peer, MiB"] = statistics.mean(side.rss)
    if side.wall:
        found["simulate propagate, wall, s (median)"] = statistics.median(side.wall)
        found["simulate propagate, processor, s (median)"] = statistics.median(side.processor)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--against", type=Path, help="the root of another checkout")
    parser.add_argument("--peers", type=int, default=32)
    parser.add_argument("--registrations", type=int, default=100, help="in each trial")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--simulated", type=int, default=200, help="peers; 0 leaves it out")
    parser.add_argument("--no-mesh", action="store_true", help="the simulator alone")
    given = parser.parse_args()

    sides = [Side("here", HERE.parent)]
    if given.against is not None:
        sides.insert(0, Side("before", given.against.resolve()))
    for trial in range(given.trials):
        for side in sides:
            sys.stderr.write(f"trial {trial + 1} of {given.trials}: {side.label}\n")
            if not given.no_mesh:
                measure_mesh(side, given.peers, given.registrations, given.idle)
            if given.simulated:
                measure_simulator(side, given.simulated)

    tables = [rows(side) for side in sides]
    lines = [" " * 45 + "".join(f"{side.label:>12}" for side in sides)]
    for label in tables[0]:
        values = [table[label] for table in tables]
        ratio = f"{values[-1] / values[0]:>9.2f}" if len(values) > 1 and values[0] else ""
        lines.append(f"{label:45}" + "".join(f"{value:12.2f}" for value in values) + ratio)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
