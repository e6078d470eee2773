"""The command line for tests: inside the test's process, as one of its own, or on a terminal."""

import errno
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from click.testing import CliRunner
from processes import GOSSAMER

from gossamer.cli import main

# Bounds what a broken command can take; none of them waits for it.
LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the one document on stdout; nothing else may be there."""
        assert self.code == 0, self.err
        assert self.err == ""
        return json.loads(self.out)


def gossamer(*arguments: str, http: str | None = None, **environment: str) -> Outcome:
    """Run a command inside this process; `http` names the peer to ask."""
    addressed = [*arguments, "--http", http] if http is not None else list(arguments)
    ran = CliRunner().invoke(main, addressed, env={"GOSSAMER_HTTP": "", **environment})
    return Outcome(ran.exit_code, ran.stdout, ran.stderr)


def spawn(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command as a process with pipes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([*GOSSAMER, *arguments], stdin=subprocess.DEVNULL, text=True, **pipes)


def in_terminal(*arguments: str, columns: int = 80, rows: int = 24, **environment: str) -> str:
    """Run a command on a terminal of its own and return what appeared on it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE")
    }
    try:
        process = subprocess.Popen(
            [*GOSSAMER, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**plain, "TERM": "xterm-256color", **environment},
        )
    finally:
        os.close(theirs)
    try:
        shown = b"".join(_until_hung_up(ours))
        process.wait(LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _until_hung_up(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError as error:
            # Linux reports the other side's end so.
            if error.errno != errno.EIO:
                raise
            return
        if not piece:
            return
        yield piece


@contextmanager
def stranger(status: int, body: bytes) -> Iterator[str]:
    """Serve one answer to every question, with HTTP's real bytes; yields HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass  # not into the output of the tests

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
