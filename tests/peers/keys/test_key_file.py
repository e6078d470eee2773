"""The file that holds a peer's keys."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from keys import key, ring

from gossamer.gossip import PLAIN, KeyRing
from gossamer.peers import BadInput, ConfigError, make_key, read_key_file, write_key_file
from gossamer.peers.keys import KeyFile
from gossamer.peers.keys._key_decisions import PLAIN_NAMED, Decision, Decisions, Verb

ONE, TWO = key(1), key(2)
NOTHING = Decisions()
GOOD = 'use = 1\nplain = false\n[keys]\n1 = "' + "A" * 43 + '="\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the tests keep their key file."""
    return tmp_path / "mesh.key"


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """Write a file as an operator might, and return its path."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "held", [ring(ONE), ring(ONE, TWO, use=2, plain=True), ring(TWO, use=PLAIN, plain=True)]
)
def test_what_is_written_is_read(path: Path, held: KeyRing) -> None:
    """A ring comes back as it was; the file is for its owner alone, whatever the umask."""
    before = os.umask(0)
    try:
        write_key_file(path, held)
    finally:
        os.umask(before)

    assert read_key_file(path) == held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_is_made_is_of_random_bytes() -> None:
    """Two keys of one id differ; an id that cannot be is refused by name."""
    assert make_key(3).id == 3
    assert make_key(3) != make_key(3)
    with pytest.raises(BadInput, match="from 1 to 255, not 0") as caught:
        make_key(0)
    assert caught.value.field == "id"


def test_a_new_file_replaces_none(path: Path) -> None:
    """What is there already may be the only copy of a key."""
    write_key_file(path, ring(ONE), replace=False)
    with pytest.raises(ConfigError, match="is there already: choose another"):
        write_key_file(path, ring(TWO), replace=False)

    assert read_key_file(path) == ring(ONE)
    assert list(path.parent.iterdir()) == [path]


def test_a_linked_file_is_replaced_where_it_stands(path: Path, tmp_path: Path) -> None:
    """The link stays a link."""
    write_key_file(path, ring(ONE))
    link = tmp_path / "link.key"
    link.symlink_to(path)
    write_key_file(link, ring(TWO))

    assert link.is_symlink()
    assert read_key_file(path) == ring(TWO)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666, 0o601])
def test_a_file_that_others_may_open_is_refused(path: Path, mode: int) -> None:
    """The error names the mode and the remedy."""
    write(path, GOOD, mode)
    with pytest.raises(ConfigError, match=rf"open to others \(mode {mode:04o}\): chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_alone_is_read(path: Path, mode: int) -> None:
    """Also one that not even its owner may write."""
    assert read_key_file(write(path, GOOD, mode)).use == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    """The owner of the file could choose the mesh's keys."""
    os.chown(write(path, GOOD), 12345, -1)
    with pytest.raises(ConfigError, match=r"belongs to another user \(uid 12345\)"):
        read_key_file(path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "has no .keys."),
        ("keys = 1", "has no .keys."),
        ("\x00", "is not TOML"),
        (b"\xff", "is not TOML"),
        ("use = 1\n[keys]\n", "at least one key"),
        (GOOD.replace("use = 1", "use = 2"), "use names key 2"),
        (GOOD.replace("use = 1", "use = 0"), "has no use"),
        (GOOD.replace("use = 1", "use = true"), "has no use"),
        (GOOD.replace("use = 1\n", ""), "has no use"),
        (GOOD.replace("use = 1", 'use = "plain"'), "plain text is not accepted"),
        (GOOD.replace("false", '"no"'), "must have true or false"),
        (GOOD.replace("plain", "plane"), "has entries beside use, plain, decided and keys"),
        (GOOD.replace("1 = ", "x = "), "must be a number"),
        (GOOD.replace("1 = ", "01 = "), "must be a number"),
        (GOOD.replace("1 = ", "300 = "), "from 1 to 255, not 300"),
        (GOOD.replace('="', '"'), "key 1 is not the base64 of 32 bytes"),
        (GOOD.replace("AA", "!!", 1), "key 1 is not the base64 of 32 bytes"),
        (GOOD.replace('"' + "A" * 43 + '="', "7"), "key 1 is not the base64 of 32 bytes"),
        (GOOD.replace("1 = ", "A" * 43 + " = "), "must be a number"),
        ("A" * 43 + " = 1\n" + GOOD, "has entries beside"),
        ("keys = " + "[" * 5000, "is not TOML"),
        ("use = " + "1" * 5000, "is not TOML"),
        ("#" * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    path: Path, text: str | bytes, names: str
) -> None:
    """The error names file, entry and remedy, and never shows a key."""
    write(path, text)
    with pytest.raises(ConfigError, match=names) as caught:
        read_key_file(path)

    assert caught.value.field == "key_file"
    assert str(path) in str(caught.value)
    assert "AAAA" not in str(caught.value)


@settings(max_examples=60)
@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Nothing but `ConfigError` is raised."""
    path = write(tmp_path_factory.getbasetemp() / "any.key", data)
    with pytest.raises(ConfigError):
        read_key_file(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a directory and a pipe; none hangs."""
    with pytest.raises(ConfigError, match="is not there: make it with 'gossamer keygen"):
        read_key_file(tmp_path / "none")
    directory = tmp_path / "directory"
    directory.mkdir(0o700)
    with pytest.raises(ConfigError, match="is not a file"):
        read_key_file(directory)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="is not a file"):
        read_key_file(tmp_path / "pipe")


def test_a_file_that_cannot_be_written_stays_as_it_was(path: Path) -> None:
    """The directory is gone: the error says so, and the ring in memory is the old one."""
    write_key_file(path, ring(ONE))
    held = KeyFile(path)
    path.rename(path.with_name("moved.key"))
    with pytest.raises(ConfigError, match="is not there"):
        held.save(ring(ONE, TWO), NOTHING)

    assert held.ring == ring(ONE)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_key_file(path.parent / "no" / "mesh.key", ring(ONE))


def test_peers_that_share_a_file_do_not_undo_each_other(path: Path) -> None:
    """A key that another peer has put there is not written away; once added, all go on."""
    write_key_file(path, ring(ONE))
    first, second = KeyFile(path), KeyFile(path)
    first.save(ring(ONE, TWO), NOTHING)
    with pytest.raises(ConfigError, match="has key 2, which another peer wrote there"):
        second.save(ring(ONE, key(3)), NOTHING)

    second.save(ring(ONE, TWO), NOTHING)
    second.save(ring(TWO), NOTHING)
    first.save(ring(TWO), NOTHING)
    assert read_key_file(path) == ring(TWO)


def test_what_was_decided_is_kept(path: Path) -> None:
    """It is there at the next start, and no other line of the file has changed for it."""
    write_key_file(path, ring(ONE, TWO))
    before = path.read_text()
    held = KeyFile(path)
    assert held.decisions == NOTHING
    removal = Decision(7, Verb.REMOVE, (3, b"abcd")).signed("default", ONE)
    decisions = NOTHING.taking(Decision(5, Verb.USE, PLAIN_NAMED)).taking(removal)
    held.save(ring(ONE, TWO), decisions)
    again = KeyFile(path)
    assert (again.ring, again.decisions) == (ring(ONE, TWO), decisions)
    lines = path.read_text().splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("decided")) == before


@pytest.mark.parametrize("value", ["7", "true", '""', '"!"', '"gA=="', '"gvb2"', '"AAAA"'])
def test_what_no_peer_decided_is_refused(path: Path, value: str) -> None:
    """A value that was damaged is named, with what to do."""
    write_key_file(path, ring(ONE))
    text = path.read_text().replace("[keys]", f"decided = {value}\n[keys]")
    path.write_text(text)
    with pytest.raises(ConfigError, match="has a value for decided that no peer wrote: remove it"):
        read_key_file(path)
