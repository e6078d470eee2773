"""The file that holds a peer's keys. A peer checks it strictly, and replaces it as a whole.

    use = 1              the key to seal with, or "plain"
    plain = false        whether plain text is accepted
    decided = "..."      the mesh's decisions on keys, written by the peer
    [keys]
    1 = "base64 of 32 bytes"

Without `decided`, a peer would follow old decisions after a restart.
It could hear them from a peer that returns to the mesh, or from an attacker that sends recorded
traffic again.
A user who can read the file can read and forge the mesh's traffic, and a user who can write the
file can choose the keys.
So the file must belong to the peer's own user or to root, and no other user may have access.
"""

import base64
import binascii
import errno
import os
import secrets
import stat
import tomllib
from pathlib import Path

from gossamer.gossip import (
    PLAIN,
    SECRET_SIZE,
    ConfigError as ProtocolError,
    Key,
    KeyRing,
    Malformed,
    decode,
    encode,
)
from gossamer.peers.host import write_whole
from gossamer.peers.model import BadInput, ConfigError

from ._key_decisions import Decisions, parse_decisions

# Sixteen keys take a thousand bytes.
_SIZE_LIMIT = 65_536
_HEAD = """\
# The keys of a Gossamer mesh: every process that can read this file can read and forge its traffic.
# 'gossamer keys' changes it; see docs/keys.md.
"""

StrPath = str | os.PathLike[str]


class KeyFile:
    """A peer's key file, and what the peer last read from it or wrote to it.

    Several peers of one host may share a file, so a peer does not overwrite a key that another
    peer has added.
    """

    def __init__(self, path: StrPath) -> None:
        # The path is absolute because the process may change its working directory.
        self.path = Path(path).absolute()
        self.ring, self.decisions = _read(self.path)

    def save(self, ring: KeyRing, decisions: Decisions) -> None:
        """Write another ring and other decisions.

        Raises `ConfigError` for `key_file`, and leaves the file unchanged, if it cannot be read or
        written, or has a key that another peer added.
        """
        foreign = set(read_key_file(self.path).keys) - {*self.ring.keys, *ring.keys}
        if foreign:
            key_id = min(key.id for key in foreign)
            raise ConfigError(
                "key_file",
                f"key file {self.path} has key {key_id}, which another peer wrote there:"
                " add it at this peer too, from that file",
            )
        write_key_file(self.path, ring, decisions)
        self.ring, self.decisions = ring, decisions


def make_key(id: int) -> Key:
    """Return a new key of random bytes; raises `BadInput` for an `id` out of range."""
    try:
        return Key(id, secrets.token_bytes(SECRET_SIZE))
    except ProtocolError as error:
        raise BadInput("id", str(error)) from None


def read_key_file(path: StrPath) -> KeyRing:
    """Return the ring in a file.

    Raises `ConfigError` for `key_file` if the file cannot be read, if other users may have access,
    or if the content is wrong. No message contains a key.
    """
    return _read(path)[0]


def _read(path: StrPath) -> tuple[KeyRing, Decisions]:
    try:
        # `O_NONBLOCK` because a start must not hang if the path is a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unusable(path, "cannot be read", error) from None
    try:
        _check_owner(path, os.fstat(descriptor))
        data = os.read(descriptor, _SIZE_LIMIT + 1)
    except OSError as error:
        raise _unusable(path, "cannot be read", error) from None
    finally:
        os.close(descriptor)
    if len(data) > _SIZE_LIMIT:
        raise _wrong(path, f"has more than {_SIZE_LIMIT} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        # The parser's message may quote the line, and with it a key.
        raise _wrong(path, "is not TOML") from None
    return _ring(path, table), _decisions(path, table)


def write_key_file(
    path: StrPath, ring: KeyRing, decisions: Decisions | None = None, *, replace: bool = True
) -> None:
    """Write a ring and decisions to a file with mode 0600.

    After a crash, either the old file or the new file is there.
    Raises `ConfigError` for `key_file`, and leaves an old file unchanged, if the file cannot be
    written, or if it exists and `replace` is false.
    """
    try:
        # If the path is a symbolic link, its target is replaced, and not the link.
        write_whole(Path(os.path.realpath(path)), _text(ring, decisions), replace=replace)
    except FileExistsError:
        raise ConfigError(
            "key_file", f"key file {path} is there already: choose another, or remove it"
        ) from None
    except OSError as error:
        raise _unusable(path, "cannot be written", error) from None


def _text(ring: KeyRing, decisions: Decisions | None) -> str:
    use = '"plain"' if ring.use == PLAIN else str(ring.use)
    keys = (f'{key.id} = "{base64.b64encode(key.secret).decode()}"\n' for key in ring.keys)
    values = f"use = {use}\nplain = {str(ring.plain).lower()}\n"
    if decisions not in (None, Decisions()):
        assert decisions is not None
        values += f'decided = "{base64.b64encode(encode(decisions.parts())).decode()}"\n'
    return f"{_HEAD}{values}\n[keys]\n{''.join(keys)}"


def _check_owner(path: StrPath, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _wrong(path, "is not a file")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise ConfigError(
            "key_file", f"key file {path} is open to others (mode {mode:04o}): chmod 600 {path}"
        )
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            "key_file",
            f"key file {path} belongs to another user (uid {found.st_uid}):"
            f" chown it to the peer's own (uid {os.geteuid()})",
        )


def _ring(path: StrPath, table: dict[str, object]) -> KeyRing:
    # The message does not even quote names, because a key may stand where a name belongs.
    if table.keys() - {"use", "plain", "decided", "keys"}:
        raise _wrong(path, "has entries beside use, plain, decided and keys")
    entries = table.get("keys")
    if not isinstance(entries, dict):
        raise _wrong(path, "has no [keys]")
    plain = table.get("plain", False)
    if type(plain) is not bool:
        raise _wrong(path, "must have true or false as the value of plain")
    use = table.get("use")
    if use == "plain":
        use = PLAIN
    elif type(use) is not int or use == PLAIN:
        raise _wrong(path, 'has no use = ID of a key, or "plain"')
    try:
        return KeyRing(tuple(_key(name, entries[name]) for name in entries), use, plain)
    except ProtocolError as error:
        raise _wrong(path, f"does not fit: {error}") from None


def _decisions(path: StrPath, table: dict[str, object]) -> Decisions:
    decided = table.get("decided")
    if decided is None:
        return Decisions()
    try:
        text = decided if isinstance(decided, str) else "-"
        return parse_decisions(decode(base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError, Malformed):
        raise ConfigError(
            "key_file", f"key file {path} has a value for decided that no peer wrote: remove it"
        ) from None


def _key(name: str, value: object) -> Key:
    if not (name.isascii() and name.isdecimal()) or name != str(int(name[:9])):
        raise ProtocolError("keys", "the name of a key must be a number, as in 1 = ...")
    try:
        secret = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != SECRET_SIZE:
        raise ProtocolError("keys", f"key {name} is not the base64 of {SECRET_SIZE} bytes")
    return Key(int(name), secret)


def _wrong(path: StrPath, what: str) -> ConfigError:
    return ConfigError("key_file", f"key file {path} {what}: make one with 'gossamer keygen'")


def _unusable(path: StrPath, what: str, error: OSError) -> ConfigError:
    if error.errno == errno.ENOENT and what == "cannot be read":
        return ConfigError(
            "key_file", f"key file {path} is not there: make it with 'gossamer keygen {path}'"
        )
    reason = error.strerror or str(error)
    return ConfigError(
        "key_file", f"key file {path} {what} ({reason}): check its directory and its permissions"
    )
