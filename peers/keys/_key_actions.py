"""The actions on keys that a user of a peer can call."""

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
    """The keys of a running peer.

    Each action writes the key file before it takes effect.
    It raises `ConfigError` for `key_file`, and changes nothing, if the file cannot be written.
    """

    def __init__(self, keys: "Keys", acting: Callable[[], AbstractContextManager[float]]) -> None:
        self._keys = keys
        self._acting = acting

    def list(self) -> dict[str, object]:
        """Return the keys by id and fingerprint, and which keys each member accepts and uses."""
        return self._keys.report()

    def add(self, path: StrPath) -> None:
        """Make this peer also accept all keys of another key file.

        Raises `BadInput` for `file` if that file cannot be used.
        Raises `Conflict` if this peer has a different key with the id of one of these keys, or
        would have too many keys.
        """
        try:
            ring = read_key_file(path)
        except ConfigError as error:
            raise BadInput("file", str(error)) from None
        with self._acting() as now:
            self._keys.add(ring.keys, now)

    def add_plain(self) -> None:
        """Make this peer also accept plain text."""
        with self._acting() as now:
            self._keys.add_plain(now)

    def use(self, key: KeyName, *, force: bool = False) -> None:
        """Make the whole mesh seal with a key; with "plain", only this peer sends plain text.

        Raises `BadInput` for `id` if this peer does not accept the key.
        Raises `Conflict` if this peer has not joined, or if a known member does not accept the
        key; the error names such members. With `force` neither is checked.
        """
        key_id = _key_id(key)
        with self._acting() as now:
            self._keys.use(key_id, now, force=force)

    def remove(self, key: KeyName, *, force: bool = False) -> None:
        """Make the whole mesh no longer accept a key, or plain text.

        Raises `BadInput` for `id` if this peer does not accept the key.
        Raises `Conflict` if this peer seals with the key, or if it is its last key.
        Raises `Conflict` also if this peer has not joined, or if a known member seals with the
        key; the error names such members. With `force` neither of these two is checked.
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
