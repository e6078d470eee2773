"""Keys as an operator meets them: commands, files and real peers on loopback."""

import json
import re
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from command_line import gossamer, in_terminal
from processes import Peers, RunningPeer, eventually, everywhere, peers_in

from gossamer.peers import read_key_file

processes = pytest.mark.processes


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Peers]:
    """Starts peers and ends them with the test."""
    with peers_in(tmp_path) as found:
        yield found


def keygen(path: Path, *flags: str) -> str:
    """Make a key file, and return its path."""
    made = gossamer("keygen", str(path), *flags)
    assert (made.code, made.err) == (0, "")
    return str(path)


def copies(path: str, count: int) -> list[str]:
    """Return the paths of copies of a key file, one for each peer."""
    made = []
    for number in range(count):
        copy = Path(f"{path}.{number}")
        copy.write_text(Path(path).read_text())
        copy.chmod(0o600)
        made.append(str(copy))
    return made


def start_with(starter: Peers, files: list[str | None]) -> list[RunningPeer]:
    """Start a peer with each of these key files, and wait until all see all."""
    started: list[RunningPeer] = []
    for number, file in enumerate(files):
        flags = ["--join", started[0].gossip] if started else []
        flags += ["--key-file", file] if file else []
        started.append(starter.start(f"k{number}", *flags))
    everywhere(started, lambda peer: len(peer.members("alive")) == len(files), 30)
    return started


def listed(peer: RunningPeer) -> dict[str, tuple[str, str, str]]:
    """Return what `keys list` prints: by key where it is used here, accepted, used."""
    found = gossamer("keys", "list", http=peer.http)
    assert found.code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in found.out.splitlines()[1:]]
    return {row[0]: (row[2], row[3], row[4]) for row in rows}


def test_keygen_writes_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, the id and state that were asked for, and the fingerprint in the answer."""
    path = tmp_path / "mesh.key"
    made = gossamer("keygen", str(path))
    ring = read_key_file(path)

    assert made.code == 0
    assert ring.keys[0].fingerprint.hex() in made.out
    assert (ring.use, ring.plain) == (1, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = gossamer("keygen", str(path))
    assert (again.code, again.out) == (2, "")
    assert "is there already" in again.err
    assert read_key_file(path) == ring

    shown = gossamer("keygen", str(tmp_path / "b.key"), "--id", "7", "--plain", "--json")
    ring = read_key_file(tmp_path / "b.key")
    assert (ring.use, ring.plain) == (0, True)
    assert json.loads(shown.out) == {
        "file": str(tmp_path / "b.key"),
        "id": 7,
        "fingerprint": ring.keys[0].fingerprint.hex(),
        "plain": True,
    }


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["keygen", "--id", "0", "k"], "from 1 to 255, not 0"),
        (["keygen", "--id", "x", "k"], "'x' is not a valid integer"),
        (["keygen", "/nowhere/k"], "cannot be written"),
        (["keys", "use", "0"], "'0' is neither 'plain' nor the id"),
        (["keys", "use", "256"], "'256' is neither"),
        (["keys", "remove", "one"], "'one' is neither"),
        (["keys", "use"], "Missing argument"),
        (["keys", "add"], "Missing argument"),
        (["keys", "burn"], "No such command"),
    ],
)
def test_wrong_usage_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], names: str
) -> None:
    """Exit code 2, and the value is named; no file is left."""
    monkeypatch.chdir(tmp_path)
    ended = gossamer(*arguments)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert names in ended.err
    assert list(tmp_path.iterdir()) == []


@processes
def test_a_mesh_with_keys_is_rotated_by_commands(starter: Peers, tmp_path: Path) -> None:
    """Add at each, use at one, remove at one; a registration lives through it, files follow."""
    files = copies(keygen(tmp_path / "mesh.key"), 3)
    peers = start_with(starter, [*files])
    peers[0].register("orders", "o1")
    everywhere(peers, lambda peer: peer.lookup("orders") == {"o1"}, 10)
    following = keygen(tmp_path / "next.key", "--id", "2")
    for peer in peers[:2]:
        assert gossamer("keys", "add", following, http=peer.http).code == 0
    eventually(lambda: listed(peers[0])["2"][1] == "2/3", 10)
    early = gossamer("keys", "use", "2", http=peers[0].http)
    assert early.code == 2
    assert "key 2 is not accepted yet by k2" in early.err

    assert gossamer("keys", "add", following, http=peers[2].http).code == 0
    eventually(lambda: gossamer("keys", "use", "2", http=peers[0].http).code == 0, 10)
    eventually(lambda: listed(peers[0])["2"] == ("used", "3/3", "3/3"), 10)
    assert gossamer("keys", "remove", "1", http=peers[1].http).code == 0
    everywhere(peers, lambda peer: set(listed(peer)) == {"2"}, 10)

    assert all(read_key_file(file) == read_key_file(files[0]) for file in files)
    everywhere(peers, lambda peer: peer.lookup("orders") == {"o1"}, 10)
    assert all(len(peer.members("alive")) == 3 for peer in peers)


@processes
def test_a_removal_names_the_dead_member_that_still_needs_the_key(
    starter: Peers, tmp_path: Path
) -> None:
    """A killed peer comes back with its old file, follows by itself, and then the key may go."""
    files = copies(keygen(tmp_path / "mesh.key"), 3)
    peers = start_with(starter, [*files])
    following = keygen(tmp_path / "next.key", "--id", "2")
    for peer in peers:
        assert gossamer("keys", "add", following, http=peer.http).code == 0
    eventually(lambda: listed(peers[0])["2"][1] == "3/3", 10)
    gone = peers.pop()
    gone.kill()
    everywhere(peers, lambda peer: peer.members()["k2"] == "dead", 60)
    assert gossamer("keys", "use", "2", http=peers[0].http).code == 0
    eventually(lambda: listed(peers[0])["2"][2] == "2/3", 10)
    refused = gossamer("keys", "remove", "1", http=peers[0].http)
    assert refused.code == 2
    assert "key 1 is still needed by k2 (dead)" in refused.err

    back = starter.start("k2", "--join", peers[0].gossip, "--key-file", files[2])
    eventually(lambda: back.info()["keys"]["use"] == 2, 30)
    eventually(lambda: gossamer("keys", "remove", "1", http=peers[0].http).code == 0, 30)
    everywhere([*peers, back], lambda peer: peer.info()["keys"]["accepts"] == [2], 10)


@processes
def test_a_running_mesh_is_encrypted_in_steps(starter: Peers, tmp_path: Path) -> None:
    """Peers without keys are restarted with them, then one command, then another."""
    files = copies(keygen(tmp_path / "mesh.key", "--plain"), 2)
    bare = starter.start("k0")
    first = starter.start("k1", "--join", bare.gossip, "--key-file", files[1])
    eventually(lambda: len(first.members("alive")) == 2, 30)
    early = gossamer("keys", "use", "1", http=first.http)
    assert (early.code, "k0 (has not said which keys it has)" in early.err) == (2, True)
    assert "Plain text is accepted" in gossamer("keys", "list", http=first.http).err

    gossamer("leave", http=bare.http)
    bare.wait()
    second = starter.start("k0", "--join", first.gossip, "--key-file", files[0])
    eventually(lambda: gossamer("keys", "use", "1", http=first.http).code == 0, 30)
    everywhere([first, second], lambda peer: peer.info()["keys"]["use"] == 1, 10)
    eventually(lambda: gossamer("keys", "remove", "plain", http=second.http).code == 0, 10)
    everywhere([first, second], lambda peer: peer.info()["keys"]["accepts"] == [1], 10)
    assert all(read_key_file(file).plain is False for file in files)


@processes
def test_wrong_and_missing_keys_are_told_at_both_ends(starter: Peers, tmp_path: Path) -> None:
    """Neither joins; mesh and newcomer log which key it was, and count."""
    right = start_with(starter, [keygen(tmp_path / "right.key")])[0]
    wrong = starter.start(
        "wrong", "--join", right.gossip, "--key-file", keygen(tmp_path / "wrong.key")
    )
    plain = starter.start("plain", "--join", right.gossip)

    for peer, said in (
        (right, "seals with a different key 1"),
        (right, "sends plain text"),
        (wrong, "seals with a different key 1"),
        (plain, "seals with key 1, which this peer does not accept"),
    ):
        eventually(partial(_logged, peer, said), 20)
    for peer in (right, wrong, plain):
        assert peer.info()["counters"]["refused_key"] > 0
        assert len(peer.members()) == 1


def _logged(peer: RunningPeer, said: str) -> bool:
    return said in peer.log.read_text()


@processes
def test_keys_are_not_changed_from_another_address(starter: Peers, tmp_path: Path) -> None:
    """A peer whose HTTP others reach shows its keys to all and obeys those on loopback alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address than loopback")
        own = probe.getsockname()[0]
    peer = starter.start("k0", "--key-file", keygen(tmp_path / "mesh.key"), http="0.0.0.0:0")
    port = peer.http.rpartition(":")[2]

    def ask(host: str, data: bytes | None) -> int:
        route = "keys" if data is None else "keys/use"
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/v1/{route}", data, 10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert ask(own, None) == 200
    assert ask(own, b'{"id": 1}') == 403
    assert ask("127.0.0.1", b'{"id": 1}') == 200


@processes
def test_a_terminal_shows_the_keys_as_a_table(starter: Peers, tmp_path: Path) -> None:
    """The columns that tell something, and a remark below for who lacks a key."""
    peers = start_with(starter, [*copies(keygen(tmp_path / "mesh.key"), 2)])
    following = keygen(tmp_path / "next.key", "--id", "2")
    gossamer("keys", "add", following, http=peers[0].http)

    shown = in_terminal("keys", "list", "--http", peers[0].http)

    assert "used" in shown
    assert "accepted" in shown
    assert "not accepted by k1" in shown
