# From a TOML text to a scenario that can be run.

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, cast

from gossamer.gossip import ConfigError, GossipConfig, Profile

from ._errors import ScenarioError
from ._events import DAY, EVENT_LIMIT, MINUTE_MS, Mesh, read_events
from ._groups import PEER_LIMIT, is_group_word, zone_blocks
from ._lines import find_lines, find_nesting
from ._model import Latency, Network, Scenario, Value, Workload, Zone, ZonePath
from ._parameters import LATENCY, NETWORK, SETTINGS, WORKLOAD, apply
from ._table import Source, Table, shown, suggestion

DEFAULT_PEERS: Final = 64
DEFAULT_DURATION: Final = 60.0
ZONES_LIMIT: Final = 100
NAME_LIMIT: Final = 100
UNLIMITED: Final = "unlimited"
# GossipConfig refuses more.
SETTING_MOST: Final = 999_999_999
TOP: Final = (
    "name", "summary", "peers", "duration", "seed", "profile", "start",
    "network", "zone", "settings", "workload", "parameters", "event",
)  # fmt: skip
_DIGITS: Final = re.compile(r"[0-9_]{4000,}")
_POSITION: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def parse(text: str, label: str) -> tuple[dict[str, Any], Source]:
    """Return what a TOML text of the file `label` says, and where."""
    nested = find_nesting(text)
    try:
        if nested is not None:
            raise RecursionError
        document = tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(
            f"{label}:{nested or 1}: tables or lists are nested too deeply for a scenario"
        ) from None
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.search(str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        reason = _POSITION.sub("", str(error))
        raise ScenarioError(f"{label}:{line}: this is not TOML: {reason}") from None
    except ValueError:  # from int(), which refuses thousands of digits
        digits = _DIGITS.search(text)
        line = text.count("\n", 0, digits.start() if digits else 0) + 1
        raise ScenarioError(f"{label}:{line}: a number has too many digits") from None
    return document, Source(label, find_lines(text))


def read_scenario(
    document: dict[str, Any], source: Source, changes: Mapping[str, str], name: str
) -> Scenario:
    """Return the scenario that `document` describes once `changes` are made to it.

    Raises `ScenarioError` for the first mistake.
    """
    top = Table(source, (), document)
    top.allow(TOP)
    own, latency = apply(document, source, changes)
    peers = top.whole("peers", DEFAULT_PEERS, least=1, most=PEER_LIMIT)
    duration = top.number("duration", DEFAULT_DURATION, most=DAY, open=True)
    profile = cast(Profile, top.choice("profile", "lan", ("lan", "wan", "local")))
    zones = _zones(top, peers)
    read = Scenario(
        name=top.text("name", name, limit=NAME_LIMIT),
        summary=top.text("summary", "", limit=500),
        peers=peers,
        duration=duration,
        seed=top.whole("seed", 1, least=0, most=2**63 - 1),
        profile=profile,
        start=cast(
            Literal["settled", "together"],
            top.choice("start", "settled", ("settled", "together")),
        ),
        network=_network(top.table("network"), zones, latency),
        zones=zones,
        settings=_settings(top.table("settings"), profile),
        workload=_workload(top.table("workload")),
        events=read_events(top, Mesh(peers, duration, zone_blocks(peers, zones))),
    )
    return replace(read, parameters={**own, **values_in_force(read)})


def values_in_force(scenario: Scenario) -> dict[str, Value]:
    """Return every value of a scenario that has a name which all scenarios know."""
    network = scenario.network
    latency = network.latency
    uniform = latency.kind == "uniform"
    config = GossipConfig.profile(scenario.profile, name="p0", **scenario.settings)
    values: dict[str, Value] = {
        "peers": scenario.peers,
        "duration": scenario.duration,
        "seed": scenario.seed,
        "profile": scenario.profile,
        "start": scenario.start,
        "loss": network.loss,
        "latency": (latency.low_ms + latency.high_ms) / 2 if uniform else latency.low_ms,
    }
    for key in NETWORK:
        if key != "loss":
            value = getattr(network, key)
            values[f"network.{key}"] = UNLIMITED if value is None else value
    for key in LATENCY:
        if key != "high_ms" or latency.kind != "constant":
            values[f"network.latency.{key}"] = getattr(latency, key)
    values.update((f"workload.{key}", getattr(scenario.workload, key)) for key in WORKLOAD)
    values.update((f"settings.{key}", getattr(config, key)) for key in SETTINGS)
    return values


def _zones(top: Table, peers: int) -> tuple[Zone, ...]:
    zones: dict[str, Zone] = {}
    tables = top.tables("zone", limit=ZONES_LIMIT)
    for table in tables:
        table.allow(("name", "share"))
        if "name" not in table:
            raise table.source.error("has no name: give it one", table.path)
        name = table.text("name", "", limit=NAME_LIMIT)
        if not name:
            raise table.error("name", "must not be empty")
        try:
            GossipConfig(name="p0", zone=name)
        except ConfigError as error:
            raise table.error("name", str(error)) from None
        if is_group_word(name):
            raise table.error(
                "name", f"{name!r} has a special meaning in groups: choose another name"
            )
        if name in zones:
            raise table.error("name", f"there is a zone {name!r} already")
        zones[name] = Zone(name=name, share=table.number("share", 1.0, most=1e6, open=True))
    for table, (name, block) in zip(
        tables, zone_blocks(peers, tuple(zones.values())).items(), strict=True
    ):
        if not block:
            raise table.source.error(
                f"zone {name!r} gets none of {peers:,} peers: ask for more peers, "
                "or give it a larger share",
                table.at("share") if "share" in table else table.path,
                ("peers",),
            )
    return tuple(zones.values())


def _network(table: Table, zones: tuple[Zone, ...], changed: Mapping[str, Value]) -> Network:
    table.allow((*NETWORK, "latency", "path"))
    default = Network()
    ends = table.table("latency")
    for key in ("low_ms", "high_ms"):
        if changed and (other := table.source.given.get(ends.at(key))):
            raise table.source.error(f"sets the same value as {other}: set only one", ("latency",))
    latency = _latency(ends)
    if changed:
        latency = _scaled(latency, Table(table.source, (), changed))
    bandwidth = None
    if table.values.get("bandwidth_mbit", UNLIMITED) != UNLIMITED:
        bandwidth = table.number("bandwidth_mbit", 0.0, most=1e6, open=True)
    return Network(
        latency=latency,
        paths=_paths(table, zones),
        loss=table.number("loss", default.loss, most=1),
        duplication=table.number("duplication", default.duplication, most=1),
        reordering=table.number("reordering", default.reordering, most=1),
        reordering_ms=table.number("reordering_ms", default.reordering_ms, most=MINUTE_MS),
        bandwidth_mbit=bandwidth,
        queue_kib=table.number("queue_kib", default.queue_kib, least=2, most=1e9),
    )


def _latency(table: Table) -> Latency:
    table.allow(LATENCY)
    default = Latency()
    kind = table.choice("kind", default.kind, ("constant", "uniform", "lognormal"))
    low = table.number("low_ms", default.low_ms, most=MINUTE_MS)
    if kind == "constant":
        if "high_ms" in table:
            raise table.error("high_ms", "a constant latency has low_ms alone: remove it")
        return Latency(kind="constant", low_ms=low, high_ms=low)
    high = table.number("high_ms", default.high_ms, most=MINUTE_MS)
    if high < low:
        raise table.error(
            "high_ms" if "high_ms" in table else "low_ms",
            f"low_ms ({low:g}) must not be more than high_ms ({high:g})",
            table.at("low_ms"),
        )
    if kind == "uniform":
        return Latency(kind="uniform", low_ms=low, high_ms=high)
    if low in (0, high):
        raise table.error(
            "low_ms",
            "the median of lognormal must be more than 0, and less than high_ms",
            table.at("high_ms"),
            table.at("kind"),
        )
    return Latency(kind="lognormal", low_ms=low, high_ms=high)


# The same distribution around another middle.
def _scaled(latency: Latency, table: Table) -> Latency:
    lognormal = latency.kind == "lognormal"
    middle = table.number("latency", 0.0, most=10_000, open=lognormal)
    match latency.kind:
        case "constant":
            return Latency(kind="constant", low_ms=middle, high_ms=middle)
        case "uniform":
            return Latency(kind="uniform", low_ms=0.5 * middle, high_ms=1.5 * middle)
        case "lognormal":
            high = middle * (latency.high_ms / latency.low_ms)
            return Latency(kind="lognormal", low_ms=middle, high_ms=high)


def _paths(network: Table, zones: tuple[Zone, ...]) -> tuple[ZonePath, ...]:
    names = [zone.name for zone in zones]
    paths: dict[frozenset[str], ZonePath] = {}
    for table in network.tables("path", limit=EVENT_LIMIT * 10):
        table.allow(("zones", "latency"))
        pair = table.values.get("zones")
        if type(pair) is not list or len(pair) != 2 or any(type(each) is not str for each in pair):
            raise table.error("zones", 'must be the names of two zones, such as ["a", "b"]')
        one, other = pair
        for each in pair:
            if each not in names:
                raise table.error(
                    "zones", f"there is no [[zone]] named {shown(each)}; {suggestion(each, names)}"
                )
        if frozenset(pair) in paths:
            raise table.error("zones", f"the path between {one} and {other} is given already")
        if "latency" not in table:
            raise table.source.error("has no latency: give it a table of that name", table.path)
        paths[frozenset(pair)] = ZonePath(
            zones=(one, other), latency=_latency(table.table("latency"))
        )
    return tuple(paths.values())


def _workload(table: Table) -> Workload:
    table.allow(WORKLOAD)
    default = Workload()
    return Workload(
        services=table.whole("services", default.services, least=1, most=100_000),
        zipf=table.number("zipf", default.zipf, most=10),
        instances=table.whole("instances", default.instances, least=0, most=1_000_000),
        registrations=table.number("registrations", default.registrations, most=1e6),
        changes=table.number("changes", default.changes, most=1e6),
        deregistrations=table.number("deregistrations", default.deregistrations, most=1e6),
        lookups=table.number("lookups", default.lookups, most=1e6),
    )


def _settings(table: Table, profile: Profile) -> dict[str, int | float]:
    table.allow(SETTINGS)
    settings: dict[str, int | float] = {}
    for key in table.values:
        match SETTINGS[key]:
            case "switch":
                settings[key] = table.flag(key)
            case "whole":
                settings[key] = table.whole(key, 0, least=0, most=SETTING_MOST)
            case "number":
                settings[key] = table.number(key, 0, most=SETTING_MOST)
    try:
        GossipConfig.profile(profile, name="p0", **settings)
    except ConfigError as error:
        keys = [key for key in error.fields if key in settings]
        paths = [table.at(key) for key in keys] or [table.path]
        # The key stands before the sentence already.
        sentence = str(error).removeprefix(f"{keys[0]} must " if keys else "")
        sentence = str(error) if sentence == str(error) else f"must {sentence}"
        raise table.source.error(sentence, *paths, ("profile",)) from None
    return settings
