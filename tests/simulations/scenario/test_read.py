"""Scenarios that can be read, and what their values become."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from scenario_files import DOCUMENT, complete_example

from gossamer.gossip import GossipConfig
from gossamer.simulations.scenario import (
    Block,
    Crash,
    Cut,
    Disturb,
    Event,
    Heal,
    Hold,
    Join,
    Latency,
    Leave,
    Network,
    Pause,
    Restart,
    Scenario,
    Skew,
    Slow,
    Workload,
    Zone,
    ZonePath,
    builtin_names,
    describe,
    load_scenario,
    parameter_names,
)
from gossamer.simulations.scenario._events import ACTIONS, MOMENTS
from gossamer.simulations.scenario._parameters import LATENCY, NETWORK, WORKLOAD
from gossamer.simulations.scenario._read import TOP


def read(directory: Path, text: str, **changes: str) -> Scenario:
    file = directory / "mine.toml"
    file.write_text(text)
    return load_scenario(str(file), changes)


def test_the_complete_example_says_what_it_says(tmp_path: Path) -> None:
    """Every key of the documented example reaches its place in the scenario."""
    scenario = read(tmp_path, complete_example())

    assert replace(scenario, parameters={}) == Scenario(
        name="two-regions",
        summary="Two regions with a slow link that fails, while one of them is being upgraded.",
        peers=48,
        duration=90,
        seed=7,
        profile="wan",
        start="settled",
        network=Network(
            latency=Latency(kind="uniform", low_ms=0.2, high_ms=0.6),
            paths=(
                ZonePath(
                    zones=("north", "south"),
                    latency=Latency(kind="lognormal", low_ms=40, high_ms=90),
                ),
            ),
            loss=0.01,
            duplication=0.001,
            reordering=0.02,
            reordering_ms=10,
            bandwidth_mbit=100,
            queue_kib=512,
        ),
        zones=(Zone(name="north", share=2), Zone(name="south", share=1)),
        settings={"probe_interval": 4, "gossip_nodes": 5},
        workload=Workload(
            services=20,
            zipf=1.1,
            instances=48,
            registrations=0.5,
            changes=0.5,
            deregistrations=0.2,
            lookups=2,
        ),
        events=(
            Event(at=5, action=Restart(who=("20%",), down=1.5, apart=2, graceful=True)),
            Event(at=10, action=Cut(groups=(("north",), ("south",))), lasts=15, times=2, every=40),
            Event(at=30, action=Cut(groups=(("p0..p3",), ("rest",)), one_way=True), lasts=5),
            Event(at=31, action=Crash(who=("p5", "2"), host=True)),
            Event(at=32, action=Leave(who=("p6", "p7"), apart=0.5)),
            Event(at=33, action=Join(count=4, apart=1)),
            Event(at=40, action=Pause(who=("2",)), lasts=5),
            Event(at=41, action=Slow(who=("10%",), each_ms=30), lasts=10),
            Event(at=42, action=Hold(who=("p10",)), lasts=3),
            Event(at=43, action=Block(who=("p11",), transport="udp"), lasts=10),
            Event(
                at=44,
                action=Disturb(
                    who=("south",), loss=0.2, duplication=0.1, reordering=0.1, lag_ms=20
                ),
            ),
            Event(at=45, action=Skew(who=("p12",), seconds=-30)),
            Event(at=70, action=Heal()),
        ),
    )


def test_an_empty_file_is_a_healthy_mesh(tmp_path: Path) -> None:
    """Every key has a default; the file's name becomes the scenario's."""
    scenario = read(tmp_path, "")

    assert replace(scenario, parameters={}) == Scenario(
        name="mine", summary="", peers=64, duration=60
    )


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("duration = 20\n[[event]]\nat = 0\nevery = 5\njoin = 1", 4),
        ("duration = 20\n[[event]]\nat = 4.9\nevery = 5\njoin = 1", 4),
        ("duration = 20\n[[event]]\nat = 5\nevery = 5\njoin = 1", 3),
        ("duration = 20\n[[event]]\nat = 5\nevery = 5\ntimes = 2\njoin = 1", 2),
        ("duration = 20\n[[event]]\nat = 5\nevery = 5\ntimes = 3\njoin = 1", 3),
        ("duration = 20\n[[event]]\nat = 5\nevery = 15\njoin = 1", 1),
        ("duration = 20\n[[event]]\nat = 5\njoin = 1", 1),
        ("duration = 0.3\n[[event]]\nat = 0\nevery = 0.1\njoin = 1", 3),
    ],
)
def test_an_event_comes_again_until_the_end(tmp_path: Path, text: str, events: int) -> None:
    """With `every` alone an event goes on until the end, which is no moment of the scenario."""
    (event,) = read(tmp_path, text).events

    assert event.times == events


@pytest.mark.parametrize(
    "text",
    [
        "peers = 1",
        "peers = 1_000_000\n[[event]]\nat = 1\ncut = ['50%', 'rest']",
        "peers = 2\n[[event]]\nat = 1\ncut = ['p0', 'p1']",
        "duration = 86_400\n[[event]]\nat = 86_399.9\ncrash = 'all'",
        "duration = 0.001",
        "[[event]]\nat = 0\nfor = 100\ncut = ['p0', 'rest']",
        "[[event]]\nat = 0\nfor = 2\nevery = 2\ncut = ['p0', 'rest']",
        "[[event]]\nat = 1\njoin = 2\n[[event]]\nat = 1\ncrash = 'p65'",
        "[[event]]\nat = 1\njoin = 1\nevery = 1\n[[event]]\nat = 5.5\ncrash = 'p68'",
        "[network]\nloss = 1\nduplication = 1",
        "[network.latency]\nlow_ms = 0\nhigh_ms = 0",
        "[[zone]]\nname = 'a'\n[[network.path]]\nzones = ['a', 'a']\nlatency = {}",
        "[workload]\ninstances = 0\nlookups = 0",
        "seed = 9_223_372_036_854_775_807",
        "[parameters]\nx = true\n[[event]]\nat = 1\nheal = '$x'",
    ],
)
def test_values_at_their_limits_are_taken(tmp_path: Path, text: str) -> None:
    """What is just possible is possible."""
    assert read(tmp_path, text).peers >= 1


def test_parameters_stand_for_values_anywhere(tmp_path: Path) -> None:
    """A `$name` may stand for a number, a word of a group, a whole group or a setting."""
    text = """
    peers = "$count"
    summary = "$count stays as it is"
    [parameters]
    count = 9
    who = "p3"
    interval = 2
    [settings]
    probe_interval = "$interval"
    [[event]]
    at = 1
    cut = [["p0", "$who"], "rest"]
    [[event]]
    at = 2
    crash = "$who"
    """

    scenario = read(tmp_path, text, who="20%", count="10")

    assert scenario.peers == 10
    assert scenario.summary == "$count stays as it is"
    assert scenario.settings == {"probe_interval": 2}
    assert [event.action for event in scenario.events] == [
        Cut(groups=(("p0", "20%"), ("rest",))),
        Crash(who=("20%",)),
    ]
    own = {"count": 10, "who": "20%", "interval": 2}
    assert scenario.parameters.items() >= own.items()
    assert scenario.parameters["settings.probe_interval"] == 2


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("", Latency(kind="uniform", low_ms=5, high_ms=15)),
        ("kind = 'constant'", Latency(kind="constant", low_ms=10, high_ms=10)),
        (
            "kind = 'lognormal'\nlow_ms = 2\nhigh_ms = 8",
            Latency(kind="lognormal", low_ms=10, high_ms=40),
        ),
    ],
)
def test_latency_moves_the_distribution(tmp_path: Path, network: str, expected: Latency) -> None:
    """A changed latency keeps the kind of distribution that the file has."""
    scenario = read(tmp_path, f"[network.latency]\n{network}", latency="10")

    assert scenario.network.latency == expected
    assert scenario.parameters["latency"] == 10


@pytest.mark.parametrize("name", builtin_names())
def test_each_builtin_loads_and_is_told_of(name: str) -> None:
    """Those that come along have a sentence, 64 peers, a minute, and travel between processes."""
    scenario = load_scenario(name)

    assert (scenario.name, scenario.peers, scenario.duration) == (name, 64, 60)
    assert pickle.loads(pickle.dumps(scenario)) == scenario == load_scenario(name, {})
    told = describe(name)
    assert (told.name, told.summary) == (name, scenario.summary)
    assert told.summary.endswith("?")
    assert set(told.parameters) - {"peers", "duration"} == {
        key for key in scenario.parameters if key not in load_scenario("lossy").parameters
    }
    assert all(scenario.parameters[key] == value for key, value in told.parameters.items())


def test_the_builtins_stand_in_their_order() -> None:
    """The names are those that the documentation promises."""
    assert builtin_names() == (
        "join", "propagate", "crash", "partition", "asymmetric", "flapping-link", "churn",
        "restart-storm", "slow-peers", "lossy", "rolling-deploy",
    )  # fmt: skip


# Another value for each parameter, which is possible in every scenario that comes along.
OTHERS: Final = {
    "profile": "local", "start": "together", "network.latency.kind": "constant",
    "network.bandwidth_mbit": "1000", "network.latency.low_ms": "0.1",
    "network.latency.high_ms": "1",
    "settings.probe_timeout": "0.4", "settings.nack_share": "0.5", "settings.gather": "0.01",
    "settings.packet_limit": "1300", "duration": "70", "loss": "0.5",
    "victims": "5", "unheard": "p1..p3", "share": "25%",
    "network.duplication": "0.5", "network.reordering": "0.5",
}  # fmt: skip


@pytest.mark.parametrize("name", builtin_names())
def test_every_parameter_of_a_builtin_can_be_set(name: str) -> None:
    """Each name that the report lists can be changed, and the report then has the new value."""
    before = load_scenario(name).parameters

    for key, value in before.items():
        taken = name == "propagate" and key.removeprefix("workload.") in before
        if taken and key.startswith("workload."):
            continue
        match value:
            case bool():
                text = str(not value).lower()
            case int() | float():
                text = OTHERS.get(key, str(value + 1))
            case _:
                text = OTHERS[key]
        after = load_scenario(name, {key: text}).parameters
        assert after[key] != value, key
        assert str(after[key]).lower() in {text, f"{text}.0"}, key


@pytest.mark.parametrize("name", builtin_names())
def test_what_was_in_force_can_be_given_again(name: str) -> None:
    """A report's parameters, given back as changes, make the same scenario."""
    once = load_scenario(name, {"peers": "80", "loss": "0.03", "latency": "4"})
    twice = {"latency"} | (
        {f"workload.{key}" for key in once.parameters} if name == "propagate" else set()
    )
    changes = {
        key: str(value).lower() for key, value in once.parameters.items() if key not in twice
    }

    again = load_scenario(name, changes)

    assert replace(again, settings={}) == replace(once, settings={})
    assert GossipConfig.profile("lan", name="a", **again.settings) == GossipConfig(name="a")


def test_settings_have_short_names_too() -> None:
    """`probe_interval` and `settings.probe_interval` are one value, as are the two of loss."""
    short = load_scenario("lossy", {"probe_interval": "2", "loss": "0.2", "stop_guard": "false"})
    long = load_scenario(
        "lossy",
        {"settings.probe_interval": "2", "network.loss": "0.2", "settings.stop_guard": "false"},
    )

    assert short == long
    assert short.settings == {"probe_interval": 2, "stop_guard": False}
    assert short.parameters["loss"] == short.network.loss == 0.2


def test_every_name_is_listed_once() -> None:
    """The names for completion begin with the scenario's own and the common ones."""
    names = parameter_names("partition")

    assert names[:4] == ("cut_at", "cut_for", "peers", "duration")
    assert len(set(names)) == len(names)


def test_hashes_do_not_show_in_a_scenario() -> None:
    """The same scenario is read whatever order Python's sets have."""
    program = (
        "from gossamer.simulations.scenario import load_scenario as load\n"
        "print([load(name) for name in ('partition', 'churn', 'asymmetric')])"
    )

    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1


def test_the_reference_names_every_key() -> None:
    """What can stand in a file stands in its documentation, and in the complete example."""
    page = DOCUMENT.read_text("utf-8")
    options = {option for options in ACTIONS.values() for option in options}
    for key in {*NETWORK, *LATENCY, *WORKLOAD, *ACTIONS, *options, *MOMENTS, *TOP}:
        assert f"`{key}" in page or f"[{key}]" in page, key
        assert f"{key} = " in complete_example() or f"[{key}]" in complete_example(), key
