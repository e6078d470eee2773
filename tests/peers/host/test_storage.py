"""The data directory: an epoch that only grows, and one process at a time."""

import json
import logging
import sys
from pathlib import Path

import pytest

from gossamer.peers import ConfigError
from gossamer.peers.host import Storage


def test_an_epoch_is_read_again(tmp_path: Path) -> None:
    """What one life saved, the next one finds."""
    directory = tmp_path / "new" / "data"
    first = Storage.open(directory, "a")
    assert first.epoch == 0
    first.save(17)
    first.close()

    second = Storage.open(directory, "a")

    assert second.epoch == 17
    assert json.loads((directory / "peer.json").read_text()) == {"name": "a", "epoch": 17}
    assert {path.name for path in directory.iterdir()} == {"lock", "peer.json"}
    second.close()


def test_a_directory_in_use_is_refused_until_it_is_free(tmp_path: Path) -> None:
    """Two processes with one epoch file would be one peer twice."""
    first = Storage.open(tmp_path, "a")
    with pytest.raises(ConfigError, match="in use") as caught:
        Storage.open(tmp_path, "a")
    assert caught.value.field == "data_dir"

    first.close()
    first.close()

    Storage.open(tmp_path, "a").close()


def test_the_directory_of_another_peer_is_refused(tmp_path: Path) -> None:
    """A copied or mistyped directory is told by the name in it; nothing stays locked."""
    storage = Storage.open(tmp_path, "a")
    storage.save(1)
    storage.close()

    with pytest.raises(ConfigError, match="belongs to peer 'a'"):
        Storage.open(tmp_path, "b")

    Storage.open(tmp_path, "a").close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"name": "a", "epoch": -1}',
        b'{"name": "a", "epoch": true}',
        b'{"name": "a", "epoch": 1e9}',
        b'{"name": 1, "epoch": 1}',
    ],
)
def test_a_file_that_cannot_be_read_is_put_aside(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken file does not keep a peer from starting, is kept, and is spoken of."""
    (tmp_path / "peer.json").write_bytes(content)

    with caplog.at_level(logging.WARNING, "gossamer"):
        storage = Storage.open(tmp_path, "a")

    assert storage.epoch == 0
    assert (tmp_path / "peer.corrupt").read_bytes() == content
    assert "is damaged: this peer renamed it" in caplog.text
    storage.close()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The sentence names the directory and the flag."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="the setting data_dir"):
        Storage.open(tmp_path / "file" / "data", "a")


def test_a_system_without_file_locks_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes could share the directory there, so it is refused, and nothing is made."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(ConfigError, match="file locks") as caught:
        Storage.open(tmp_path / "d", "a")
    assert caught.value.field == "data_dir"
    assert not (tmp_path / "d").exists()
