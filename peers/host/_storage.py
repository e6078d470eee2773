"""The peer's data directory: it keeps the peer's name and the epoch of its latest life.

The epoch is the Unix time of the start in milliseconds, or one more than that of an earlier life if
that is greater.  The file makes this true also after the clock was set back.
A damaged file is renamed, and then the clock alone decides: a peer that refuses to start would make
a rare fault of the disk worse.
"""

import json
import logging
import os
from pathlib import Path
from typing import Self

from gossamer.gossip import EPOCH_LIMIT
from gossamer.peers.model import ConfigError

from ._disk import write_whole

_log = logging.getLogger("gossamer")

_STATE = "peer.json"
_LOCK = "lock"


class Storage:
    """The data directory of one peer, locked by one process at a time."""

    def __init__(self, directory: Path, name: str, lock: int) -> None:
        self._directory = directory
        self._name = name
        self._lock: int | None = lock
        self.epoch = self._read()

    @classmethod
    def open(cls, directory: str | os.PathLike[str], name: str) -> Self:
        """Create the directory if necessary, and lock it for this process.

        Raises `ConfigError` for `data_dir` if it is in use, belongs to a peer of another name, or
        cannot be written.
        """
        try:
            # Some systems lack this module, and a peer without a data directory does not need it.
            import fcntl
        except ImportError:
            raise ConfigError(
                "data_dir", "data_dir needs file locks, which this system lacks: leave it out"
            ) from None
        path = Path(directory)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, name, lock)
        except BlockingIOError:
            os.close(lock)
            raise ConfigError(
                "data_dir",
                f"data directory {path} is in use by another peer: choose another with the"
                " setting data_dir",
            ) from None
        except OSError as error:
            os.close(lock)
            raise _unusable(path, error) from error
        except ConfigError:
            os.close(lock)
            raise

    def save(self, epoch: int) -> None:
        """Write the epoch so that either the old or the new file survives a crash."""
        state = json.dumps({"name": self._name, "epoch": epoch})
        try:
            write_whole(self._directory / _STATE, state, mode=0o644)
        except OSError as error:
            raise _unusable(self._directory, error) from error
        self.epoch = epoch

    def close(self) -> None:
        """Let another process use the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _read(self) -> int:
        path = self._directory / _STATE
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return 0
        except UnicodeDecodeError:
            text = ""
        try:
            state = json.loads(text)
            name, epoch = state["name"], state["epoch"]
            if type(name) is not str or type(epoch) is not int or not 0 <= epoch <= EPOCH_LIMIT:
                raise ValueError("wrong types")
        except (ValueError, TypeError, KeyError, RecursionError):
            aside = path.with_suffix(".corrupt")
            path.replace(aside)
            _log.warning(
                "%s is damaged: this peer renamed it to %s and takes its epoch from the clock",
                path,
                aside,
            )
            return 0
        if name != self._name:
            raise ConfigError(
                "data_dir",
                f"data directory {self._directory} belongs to peer {name!r}:"
                f" choose another with the setting data_dir, or start a peer of that name",
            )
        return epoch


def _unusable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        "data_dir",
        f"data directory {path} cannot be used ({error.strerror}): choose another with the"
        " setting data_dir",
    )
