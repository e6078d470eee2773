"""`gossamer run`: its ready line, its settings, its ends."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import LIMIT, gossamer, spawn
from processes import Peers, eventually, peers_in

pytestmark = pytest.mark.processes

LOOPBACK = ("--bind", "127.0.0.1:0", "--http", "127.0.0.1:0")


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    """Starts peers and ends them with the test."""
    with peers_in(tmp_path) as starter:
        yield starter


@pytest.fixture
def taken() -> Iterator[str]:
    """A TCP address on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


def test_the_ready_line_says_where_the_peer_is(peers: Peers) -> None:
    """One line on stdout; both addresses answer at once, with the ports that were picked."""
    peer = peers.start("a")
    info = gossamer("info", "--json", http=peer.http).json()
    assert (info["name"], info["address"]) == ("a", peer.gossip)
    peer.signal(signal.SIGINT)
    assert peer.wait() == 0
    assert peer.process.stdout is not None
    assert peer.process.stdout.read() == b""


def test_ready_as_json_is_one_object_and_http_may_be_off() -> None:
    """With --json the ready line is an object; `off` is told as such."""
    process = spawn("run", "--name", "a", *LOOPBACK[:2], "--http", "off", "--json")
    with process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            assert (ready["ready"], ready["name"], ready["http"]) == (True, "a", "off")
            assert int(ready["gossip"].removeprefix("127.0.0.1:")) > 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()


def test_http_may_be_served_on_several_addresses(peers: Peers) -> None:
    """Each --http is one; the ready line has them all, and each guards its own Host."""
    peer = peers.start("a", "--http", "127.0.0.1:0")
    several = peer.http.split(",")
    assert len(several) == 2
    for http in several:
        info = gossamer("info", "--json", http=http).json()
        assert info["addresses"] == {"http": several}
        assert info["http_address"] == several[0]


def test_off_stands_alone(peers: Peers) -> None:
    """With an address beside it nobody can say what is meant."""
    said = refused("--bind", "127.0.0.1:0", "--http", "off", "--http", "127.0.0.1:0")
    assert "http" in said
    assert "off" in said


def test_dns_is_refused_with_its_reason_and_not_offered() -> None:
    """No front of this version speaks DNS; --help does not say that one did."""
    assert "no front 'dns'" in refused("--bind", "127.0.0.1:0", "--dns", "127.0.0.1:0")
    assert "--dns" not in gossamer("run", "--help").out


def test_leave_ends_the_process_with_0(peers: Peers) -> None:
    """The others see it as left, and not as dead."""
    first, second = peers.mesh(2)
    assert gossamer("leave", "--json", http=second.http).json() == {"leaving": True}
    assert second.wait() == 0
    assert first.members()["peer-1"] == "left"
    assert gossamer("info", http=second.http).code == 3


def test_a_second_signal_stops_at_once(peers: Peers) -> None:
    """A farewell that nobody acknowledges takes a second; who asks twice does not wait for it."""
    first, second = peers.mesh(2)
    first.signal(signal.SIGSTOP)
    second.signal(signal.SIGTERM)
    eventually(lambda: "leaving" in second.log.read_text(), LIMIT)
    second.signal(signal.SIGTERM)
    assert second.wait() == 130


def test_the_log_is_on_stderr_in_the_form_that_is_asked_for(peers: Peers) -> None:
    """JSON is one object a line; the level leaves out what is less severe."""
    seed = peers.start("seed", "--log-format", "json")
    other = peers.start("other", "--join", seed.gossip, "--log-level", "error")
    eventually(lambda: "other" in seed.log.read_text(), LIMIT)
    lines = [json.loads(line) for line in seed.log.read_text().splitlines()]
    assert any(line["peer"] == "seed" and line.get("member") == "other" for line in lines)
    assert other.log.read_text() == ""


def test_the_command_line_wins_over_the_file(peers: Peers, tmp_path: Path) -> None:
    """What only the file names counts too, also where a flag has a default of its own."""
    config = tmp_path / "peer.toml"
    config.write_text(
        'name = "from-file"\nzone = "z-file"\ncluster = "c-file"\n'
        'bind = "127.0.0.1:0"\nhttp = "127.0.0.1:0"\nprofile = "local"\n'
        "[protocol]\nprobe_interval = 0.7\n"
    )
    peer = peers.start("flag", "--config", str(config), "--zone", "z-flag")
    info = peer.info()
    assert (info["name"], info["zone"], info["cluster"]) == ("flag", "z-flag", "c-file")
    assert info["profile"] == "local"
    for text in ('http = "off"\n', '[serve]\nhttp = "off"\n'):
        config.write_text(text)
        process = spawn("run", "--name", "a", *LOOPBACK[:2], "--config", str(config))
        with process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline().endswith(" http=off\n")
            finally:
                process.kill()


def refused(*arguments: str) -> str:
    """Run a peer that cannot start; return its one sentence."""
    with spawn("run", *arguments) as process:
        out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    return err


def test_ports_that_are_taken_are_named_with_their_flag(taken: str) -> None:
    """A busy port says which flag to change: --bind for gossip, --http for HTTP."""
    port = taken.rpartition(":")[2]
    gossip = refused("--bind", taken, "--http", "off")
    assert port in gossip
    assert "--bind" in gossip
    http = refused("--bind", "127.0.0.1:0", "--http", taken)
    assert port in http
    assert "--http" in http


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('nmae = "a"\n', "nmae"),
        ('name = "a"\nname = "b"\n', "not TOML"),
        ("name = 7\n", "name"),
        ('join = "127.0.0.1:7940"\n', "join"),
        ("[protocol]\nprobe_intervall = 1.0\n", "probe_intervall"),
        ("[protocol]\nprobe_interval = 0.2\nprobe_timeout = 0.5\n", "probe_timeout"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path: Path, text: str, named: str) -> None:
    """The sentence names the key; nothing is started."""
    config = tmp_path / "peer.toml"
    config.write_text(text)
    ended = gossamer("run", "--config", str(config))
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--config", "/nosuch/peer.toml"], "/nosuch/peer.toml"),
        (["--name", "a\x1b[2Jb"], "control characters"),
        (["--name", ""], "name"),
        (["--name", "n" * 129], "128"),
        (["--zone", "z" * 65], "64"),
        (["--bind", "127.0.0.1"], "bind"),
        (["--bind", "127.0.0.1:70000"], "70000"),
        (["--bind", "::1:7940"], "brackets"),
        (["--http", "127.0.0.1:x"], "--http"),
        (["--http", "[::1]"], "has no port"),
        (["--http", "127.0.0.1:1,127.0.0.1:2"], "give each one by itself"),
        (["--http", "127.0.0.1:7940"], "--http 127.0.0.1:7940 and --bind 0.0.0.0:7940 both"),
        (["--join", "10.0.0.7"], "join"),
        (["--join", "10.0.0.7:0"], "port"),
        (["--advertise", "0.0.0.0:7940"], "advertise"),
        (["--profile", "fast"], "local"),
        (["--log-format", "xml"], "json"),
        (["--log-level", "loud"], "log_level"),
        (["--key-file", "/nowhere/keys"], "key file /nowhere/keys is not there"),
        (["--key-file", ""], "--key-file"),
        (["--dns", "127.0.0.1:53"], "dns"),
        (["--data-dir", ""], "--data-dir"),
    ],
)
def test_a_flag_that_cannot_be_is_refused(arguments: list[str], named: str) -> None:
    """Bad values end with 2 and one sentence before anything is started."""
    ended = gossamer("run", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err[:-1].isprintable()
    assert named in ended.err


def test_a_seed_that_does_not_resolve_is_refused() -> None:
    """With no seed that could answer there is no mesh to join."""
    assert "nosuch.invalid:7940" in refused(*LOOPBACK, "--join", "nosuch.invalid:7940")
