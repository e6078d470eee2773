"""Real peers for tests: `gossamer run` as a process, asked over its HTTP."""

import http.client
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

# Waiting ends as soon as the condition holds; these only bound what a broken peer can take.
START_LIMIT = 60.0
_ASK_LIMIT = 20.0

GOSSAMER = [sys.executable, "-c", "from gossamer.cli import main; main()"]


def eventually(
    condition: Callable[[], Any], limit: float, *, pause: float = 0.01, what: str = ""
) -> float:
    """Wait until `condition` is true; return the seconds that it took, or fail after `limit`."""
    began = time.monotonic()
    while True:
        found = condition()
        took = time.monotonic() - began
        if found:
            return took
        assert took < limit, f"not within {limit} s: {what or condition}"
        time.sleep(pause)


def everywhere(
    peers: "Sequence[RunningPeer]", check: "Callable[[RunningPeer], bool]", limit: float
) -> None:
    """Wait until `check` holds at each of the peers."""
    for peer in peers:
        eventually(partial(check, peer), limit, what=f"at {peer.name}")


class RunningPeer:
    """A `gossamer run` process; `ready` has begun to serve when the constructor returns."""

    def __init__(
        self, directory: Path, name: str, *flags: str, prefix: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.log = directory / f"{name}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, *GOSSAMER, "run", "--name", name, *flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        try:
            ready = self._read_ready()
        except BaseException:
            self.kill()
            raise
        fields = dict(item.split("=", 1) for item in ready.split()[1:])
        self.gossip: str = fields["gossip"]
        self.http: str = fields["http"]

    def _read_ready(self) -> str:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(START_LIMIT) else b""
        text = line.decode()
        assert text.startswith("ready "), f"{self.name}: {text!r}; {self.log.read_text()}"
        return text

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Return the status and the JSON of one request."""
        host, port = self.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=_ASK_LIMIT)
        try:
            data = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
        finally:
            connection.close()

    def info(self) -> Any:
        """Return what the peer says of itself."""
        return self.ask("GET", "/v1/info")[1]

    def members(self, *statuses: str) -> dict[str, str]:
        """Return the status of each member by name, of those with one of `statuses`."""
        found = self.ask("GET", "/v1/members")[1]["members"]
        return {
            member["name"]: member["status"]
            for member in found
            if not statuses or member["status"] in statuses
        }

    def lookup(self, service: str) -> set[str]:
        """Return the ids that a lookup shows."""
        status, found = self.ask("GET", f"/v1/services/{service}")
        if status == 404:
            return set()
        assert status == 200
        return {instance["id"] for instance in found["instances"]}

    def register(self, service: str, id: str, **fields: Any) -> None:
        """Register an instance."""
        path = f"/v1/services/{service}/instances/{id}"
        status, answer = self.ask("PUT", path, {"port": 8080, **fields})
        assert status in (200, 201), answer

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def wait(self, limit: float = 30.0) -> int:
        """Wait for the process to end; return its exit code."""
        return self.process.wait(limit)

    def kill(self) -> None:
        """End the process at once, whatever state it is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Peers:
    """Starts peers on loopback and ends them all."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack

    def start(
        self, name: str, *flags: str, bind: str = "127.0.0.1:0", http: str = "127.0.0.1:0"
    ) -> RunningPeer:
        """Start one peer and wait until it serves."""
        peer = RunningPeer(self._directory, name, "--bind", bind, "--http", http, *flags)
        self._stack.callback(peer.kill)
        return peer

    def mesh(self, count: int, *flags: str) -> list[RunningPeer]:
        """Start `count` peers that join through the first, and wait until all list all."""
        seed = self.start("peer-0", *flags)
        others = [
            self.start(f"peer-{number}", "--join", seed.gossip, *flags)
            for number in range(1, count)
        ]
        peers = [seed, *others]
        everywhere(peers, lambda peer: len(peer.members("alive")) == count, 30)
        return peers


@contextmanager
def peers_in(directory: Path) -> Iterator[Peers]:
    """Give a starter of peers whose processes end with the block."""
    with ExitStack() as stack:
        yield Peers(directory, stack)
