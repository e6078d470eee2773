"""What a peer's user does with the keys of the mesh."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from gossamer.gossip import PLAIN
from gossamer.peers.model import BadInput, ConfigError

from ._key_file import StrPath, read_key_file

if TYPE_CHECKING:
    from ._keys import Keys

KeyName = int | Literal["plain"]
"""A key's id, or plain text."""


class KeyActions:
    """The keys of a running peer; each action is written to its key file before it counts.

    Every action raises `ConfigError` for `key_file` when that cannot be written, with nothing
    changed.
    """

    def __init__(self, keys: "Keys", acting: Callable[[], AbstractContextManager[float]]) -> None:
        self._keys = keys
        self._acting = acting

    def list(self) -> dict[str, object]:
        """Return keys by id and fingerprint, and which member accepts and uses which."""
        return self._keys.report()

    def add(self, path: StrPath) -> None:
        """Accept all keys of another key file as well, at this peer.

        Raises `ConfigError` for a file that cannot be read, `Conflict` if another key has the id.
        """
        try:
            ring = read_key_file(path)
        except ConfigError as error:
            raise BadInput("file", str(error)) from None
        with self._acting() as now:
            self._keys.add(ring.keys, now)

    def add_plain(self) -> None:
        """Accept plain text as well, at this peer."""
        with self._acting() as now:
            self._keys.add_plain(now)

    def use(self, key: KeyName, *, force: bool = False) -> None:
        """Have the whole mesh seal with a key; with "plain", this peer alone send plain text.

        Raises `Conflict`, naming them, while known members do not accept it, unless forced.
        """
        key_id = _key_id(key)
        with self._acting() as now:
            self._keys.use(key_id, now, force=force)

    def remove(self, key: KeyName, *, force: bool = False) -> None:
        """Have the whole mesh no longer accept a key, or plain text.

        Raises `Conflict` while this peer or, naming them, known members seal with it; the latter
        unless forced.
        """
        key_id = _key_id(key)
        with self._acting() as now:
            self._keys.remove(key_id, now, force=force)


def _key_id(key: object) -> int:
    if key == "plain":
        return PLAIN
    if type(key) is not int or key == PLAIN:
        raise BadInput("id", f'id must be the number of a key, or "plain", not {key!r}')
    return key
