"""Every command that asks a peer, against two real ones."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import LIMIT, gossamer, in_terminal, spawn
from processes import GOSSAMER, Peers, RunningPeer, eventually, peers_in

pytestmark = pytest.mark.processes

INSTANCE_FIELDS = {
    *("service", "id", "address", "port", "status", "tags", "metadata", "weight", "zone", "ttl"),
    *("own_status", "owner", "verified", "registered_at", "updated_at"),
}


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """Starts peers and ends them with the module."""
    with peers_in(tmp_path_factory.mktemp("peers")) as found:
        yield found


@pytest.fixture(scope="module")
def peers(starter: Peers) -> tuple[RunningPeer, RunningPeer]:
    """Two peers that know each other; tests keep apart by the names of their services."""
    first, second = starter.mesh(2)
    return first, second


@pytest.fixture
def here(peers: tuple[RunningPeer, RunningPeer]) -> str:
    """HTTP address of the peer that is told."""
    return peers[0].http


@pytest.fixture
def there(peers: tuple[RunningPeer, RunningPeer]) -> str:
    """HTTP address of the other peer."""
    return peers[1].http


def known(http: str, service: str, *ids: str) -> None:
    """Wait until a peer's lookup shows exactly these instances."""

    def shown() -> bool:
        found = gossamer("lookup", service, "--all", "--json", http=http)
        rows = json.loads(found.out)["instances"] if found.out else []
        return [row["id"] for row in rows] == sorted(ids)

    eventually(shown, LIMIT, what=f"{service} shows {ids}")


def test_register_prints_the_id_and_any_peer_finds_it(here: str, there: str) -> None:
    """Every option of `register` is in what the other peer's `lookup` shows."""
    options = "--port 8080 --address 10.0.0.5 --id orders-1 --tag v2 --tag eu --meta team=a"
    options += " --meta url=http://x/?a=b --weight 3 --zone z1 --ttl 60"
    told = gossamer("register", "orders", *options.split(), http=here)
    assert (told.code, told.out, told.err) == (0, "orders-1\n", "")
    known(there, "orders", "orders-1")
    found = gossamer("lookup", "orders", "--json", http=there).json()
    (instance,) = found["instances"]
    assert found.keys() >= {"service", "degraded", "instances"}
    assert instance.keys() == INSTANCE_FIELDS
    assert (instance["address"], instance["port"]) == ("10.0.0.5", 8080)
    assert (instance["status"], instance["verified"], instance["owner"]) == ("UP", True, "peer-0")
    assert (instance["tags"], instance["weight"]) == (["v2", "eu"], 3)
    assert (instance["zone"], instance["ttl"]) == ("z1", 60)
    assert instance["metadata"] == {"team": "a", "url": "http://x/?a=b"}
    table = gossamer("lookup", "orders", http=there).out.splitlines()
    assert table[0].split()[:3] == ["ID", "ADDRESS", "STATUS"]
    assert table[1].split()[:3] == ["orders-1", "10.0.0.5:8080", "UP"]


def test_register_without_an_id_makes_one_that_stays(here: str) -> None:
    """The same process that registers again is the same instance."""
    first = gossamer("register", "made", "--port", "8080", http=here)
    again = gossamer("register", "made", "--port", "8080", "--json", http=here).json()
    assert first.code == 0
    assert first.out == f"{again['id']}\n"
    assert again.keys() == INSTANCE_FIELDS


def test_lookup_narrows_by_tag_and_zone(here: str) -> None:
    """Filters leave what matches; nothing left is a negative answer, also as JSON."""
    for name, tag, zone in (("n-1", "blue", "z1"), ("n-2", "green", "z2")):
        flags = ["--id", name, "--tag", tag, "--zone", zone, "--port", "1"]
        assert gossamer("register", "narrow", *flags, http=here).code == 0

    def ids(*flags: str) -> list[str]:
        found = gossamer("lookup", "narrow", "--json", *flags, http=here).json()
        return [row["id"] for row in found["instances"]]

    assert ids() == ["n-1", "n-2"]
    assert ids("--tag", "blue") == ["n-1"]
    assert ids("--zone", "z2") == ["n-2"]
    nothing = gossamer("lookup", "narrow", "--tag", "blue", "--zone", "z2", http=here)
    assert (nothing.code, nothing.out) == (1, "")
    assert "narrow" in nothing.err
    nothing = gossamer("lookup", "narrow", "--tag", "red", "--json", http=here)
    assert nothing.code == 1
    assert json.loads(nothing.out)["instances"] == []


def test_a_status_is_set_from_any_peer_and_cleared_again(here: str, there: str) -> None:
    """Who, why and until when are shown; lookups leave the instance out meanwhile."""
    gossamer("register", "states", "--port", "1", "--id", "s-1", http=here)
    known(there, "states", "s-1")
    flags = ["--reason", "disk swap", "--expires", "600"]
    told = gossamer("status", "states", "s-1", "out_of_service", *flags, "--json", http=there)
    override = told.json()["override"]
    assert override["status"] == told.json()["status"] == "OUT_OF_SERVICE"
    assert (override["reason"], override["by"]) == ("disk swap", "peer-1")
    assert override["expires_at"].endswith("Z")
    assert gossamer("lookup", "states", http=there).code == 1
    table = gossamer("lookup", "states", "--all", http=there)
    assert "OUT_OF_SERVICE by peer-1 (disk swap); until 20" in table.out
    eventually(lambda: gossamer("lookup", "states", http=here).code == 1, LIMIT)
    cleared = gossamer("status", "states", "s-1", "--clear", "--json", http=there).json()
    assert (cleared["status"], "override" in cleared) == ("UP", False)


def test_a_service_reports_from_any_peer_how_it_is(here: str, there: str) -> None:
    """The report takes effect where no override is set, and is shown beside one that is."""
    gossamer("register", "reports", "--port", "1", "--id", "r-1", http=here)
    known(there, "reports", "r-1")
    said = gossamer("report", "reports", "r-1", "down", "--output", "disk\x1bfull", http=there)
    assert (said.code, said.out) == (0, "reports r-1 reports DOWN.\n")
    eventually(lambda: gossamer("lookup", "reports", http=here).code == 1, LIMIT)
    gossamer("status", "reports", "r-1", "OUT_OF_SERVICE", http=here)
    table = gossamer("lookup", "reports", "--all", http=here).out
    assert "reports DOWN (disk\ufffdfull); OUT_OF_SERVICE by" in table
    told = gossamer("report", "reports", "r-1", "UP", "--json", http=here).json()
    assert (told["status"], told["own_status"]) == ("OUT_OF_SERVICE", "UP")
    assert "output" not in told


def test_heartbeat_and_deregister(here: str, there: str) -> None:
    """Both confirm; both end with 1 once the instance is gone, from whichever peer."""
    gossamer("register", "beats", "--port", "1", "--id", "b-1", "--ttl", "30", http=here)
    assert gossamer("heartbeat", "beats", "b-1", http=here).out == "beats b-1 is renewed.\n"
    assert gossamer("heartbeat", "beats", "b-1", "--json", http=here).json()["id"] == "b-1"
    known(there, "beats", "b-1")
    assert gossamer("deregister", "beats", "b-1", "--json", http=there).json()["id"] == "b-1"
    known(here, "beats")
    for command in ("heartbeat", "deregister"):
        for http in (here, there):
            ended = gossamer(command, "beats", "b-1", http=http)
            assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)


def test_services_members_and_info_have_their_shapes(here: str) -> None:
    """The documents hold at least what other programs rely on."""
    gossamer("register", "shapes", "--port", "1", "--id", "x", http=here)
    gossamer("register", "shapes", "--port", "2", "--id", "y", http=here)
    gossamer("status", "shapes", "y", "DOWN", http=here)
    services = gossamer("services", "--json", http=here).json()["services"]
    assert {"name": "shapes", "instances": 2, "up": 1} in services
    assert "shapes" in gossamer("services", http=here).out
    members = gossamer("members", "--json", http=here).json()["members"]
    assert [(each["name"], each["status"]) for each in members] == [
        ("peer-0", "alive"),
        ("peer-1", "alive"),
    ]
    assert members[0].keys() >= {"address", "incarnation", "epoch", "zone", "instances"}
    assert len(gossamer("members", http=here).out.splitlines()) == 3
    info = gossamer("info", "--json", http=here).json()
    assert info.keys() >= {
        *("name", "epoch", "cluster", "root", "members", "instances", "degraded", "isolated"),
        *("joined", "health", "counters"),
    }
    bytes.fromhex(info["root"])
    assert info["members"]["alive"] == 2
    shown = gossamer("info", http=here).out
    assert "counters datagrams_sent" in shown
    assert "\njoined " in shown


def test_accept_loss_tells_how_many_are_given_up(here: str) -> None:
    """With nothing lost there is nothing to give up; an unknown service is a negative answer."""
    gossamer("register", "kept", "--port", "1", http=here)
    assert gossamer("accept-loss", "--json", http=here).json() == {"dropped": 0}
    assert gossamer("accept-loss", "kept", http=here).code == 0
    assert gossamer("accept-loss", "nosuch", http=here).code == 1


def test_join_takes_more_seeds(peers: tuple[RunningPeer, RunningPeer]) -> None:
    """The addresses that were taken are told; a name that does not resolve is refused."""
    first, second = peers
    joined = gossamer("join", second.gossip, "--json", http=first.http).json()
    assert joined == {"addresses": [second.gossip]}
    assert gossamer("join", second.gossip, http=first.http).code == 0
    refused = gossamer("join", "nosuch.invalid:7940", http=first.http)
    assert (refused.code, refused.out) == (2, "")
    assert "nosuch.invalid:7940" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        ("lookup nosuch", 1, "nosuch"),
        ("heartbeat nosuch x", 1, "nosuch"),
        ("deregister nosuch x", 1, "nosuch"),
        ("report nosuch x DOWN", 1, "nosuch"),
        ("report bad x NONSENSE", 2, "OUT_OF_SERVICE"),
        ("status nosuch x DOWN", 1, "nosuch"),
        ("status nosuch x --clear", 1, "nosuch"),
        ("register bad --port 0", 2, "port"),
        ("register bad --port 70000", 2, "70000"),
        ("register bad --port -1", 2, "port"),
        ("register bad --port 1 --weight -1", 2, "weight"),
        ("register bad --port 1 --ttl 0", 2, "ttl"),
        ("register bad\x1b[31m --port 1", 2, "control characters"),
        ("register bad --port 1 --id a\x00b", 2, "control characters"),
        (f"register bad --port 1 --meta team={'x' * 1025}", 2, "team"),
        (f"register bad --port 1 --meta {'k' * 129}=x", 2, "128"),
        (f"register {'s' * 129} --port 1", 2, "128"),
        (f"register bad --port 1 --meta k={'x' * 80_000}", 2, "byte"),
        (f"lookup {'s' * 40_000}", 2, ""),
        ("status bad x NONSENSE", 2, "OUT_OF_SERVICE"),
        ("join 127.0.0.1", 2, "HOST:PORT"),
        ("join 127.0.0.1:0", 2, "port"),
    ],
)
def test_the_peers_answer_becomes_sentence_and_exit_code(
    here: str, arguments: str, code: int, named: str
) -> None:
    """What the peer refuses is told in one sentence, also with --json, and changes nothing."""
    for flags in ([], ["--json"]):
        ended = gossamer(*arguments.split(" "), *flags, http=here)
        assert (ended.code, ended.out) == (code, ""), ended.err
        assert ended.err.startswith("Error: ")
        assert ended.err.count("\n") == 1
        assert ended.err[:-1].isprintable()
        assert named in ended.err
    assert gossamer("lookup", "bad", "--all", http=here).code == 1


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--port", "1"], "UP"),
        (["--port", "65535", "--meta", f"{'k' * 128}={'x' * 1024}"], "65535"),
        (["--port", "1", "--id", "a;b ?#%ü東"], "a;b ?#%ü東"),
        (["--port", "1", "--address", "fd00::7"], "[fd00::7]:1"),
        (["--port", "1", "--weight", "0"], "UP"),
    ],
)
def test_values_at_the_limits_are_taken(here: str, options: list[str], shown: str) -> None:
    """The largest values, and names that a URL must quote, come back whole, and end again."""
    found = gossamer("register", "edge", *options, "--json", http=here).json()
    assert shown in gossamer("lookup", "edge", http=here).out
    assert gossamer("deregister", "edge", found["id"], http=here).code == 0


def test_a_gossip_port_is_no_peers_http(peers: tuple[RunningPeer, RunningPeer]) -> None:
    """The commonest mistake with two ports ends with 3 and the remedy."""
    ended = gossamer("members", http=peers[0].gossip)
    assert ended.code == 3
    assert "--http" in ended.err


def test_watch_tells_changes_line_by_line_until_interrupted(here: str) -> None:
    """Added, changed and removed instances, each on a line of its own; Ctrl-C ends with 130."""
    process = spawn("watch", "seen", "--http", here)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            gossamer("register", "seen", "--port", "1", "--id", "w-1", http=here)
            assert " + added   seen w-1 127.0.0.1:1 UP\n" in process.stdout.readline()
            gossamer("register", "seen", "--port", "2", "--id", "w-1", http=here)
            assert " ~ changed seen w-1 127.0.0.1:2 UP\n" in process.stdout.readline()
            gossamer("deregister", "seen", "w-1", http=here)
            assert " - removed seen w-1 " in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT) == 130
            assert process.stderr.read().strip() == ""
        finally:
            process.kill()


def test_watch_as_json_is_one_lookup_a_line(starter: Peers) -> None:
    """Each line is a whole lookup; when the peer leaves, the watch ends with 3 and a sentence."""
    peer = starter.start("watched")
    peer.register("before", "b-1")
    process = spawn("watch", "--json", "--http", peer.http)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = json.loads(process.stdout.readline())
            assert [each["id"] for each in first["instances"]] == ["b-1"]
            peer.register("after", "a-1")
            second = json.loads(process.stdout.readline())
            assert (second["service"], second["instances"][0]["id"]) == ("after", "a-1")
            left = gossamer("leave", http=peer.http)
            assert (left.code, left.err) == (0, "")
            assert peer.wait() == 0
            assert process.wait(LIMIT) == 3
            assert "--http" in process.stderr.read()
        finally:
            process.kill()


def test_a_watcher_of_a_killed_peer_ends(starter: Peers) -> None:
    """A peer that dies without a farewell takes its watchers' connection with it."""
    peer = starter.start("doomed")
    peer.register("doomed", "d-1")
    process = spawn("watch", "--http", peer.http)
    with process:
        assert process.stdout is not None
        try:
            assert "d-1" in process.stdout.readline()
            peer.kill()
            assert process.wait(LIMIT) == 3
        finally:
            process.kill()


def test_a_stopped_peer_is_no_peer(starter: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that takes the connection and says nothing ends the command after its patience."""
    peer = starter.start("stopped")
    monkeypatch.setattr("gossamer.cli._client.TIMEOUT", 0.2)
    peer.signal(signal.SIGSTOP)
    ended = gossamer("members", http=peer.http)
    assert ended.code == 3
    assert "0.2 s" in ended.err


def lines_of(shown: str) -> list[str]:
    """The lines on a terminal without the sequences that set bold and colour."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()


def test_a_terminal_gets_colour_and_loses_nothing(here: str) -> None:
    """80 columns, long values folded, markup shown as it is; NO_COLOR takes the colours away."""
    long = "a-rather-long-instance-id-of-a-service-that-runs-in-a-container-7f9c6d"
    flags = ["--port", "1", "--id", long, "--meta", "note=[red]loud[/]"]
    assert gossamer("register", "folded", *flags, http=here).code == 0
    shown = in_terminal("lookup", "folded", "--http", here)
    assert "\x1b[32mUP" in shown
    assert "\x1b[3" not in in_terminal("lookup", "folded", "--http", here, NO_COLOR="1")
    lines = lines_of(shown)
    assert max(map(len, lines)) <= 80
    heading = next(line for line in lines if "ADDRESS" in line)
    rows, notes = lines[lines.index(heading) + 2 : lines.index("")], lines[lines.index("") :]
    assert "".join(row[: heading.index("ADDRESS")].strip() for row in rows) == long
    assert any("metadata" in line and "note=[red]loud[/]" in line for line in notes)


def test_a_pipe_gets_no_colour_and_whole_values(here: str) -> None:
    """Every cell in full on one line, `-` where there is nothing, so that awk can count fields."""
    flags = ["--port", "1", "--id", "p-" + "x" * 200, "--meta", "note=[red]loud[/]"]
    assert gossamer("register", "piped", *flags, http=here).code == 0
    heading, row = gossamer("lookup", "piped", http=here).out.splitlines()
    assert len(heading.split()) == len(row.split())
    assert row.split()[0] == "p-" + "x" * 200
    assert "note=[red]loud[/]" in row.split()


def test_other_views_fit_a_terminal(here: str) -> None:
    """Members, services and info are drawn within 80 columns, with their statuses coloured."""
    for command in ("members", "services", "info"):
        assert max(map(len, lines_of(in_terminal(command, "--http", here)))) <= 80
    assert "\x1b[32malive" in in_terminal("members", "--http", here)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_completion_works_in_bash(here: str, tmp_path: Path) -> None:
    """Bash itself, given the script, completes a service and an id from the running peer."""
    gossamer("register", "completed", "--port", "1", "--id", "c-17", http=here)
    command = tmp_path / "gossamer"
    command.write_text(
        f"#!{GOSSAMER[0]}\nimport sys\nsys.path[:0] = {sys.path!r}\n"
        "from gossamer.cli import main\nmain()\n"
    )
    command.chmod(0o755)
    script = (
        'eval "$(gossamer completion bash)"\n'
        "COMP_WORDS=(gossamer lookup comp) COMP_CWORD=2\n"
        "_gossamer_completion gossamer\n"
        'echo "${COMPREPLY[@]}"; COMPREPLY=()\n'
        "COMP_WORDS=(gossamer deregister completed c) COMP_CWORD=3\n"
        "_gossamer_completion gossamer\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    ended = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "GOSSAMER_HTTP": here},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.split() == ["completed", "c-17"], ended.stderr


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (1025, "metadata value of team must have at most 1024 characters"),
        (1 << 20, "each metadata value 1024 characters"),
    ],
)
def test_oversize_metadata_are_refused(here: str, length: int, said: str) -> None:
    """One sentence names the field and its limit; nothing was registered."""
    meta = "team=" + "x" * length
    refused = gossamer("register", "oversize", "--port", "80", "--meta", meta, http=here)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert len(refused.err) < 300
    assert gossamer("lookup", "oversize", "--all", http=here).code == 1
