"""Everything that can be wrong with a scenario, each in one sentence that names its place."""

import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, strategies as st
from scenario_files import complete_example

from gossamer.simulations.scenario import ScenarioError, load_scenario

ZONES: Final = "[[zone]]\nname = 'a'\n[[zone]]\nname = 'b'\n"
EVENT: Final = "[[event]]\nat = 1\n"
PATH: Final = "[[network.path]]\nzones = ['a', 'b']\n"

# A file, and the line, key and part of the sentence that it must earn.
FILES: Final = [
    ("peers = 0", "1: peers: must be from 1 to 1,000,000, not 0"),
    ("peers = 1_000_001", "1: peers: must be from 1 to 1,000,000, not 1000001"),
    ("\npeers = 2.5", "2: peers: must be a whole number, not 2.5"),
    ("peers = true", "1: peers: must be a whole number, not true"),
    ("peers = '64'", "1: peers: must be a whole number, not '64'"),
    ("perrs = 64", "1: perrs: there is no such key; did you mean peers?"),
    ("zzzz = 1", "1: zzzz: there is no such key; there are name, summary, peers,"),
    ("duration = 0", "1: duration: must be more than 0 and at most 86,400, not 0"),
    ("duration = 86_401", "1: duration: must be more than 0 and at most 86,400, not 86401"),
    ("duration = nan", "1: duration: must be more than 0 and at most 86,400, not nan"),
    ("duration = -inf", "1: duration: must be more than 0 and at most 86,400, not -inf"),
    ("duration = 1979-05-27", "1: duration: must be a number, not a date or a time"),
    ("seed = -1", "1: seed: must be from 0 to"),
    ("seed = 0x" + "f" * 5000, "not a number of more than 18 digits"),
    ("profile = 'lann'", '1: profile: must be "lan", "wan" or "local", not \'lann\''),
    ("start = 7", '1: start: must be "settled" or "together", not 7'),
    ("name = 3", "1: name: must be a text in quotes, not 3"),
    ('summary = "a\\nb"', "1: summary: must be at most 500 characters of one line"),
    ("\ufeffpeers = 0", "1: peers: must be from"),
    ("peers = 64\r\nseed = -1\r\n", "2: seed: must be from"),
    ('summary = """\nof two\\\nlines"""\npeers = 0', "4: peers: must be from"),
    ('"a\\nb" = 1', "1: 'a\\nb': there is no such key"),
    ("'" + "k" * 999 + "' = 1", "…': there is no such key"),
    # The network.
    ("network = 3", "1: network: must be a table, not 3"),
    ("[network]\nloss = 1.5", "2: network.loss: must be from 0 to 1, not 1.5"),
    ("[network]\nlosss = 1", "2: network.losss: there is no such key; did you mean loss?"),
    ("network.loss = -0.1", "1: network.loss: must be from 0 to 1, not -0.1"),
    ("network = { loss = 2 }", "1: network.loss: must be from 0 to 1, not 2"),
    ("[network]\nbandwidth_mbit = 0", "2: network.bandwidth_mbit: must be more than 0"),
    ("[network]\nbandwidth_mbit = 'fast'", "2: network.bandwidth_mbit: must be a number"),
    ("[network]\nqueue_kib = 1", "2: network.queue_kib: must be from 2 to"),
    ("[network]\npath = 3", "2: network.path: must be written as [[network.path]], not as 3"),
    ("[network.latency]\nkind = 'normal'", '2: network.latency.kind: must be "constant",'),
    ("[network.latency]\nkind = 'constant'\nhigh_ms = 2", "3: network.latency.high_ms: a constant"),
    ("[network.latency]\nlow_ms = 5", "2: network.latency.low_ms: low_ms (5) must not be more"),
    ("[network.latency]\nkind = 'lognormal'\nlow_ms = 0", "3: network.latency.low_ms: the median"),
    (PATH, "2: network.path.zones: there is no [[zone]] named 'a'"),
    (ZONES + "[[network.path]]\nzones = ['a']", "6: network.path.zones: must be the names of two"),
    (ZONES + PATH, "5: network.path: has no latency"),
    (ZONES + 2 * (PATH + "latency = {}\n"), "9: network.path.zones: the path between a and b"),
    (ZONES + PATH + "latency = { low_ms = -1 }", "7: network.path.latency.low_ms: must be from"),
    # Zones.
    ("zone = 'a'", "1: zone: must be written as [[zone]], not as 'a'"),
    ("zone = ['a']", "1: zone: must be a table, not 'a'"),
    ("[[zone]]\nshare = 1", "1: zone: has no name"),
    ("[[zone]]\nname = ''", "2: zone.name: must not be empty"),
    ("[[zone]]\nname = 'all'", "2: zone.name: 'all' has a special meaning in groups"),
    ("[[zone]]\nname = 'p7'", "2: zone.name: 'p7' has a special meaning in groups"),
    ("[[zone]]\nname = '0%'", "2: zone.name: '0%' has a special meaning in groups"),
    ("[[zone]]\nname = '" + "ä" * 33 + "'", "2: zone.name: zone must have at most 64 bytes"),
    ("[[zone]]\nname = 'a'\nshare = 0", "3: zone.share: must be more than 0"),
    ("[[zone]]\nname = 'a'\n" * 2, "4: zone.name: there is a zone 'a' already"),
    ("peers = 1\n" + ZONES, "4: zone: zone 'b' gets none of 1 peers"),
    # Settings, workload and parameters.
    ("[settings]\nprobe_intervall = 1", "2: settings.probe_intervall: there is no such key; did"),
    ("[settings]\nprobe_timeout = 2", "2: settings.probe_timeout: probe_timeout (2.0) must be"),
    ("[settings]\npacket_limit = 9000", "2: settings.packet_limit: must be from 1200 to 1400"),
    ("[settings]\ngossip_nodes = 1.5", "2: settings.gossip_nodes: must be a whole number"),
    ("[settings]\nprobe_interval = nan", "2: settings.probe_interval: must be from 0 to"),
    ("[settings]\nname = 'x'", "2: settings.name: there is no such key; none has a similar"),
    ("profile = 'wan'\n[settings]\nprobe_interval = 2", "3: settings.probe_interval: probe_"),
    ("[workload]\nservices = 0", "2: workload.services: must be from 1 to 100,000, not 0"),
    ("[workload]\nlookups = -0.1", "2: workload.lookups: must be from 0 to 1,000,000, not -0.1"),
    ("[parameters]\ncut = 1", "2: parameters.cut: nothing refers to it"),
    ("[parameters]\npeers = 1", "2: parameters.peers: every scenario has a parameter of this name"),
    ("[parameters]\nUp = 1", "2: parameters.Up: a parameter's name has small letters"),
    ("[parameters]\nx = [1]", "2: parameters.x: must be a number, a text or true or false"),
    ("[parameters]\nx = nan", "2: parameters.x: must be a number"),
    ("[parameters]\nx = '$y'", "2: parameters.x: must be a number"),
    ("peers = '$n'", "1: peers: '$n' is not in [parameters]; there are none here"),
    ("peers = '$nmu'\n[parameters]\nnum = 1", "1: peers: '$nmu' is not in [parameters]; did you"),
    ("peers = '$n'\n[parameters]\nn = 0", "1: peers ($n): must be from 1 to 1,000,000, not 0"),
    # Events.
    ("[event]\nat = 1", "1: event: must be written as [[event]], not as a table"),
    (EVENT, "1: event: has no action: give one of cut, cut_one_way, heal,"),
    ("[[event]]\ncrash = 'p0'", "1: event.at: is missing"),
    (EVENT + "crash = 'p0'\npause = 'p1'", "4: event.pause: an event has one action"),
    (EVENT + "crsh = 'p0'", "3: event.crsh: there is no such key; did you mean crash?"),
    (EVENT + "crash = 'p0'\ntransport = 'udp'", "4: event.transport: belongs to block, not to"),
    ("[[event]]\nat = 60\ncrash = 'p0'", "2: event.at: 60 s is not before the end at 60 s"),
    ("[[event]]\nat = -1\ncrash = 'p0'", "2: event.at: must be from 0 to"),
    (EVENT + "heal = true\nfor = 3", "4: event.for: heal is not undone after a time: remove it"),
    (EVENT + "heal = false", "3: event.heal: can only be true"),
    (EVENT + "crash = 'p0'\nfor = 3", "4: event.for: crash is not undone after a time: to have"),
    (EVENT + "pause = 'p0'\nfor = 0", "4: event.for: must be more than 0"),
    (EVENT + "crash = 'p0'\ntimes = 3", "4: event.times: needs every"),
    (EVENT + "crash = 'p0'\ntimes = 0", "4: event.times: must be from 1 to 100,000, not 0"),
    (EVENT + "crash = '1'\nevery = 0", "4: event.every: must be more than 0"),
    (EVENT + "crash = '1'\nevery = 1e-9", "4: event.every: all events together happen at most"),
    (EVENT + "crash = '1'\ntimes = 60\nevery = 2", "4: event.times: the last of 60 times is at"),
    (EVENT + "pause = 'p0'\nfor = 3\nevery = 2", "4: event.for: 3 s is longer than every (2 s)"),
    (EVENT + "join = 0", "3: event.join: must be from 1 to 999,999, not 0"),
    (EVENT + "join = 999_990", "3: event.join: with those that join, 1,000,054 peers are more"),
    (EVENT + "slow = 'p0'", "3: event.slow: needs each_ms beside it"),
    (EVENT + "slow = 'p0'\neach_ms = 0", "4: event.each_ms: must be more than 0"),
    (EVENT + "block = 'p0'", "3: event.block: needs transport beside it"),
    (EVENT + "block = 'p0'\ntransport = 'tcp'", '4: event.transport: must be "udp" or "stream"'),
    (EVENT + "disturb = 'p0'", "3: event.disturb: needs one of loss, duplication, reordering"),
    (EVENT + "disturb = 'p0'\nlag_ms = -1", "4: event.lag_ms: must be from 0 to 60,000, not -1"),
    (EVENT + "skew = 'p0'", "3: event.skew: needs seconds beside it"),
    (EVENT + "skew = 'p0'\nseconds = inf", "4: event.seconds: must be from -1,000,000,000 to"),
    (EVENT + "restart = 'p0'\ndown = -1", "4: event.down: must be from 0 to"),
    (EVENT + "restart = 'p0'\ngraceful = 1", "4: event.graceful: must be true or false, not 1"),
    # Groups.
    (EVENT + "cut = 'p0'", "3: event.cut: must be a list of groups"),
    (EVENT + "cut = [['p0']]", "3: event.cut: needs at least two groups, not 1"),
    (EVENT + "cut_one_way = ['p0', 'p1', 'p2']", "3: event.cut_one_way: needs exactly two groups"),
    (EVENT + "cut = [\n['p0'],\n[]]", "5: event.cut: an empty group has no peers"),
    (EVENT + "cut = ['p0', ['p1', 'p0..p3']]", "3: event.cut: groups 1 and 2 both have p0"),
    (EVENT + "cut = ['p0..p9', 'p5']", "3: event.cut: groups 1 and 2 both have p5"),
    (ZONES + EVENT + "cut = ['a', 'p31']", "7: event.cut: groups 1 and 2 both have p31"),
    (EVENT + "cut = ['p0', 'all']", "3: event.cut: groups 1 and 2 both have p0"),
    (EVENT + "cut = ['rest', 'rest']", "3: event.cut: groups 1 and 2 both have the rest"),
    (EVENT + "cut = ['p0..p63', 'rest']", "3: event.cut: nobody is left for the rest of 64 peers"),
    (EVENT + "cut = ['60%', '60%']", "3: event.cut: 76 peers are to be drawn from 64"),
    (EVENT + "cut = [\n['p0'],\n['p1',\n'z']]", "6: event.cut: there is no zone or peer 'z'; give"),
    (ZONES + EVENT + "crash = 'al'", "7: event.crash: there is no zone or peer 'al'; did you"),
    ("peers = 1\n" + EVENT + "cut = ['p0', 'rest']", "4: event.cut: one peer cannot be cut from"),
    (EVENT + "crash = 'p64'", "3: event.crash: there is no peer p64: the last is p63"),
    (EVENT + "crash = 'p9..p3'", "3: event.crash: the range p9..p3 is empty"),
    (EVENT + "crash = '0%'", "3: event.crash: a share must be more than 0% and at most 100%"),
    (EVENT + "crash = '100.1%'", "3: event.crash: a share must be more than 0% and at most 100%"),
    (EVENT + "crash = 0", "3: event.crash: a number of peers must be at least 1, not 0"),
    (EVENT + "crash = 65", "3: event.crash: 65 peers are to be drawn from 64"),
    (EVENT + "crash = [\n'p0',\n1.5]", "5: event.crash: must be a peer, a zone"),
    (EVENT + "crash = []", "3: event.crash: an empty group has no peers"),
    (
        "[[event]]\nat = 9\njoin = 2\n[[event]]\nat = 8\ncrash = 'p64'",
        "6: event.crash: there is no peer p64: the last is p63",
    ),
    # What is no TOML, and what was made to hurt.
    ("peers = 64\nseed = \n", "2: this is not TOML: "),
    ("a = 1\na = 2", "2: this is not TOML: "),
    ("\nx = [", "2: this is not TOML: "),
    ("\npeers = " + "9" * 5000 + "\n\n", "2: a number has too many digits"),
    ("\nx = " + "[" * 2000 + "]" * 2000, "2: tables or lists are nested too deeply for a scenario"),
    ("\nx = " + "{x = " * 2000, "2: tables or lists are nested too deeply for a scenario"),
    ("\n\n" + "a." * 100_000 + "a = 1", "3: tables or lists are nested too deeply for a scenario"),
    ("[" + "'a'." * 50_000 + "a]", "1: tables or lists are nested too deeply for a scenario"),
    ("x = " + '"""\\"' * 30_000, "this is not TOML: "),
    ("[network]\n" + "a." * 15 + "a = {" + "a." * 15 + "a = '$x'}", "2: network.a.a.a.a.a.…: "),
]  # fmt: skip

# Changes of a scenario that comes along, and the sentence; the parameter is its beginning.
CHANGES: Final = [
    ("partition", {"peers": "0"}, "parameter peers: must be from 1 to 1,000,000, not 0"),
    ("partition", {"peers": "many"}, "parameter peers: must be a whole number, not 'many'"),
    ("partition", {"peers": "1"}, "parameter peers: zone 'zone-b' gets none of 1 peers"),
    ("asymmetric", {"peers": "1"}, "parameter peers: one peer cannot be cut from itself"),
    ("partition", {"cut_at": "60"}, "parameter cut_at: 60 s is not before the end at 60 s"),
    ("partition", {"duration": "10"}, "parameter duration: 10 s is not before the end at 10 s"),
    ("partition", {"cut_for": "-1"}, "parameter cut_for: must be more than 0"),
    ("partition", {"cut_for": "long"}, "parameter cut_for: must be a number, not 'long'"),
    ("partition", {"peers": "6_4"}, "parameter peers: must be a whole number, not '6_4'"),
    ("partition", {"peers": "٣"}, "parameter peers: must be a whole number, not '٣'"),
    ("partition", {"cut_for": "1_0.5"}, "parameter cut_for: must be a number, not '1_0.5'"),
    ("partition", {"cut_for": "nan"}, "parameter cut_for: must be more than 0"),
    ("partition", {"cut_fro": "9"}, "parameter 'cut_fro' is unknown: did you mean cut_for?"),
    ("partition", {"x": "9"}, "parameter 'x' is unknown: there are cut_at, cut_for, peers,"),
    ("partition", {"loss": "1.1"}, "parameter loss: must be from 0 to 1, not 1.1"),
    ("partition", {"loss": "0", "network.loss": "1"}, "parameter network.loss: sets the same"),
    ("partition", {"latency": "-1"}, "parameter latency: must be from 0 to 10,000, not -1"),
    ("partition", {"latency": "1", "network.latency.low_ms": "1"}, "parameter latency: sets the"),
    ("partition", {"profile": "LAN"}, 'parameter profile: must be "lan"'),
    ("partition", {"probe_timeout": "2"}, "parameter probe_timeout: probe_timeout (2.0) must"),
    ("partition", {"settings.packet_limit": "1"}, "parameter settings.packet_limit: must be from"),
    ("propagate", {"workload.changes": "1"}, "parameter workload.changes: sets the same value as"),
    ("flapping-link", {"cut_for": "9"}, "parameter cut_for: 9 s is longer than every (8 s)"),
    ("flapping-link", {"cuts": "8"}, "parameter cuts: the last of 8 times is at 61 s"),
    ("flapping-link", {"cuts": "1.5"}, "parameter cuts: must be a whole number, not 1.5"),
    ("asymmetric", {"unheard": "100%"}, "parameter unheard: nobody is left for the rest of 64"),
    ("asymmetric", {"unheard": "some"}, "parameter unheard: there is no zone or peer 'some'"),
    ("crash", {"victims": "$x"}, "parameter victims: must be a short text"),
    ("churn", {"joins": "1000000"}, "parameter joins: must be from 1 to 999,999"),
    ("partitoin", {}, "there is no scenario 'partitoin': did you mean partition?"),
    ("x" * 99, {}, "there is no scenario 'xxxxx"),
]  # fmt: skip


# What is wrong, if anything is; nothing but a `ScenarioError` of one line is let through.
def refusal(path: str, changes: dict[str, str] | None = None) -> str | None:
    try:
        load_scenario(path, changes)
    except ScenarioError as error:
        told = str(error)
    else:
        return None
    assert told.splitlines() == [told]
    assert len(told) < 400 + len(path)
    return told


def sentence(path: str, changes: dict[str, str] | None = None) -> str:
    told = refusal(path, changes)
    assert told is not None, "nothing was found wrong"
    return told


@pytest.mark.parametrize(("text", "expected"), FILES, ids=[case[1][:40] for case in FILES])
def test_a_mistake_in_a_file_names_its_line_and_key(
    tmp_path: Path, text: str, expected: str
) -> None:
    """Whatever is wrong in a file, one sentence says where, what, and how it would be right."""
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode())

    told = sentence(str(file))

    assert told.startswith(f"{file}:")
    assert expected in told
    if expected[0].isdigit():
        assert told.startswith(f"{file}:{expected}")


@pytest.mark.parametrize(("name", "changes", "expected"), CHANGES)
def test_a_mistake_in_a_change_names_the_parameter(
    name: str, changes: dict[str, str], expected: str
) -> None:
    """The error names a value of the command line, and not a file that the user never saw."""
    assert sentence(name, changes).startswith(expected)


def test_a_change_is_blamed_where_a_file_was_right(tmp_path: Path) -> None:
    """A file that was correct until the command line changed it is not the place to look."""
    file = tmp_path / "mine.toml"
    file.write_text("duration = 20\n[[event]]\nat = 10\ncrash = 'p9'\n")

    assert load_scenario(str(file)).duration == 20
    assert sentence(str(file), {"peers": "5"}).startswith("parameter peers: there is no peer p9")
    assert sentence(str(file), {"duration": "5"}).startswith("parameter duration: 10 s is not")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """No file, a folder, other bytes than UTF-8 and far too many bytes each have their sentence."""
    assert "No such file" in sentence(str(tmp_path / "none.toml"))
    assert "Is a directory" in sentence(f"{tmp_path}/")
    assert "cannot be read" in sentence("a\0b.toml")
    file = tmp_path / "mine.toml"
    file.write_bytes(b"peers = 3\nname = '\xff'\n")
    assert sentence(str(file)).startswith(f"{file}:2: the file is not UTF-8")
    file.write_bytes(b"#" * (256 * 1024 + 1))
    assert "is larger than 256 KiB" in sentence(str(file))


# Every value of the complete example that stands behind a "=", as the text before and after it.
def _places() -> list[tuple[str, str]]:
    text = complete_example()
    return [
        (text[: found.start(1)], text[found.end(1) :])
        for found in re.finditer(r"^\w+ = (.+)$", text, re.MULTILINE)
    ]


SCALARS: Final = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(["true", "false", "1979-05-27", "07:32:00", "0xffffffffffffffffffff", "1e999"]),
    st.text(st.characters(exclude_characters="'", min_codepoint=32, max_codepoint=126)).map(repr),
    st.sampled_from(["'$x'", "'all'", "'rest'", "'p5'", "'p0..p99'", "'200%'", "'5'", "'zone-a'"]),
)
GARBAGE: Final = st.one_of(
    st.text(max_size=20),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
            st.lists(inner, max_size=3, unique=True).map(
                lambda items: "{" + ", ".join(f"k{n} = {v}" for n, v in enumerate(items)) + "}"
            ),
        ),
        max_leaves=8,
    ),
)


@given(place=st.sampled_from(_places()), value=GARBAGE)
def test_garbage_for_one_value_is_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str], value: str
) -> None:
    """Whatever stands in the place of a value, the file loads or earns one `ScenarioError`."""
    file = tmp_path_factory.getbasetemp() / "garbage.toml"
    file.write_bytes(f"{place[0]}{value}{place[1]}".encode(errors="replace"))

    told = refusal(str(file))

    assert told is None or told.startswith(f"{file}:")


NAMES: Final = sorted(load_scenario("flapping-link").parameters)


@given(name=st.sampled_from(NAMES), text=st.one_of(st.text(max_size=12), SCALARS))
def test_garbage_for_one_parameter_is_refused_in_a_sentence(name: str, text: str) -> None:
    """Whatever is given for a parameter, the scenario loads or the parameter is named."""
    told = refusal("flapping-link", {name: text})

    assert told is None or told.startswith(f"parameter {name}: ")
