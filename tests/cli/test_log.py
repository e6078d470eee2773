"""The log of `gossamer run`: its two forms, its level, and where they are given."""

import io
import json
import logging
from typing import Any

import pytest

from gossamer.cli._failures import BadInput
from gossamer.cli._log import LogSettings, configure_logging
from gossamer.gossip import Member, MemberJoined, Status
from gossamer.peers.host import log_event


def member(name: str) -> Member:
    return Member(
        name=name,
        epoch=1,
        incarnation=0,
        status=Status.ALIVE,
        address=("10.0.0.2", 7940),
        zone="",
        nonce=1,
        since=0.0,
    )


def test_a_json_line_is_one_object_with_names() -> None:
    """Programs that collect logs find peer, member and event without parsing a sentence."""
    stream = io.StringIO()
    configure_logging("json", "info", stream)

    log_event("a", MemberJoined(member("b")))

    shown = json.loads(stream.getvalue())
    assert shown.pop("time").endswith("Z")
    assert shown == {
        "level": "info",
        "message": "b joined at 10.0.0.2:7940",
        "peer": "a",
        "event": "MemberJoined",
        "member": "b",
    }


def test_a_text_line_cannot_be_forged_by_a_name() -> None:
    """Names come from the network, and the log goes to a terminal."""
    stream = io.StringIO()
    configure_logging("text", "info", stream)

    log_event("a", MemberJoined(member("b\n\x1b[2J")))

    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert "INFO a: b" in lines[0]


def test_the_level_filters_and_a_second_call_replaces_the_first() -> None:
    """Configuring twice does not log twice."""
    first, second = io.StringIO(), io.StringIO()
    configure_logging("text", "debug", first)
    configure_logging("text", "ERROR", second)

    log_event("a", MemberJoined(member("b")))
    logging.getLogger("gossamer").error("trouble")

    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "written", "chosen"),
    [
        ({}, {}, LogSettings("text", "info")),
        ({}, {"log_format": "json", "log_level": "DEBUG"}, LogSettings("json", "debug")),
        ({"log_level": "Error"}, {"log_level": "loud"}, LogSettings("text", "error")),
    ],
)
def test_a_flag_wins_over_the_file(
    given: dict[str, Any], written: dict[str, Any], chosen: LogSettings
) -> None:
    """Levels may be written in capitals; without either there is a default."""
    assert LogSettings.read(given, written, "peer.toml") == chosen


@pytest.mark.parametrize("name", ["log_format", "log_level"])
def test_a_setting_of_the_log_that_cannot_be_is_refused(name: str) -> None:
    """The sentence names the setting, and the file if it stands there."""
    with pytest.raises(BadInput, match=f"^{name} must be one of .*'loud'"):
        LogSettings.read({name: "loud"}, {}, "peer.toml")
    with pytest.raises(BadInput, match=f"^peer.toml: {name} must be one of"):
        LogSettings.read({}, {name: "loud"}, "peer.toml")
