"""Replaces files as a whole, so that a crash leaves either the old file or the new one."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o600, replace: bool = True) -> None:
    """Write a file, which is on disk when this returns; without `replace` it must be new.

    Raises `OSError`, and then leaves an earlier file unchanged.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # The umask may have removed bits of the mode.
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if replace:
            temporary.replace(path)
        else:
            # Unlike a rename, a link fails if the file exists.
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
