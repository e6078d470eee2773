"""The command line by itself: help, options, the border that turns failures into sentences."""

import json
import os
import socket
import subprocess
import sys
import time

import click
import pytest
from command_line import gossamer, stranger

from gossamer.cli import _views, main
from gossamer.cli._authority import split_authority
from gossamer.cli._failures import harmless

COMMANDS = (
    *("run", "demo", "register", "heartbeat", "deregister", "report", "status"),
    *("lookup", "services"),
    *("members", "info", "watch", "join", "leave", "simulate"),
)


def test_help_names_every_command() -> None:
    """`--help`, `-h` and no argument at all show the same list, with a line for each command."""
    shown = gossamer("--help")
    assert shown.code == 0
    assert shown == gossamer("-h") == gossamer()
    for name in COMMANDS:
        assert f"\n  {name} " in shown.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    """Every command has a help text, and every one can speak JSON."""
    shown = gossamer(name, "--help")
    assert shown.code == 0
    assert f"Usage: gossamer {name}" in shown.out
    assert "--json" in shown.out


def test_version_is_the_packages_own() -> None:
    """`--version` prints name and version, for bug reports."""
    assert gossamer("--version").out.startswith("gossamer 0.")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["lookup"], "SERVICE"),
        (["lookup", "a", "b"], "extra argument"),
        (["lookup", ""], "empty"),
        (["register", "a"], "--port"),
        (["register", "a", "--port", "http"], "--port"),
        (["register", "a", "--port", "1", "--ttl", "nan"], "--ttl"),
        (["register", "a", "--port", "1", "--meta", "team"], "KEY=VALUE"),
        (["register", "a", "--port", "1", "--meta", "=x"], "KEY=VALUE"),
        (["register", "a", "--port", "1", "--meta", "k=1", "--meta", "k=2"], "twice"),
        (["report", "a", "a-1"], "OUT_OF_SERVICE"),
        (["status", "a", "a-1"], "--clear"),
        (["status", "a", "a-1", "DOWN", "--clear"], "--clear"),
        (["status", "a", "a-1", "--clear", "--reason", "x"], "--reason"),
        (["status", "a", "a-1", "DOWN", "--expires", "inf"], "--expires"),
        (["join"], "HOST:PORT"),
        (["members", "--http", "localhost"], "HOST:PORT"),
        (["members", "--http", "localhost:0"], "port 0"),
        (["members", "--http", "localhost:70000"], "70000"),
        (["members", "--http", "::1:8761"], "brackets"),
        (["members", "--http", "http://localhost:8761"], "--http"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_wrong_usage_is_one_sentence_and_ends_with_2(arguments: list[str], named: str) -> None:
    """What cannot be asked is refused before any peer is, and stdout stays empty."""
    ended = gossamer(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert named in ended.err
    assert "--help" in ended.err


def test_authorities_are_read_as_people_write_them() -> None:
    """Names, IPv4, and IPv6 in brackets; the first and the last port."""
    assert split_authority("localhost:1") == ("localhost", 1)
    assert split_authority("10.0.0.7:65535") == ("10.0.0.7", 65535)
    assert split_authority("[fd00::7]:8761") == ("fd00::7", 8761)


@pytest.mark.parametrize(
    "arguments",
    [
        ["members"],
        ["members", "--json"],
        ["lookup", "a"],
        ["watch"],
        ["watch", "--json"],
        ["leave"],
    ],
    ids=" ".join,
)
def test_a_peer_that_does_not_answer_ends_with_3(arguments: list[str]) -> None:
    """Nobody listens: the sentence says where, and what to do."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{unused.getsockname()[1]}"
        ended = gossamer(*arguments, http=where)
    assert ended.code == 3
    assert ended.out == ""
    assert where in ended.err
    assert "--http" in ended.err
    assert ended.err.count("\n") == 1


def test_a_name_that_does_not_resolve_is_no_peer() -> None:
    """A mistyped host is told like a peer that is down."""
    ended = gossamer("members", http="nosuch.invalid:8761")
    assert ended.code == 3
    assert "nosuch.invalid" in ended.err


def test_the_environment_names_the_peer() -> None:
    """GOSSAMER_HTTP stands for --http, is checked alike, and yields to it."""
    assert "nosuch:x" in gossamer("members", GOSSAMER_HTTP="nosuch:x").err
    with stranger(200, b'{"members": []}') as where:
        assert gossamer("members", "--json", GOSSAMER_HTTP=where).json() == {"members": []}
        found = gossamer("members", "--json", http=where, GOSSAMER_HTTP="127.0.0.1:1")
        assert found.json() == {"members": []}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>hello</html>"),
        (200, b"[]"),
        (200, b"\xff"),
        (200, b"[" * 100_000),
        (404, b"not here"),
        (404, b'{"message": "no Route matched"}'),
        (500, b""),
    ],
)
def test_what_is_no_peer_is_told_so(status: int, body: bytes) -> None:
    """Another program at that address is not taken for a peer that says no."""
    with stranger(status, body) as where:
        ended = gossamer("members", http=where)
    assert ended.code == 3
    assert where in ended.err
    assert "not a Gossamer peer" in ended.err


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (404, 1), (405, 2), (409, 2), (413, 2), (500, 3), (503, 3)]
)
def test_a_peers_refusal_is_shown_as_it_is(status: int, code: int) -> None:
    """The sentence is the peer's own; the exit code follows the kind of refusal."""
    with stranger(status, b'{"error": "It is full; ask another peer."}') as where:
        for flags in ([], ["--json"]):
            ended = gossamer("members", *flags, http=where)
            assert (ended.code, ended.out) == (code, "")
            assert ended.err == "Error: It is full; ask another peer.\n"


def test_nothing_from_the_network_commands_the_terminal() -> None:
    """Escape sequences and markup in names are shown, not obeyed."""
    instance = {
        "service": "a",
        "id": "[red]x[/red]\x1b[2J",
        "address": "h\x9b1m",
        "port": 1,
        "status": "UP",
        "owner": "\u202egnal",
    }
    answer = {"service": "a", "degraded": False, "instances": [instance]}
    with stranger(200, json.dumps(answer).encode()) as where:
        table = gossamer("lookup", "a", http=where)
        document = gossamer("lookup", "a", "--json", http=where)
    with stranger(400, json.dumps({"error": "\x1b[31mbad"}).encode()) as where:
        refused = gossamer("lookup", "a", http=where)
    for text in (table.out, document.out, refused.err):
        assert all(c.isprintable() or c == "\n" for c in text), text
    assert "[red]x[/red]\\x1b[2J" in table.out
    assert document.json() == answer


def test_harmless_spells_out_only_what_a_terminal_might_obey() -> None:
    """Letters of all scripts stay; control characters and lone surrogates do not."""
    assert harmless("Ærøskøbing 東京 [bold]") == "Ærøskøbing 東京 [bold]"
    assert harmless("a\nb\tc\x00\u202e\udcff") == "a\\nb\\tc\\x00\\u202e\\udcff"


def test_arguments_that_are_not_utf8_reach_the_peer_as_they_were_typed() -> None:
    """Bytes that are no text are the peer's to refuse, not a fault of the command."""
    with stranger(400, b'{"error": "no UTF-8"}') as where:
        assert gossamer("lookup", "\udcff", http=where).err == "Error: no UTF-8\n"


def test_our_own_fault_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug ends with one sentence that says how to see more, and GOSSAMER_DEBUG shows it."""

    def broken(*_: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(_views, "path_of", broken)
    ended = gossamer("members")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert "RuntimeError: first line second line" in ended.err
    assert "GOSSAMER_DEBUG=1" in ended.err
    assert "Traceback" in gossamer("members", GOSSAMER_DEBUG="1").err


def test_an_interrupt_inside_a_task_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """trio wraps what its tasks raise; the exit code is that of what is inside."""

    def interrupted(*_: object) -> None:
        raise BaseExceptionGroup("tasks", [BaseExceptionGroup("inner", [KeyboardInterrupt()])])

    monkeypatch.setattr(_views, "path_of", interrupted)
    assert (gossamer("members").code, gossamer("members").err) == (130, "")


def test_asking_a_peer_imports_neither_trio_nor_rich() -> None:
    """A lookup in a script must not wait for libraries that it has no use for."""
    script = (
        "import sys\n"
        "from gossamer.cli import main\n"
        "try:\n"
        "    main(['lookup', 'orders', '--http', sys.argv[1]])\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'trio', 'rich', 'cbor2', 'h11', 'asyncio'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    answer = {"service": "orders", "instances": [{"id": "o-1", "address": "h", "port": 1}]}
    with stranger(200, json.dumps(answer).encode()) as where:
        subprocess.run([sys.executable, "-c", script, where], check=True, capture_output=True)


def test_shell_completion_knows_commands_and_is_silent_without_a_peer() -> None:
    """Pressing tab never prints an error, and does not wait for a peer that is not there."""

    def complete(*words: str) -> list[str]:
        ended = gossamer(
            _GOSSAMER_COMPLETE="bash_complete",
            COMP_WORDS=" ".join(words),
            COMP_CWORD=str(len(words) - 1),
            GOSSAMER_HTTP="127.0.0.1:1",
        )
        assert ended.err == ""
        return ended.out.split()

    assert complete("gossamer", "look") == ["plain,lookup"]
    assert complete("gossamer", "register", "o", "--por") == ["plain,--port"]
    for command in ("status", "report"):
        assert complete("gossamer", command, "a", "a-1", "OUT") == ["plain,OUT_OF_SERVICE"]
    began = time.monotonic()
    assert complete("gossamer", "lookup", "o") == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed_for_each_shell(shell: str) -> None:
    """The script calls back with the variable that the command line listens to."""
    shown = gossamer("completion", shell)
    assert shown.code == 0
    assert f"_GOSSAMER_COMPLETE={shell}_complete" in shown.out


def test_suggested_names_are_plain_words() -> None:
    """The shells' scripts would expand a pattern and split at a colon, so such names stay out."""
    services = [{"name": name} for name in ("orders", "or*", "o:r", "$(o)", "o r", "other", "x")]
    with stranger(200, json.dumps({"services": services}).encode()) as where:
        ended = gossamer(
            _GOSSAMER_COMPLETE="bash_complete",
            COMP_WORDS="gossamer lookup o",
            COMP_CWORD="2",
            GOSSAMER_HTTP=where,
        )
    assert ended.out.split() == ["plain,orders", "plain,other"]


def test_a_closed_pipe_is_no_failure() -> None:
    """`gossamer … | head` ends silently, wherever the reader stops."""
    reader, writer = os.pipe()
    os.close(reader)
    script = "from gossamer.cli import main; main(['--help'])"
    with os.fdopen(writer, "wb") as out:
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=out, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_full_disk_is_one_sentence() -> None:
    """Output that cannot be written ends with a sentence and not with 0."""
    script = "from gossamer.cli import main; main(['--help'])"
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path of ours
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"Error: The system refused")
    assert ended.stderr.count(b"\n") == 1


def test_the_group_can_be_used_by_other_programs() -> None:
    """`main` is a click group, so that documentation tools and other groups can take it in."""
    assert isinstance(main, click.Group)
    with pytest.raises(click.UsageError):
        main(["nonsense"], standalone_mode=False)


def test_a_group_without_a_command_shows_its_help() -> None:
    """The help keeps its lines, and the exit code says that a command is missing."""
    ended = gossamer("keys")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: gossamer keys")
    assert "\\n" not in ended.err
    assert any(line.strip().startswith("rem") for line in ended.err.splitlines())


def test_a_remark_says_which_text_is_whose_and_is_short() -> None:
    """A report's output and an override's reason stand behind their own words, cut to a line."""
    row = {
        "status": "OUT_OF_SERVICE",
        "own_status": "DOWN",
        "output": "first\nsecond " + "x" * 200,
        "override": {"status": "OUT_OF_SERVICE", "by": "b", "reason": "disk swap"},
    }
    reported, overridden = _views.remark(row).split("; ")
    assert reported.startswith("reports DOWN (first second x")
    assert reported.endswith("x...)")
    assert len(reported) == len("reports DOWN ()") + 60
    assert overridden == "OUT_OF_SERVICE by b (disk swap)"
    assert _views.remark({"status": "UP", "own_status": "UP"}) == ""
