# The timeline of a scenario: what happens to the mesh, and when.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, Final, Literal, cast

from ._errors import ScenarioError
from ._groups import PEER_LIMIT, check_groups
from ._lines import Path
from ._model import (
    Action,
    Block,
    Crash,
    Cut,
    Disturb,
    Event,
    Group,
    Heal,
    Hold,
    Join,
    Leave,
    Pause,
    Restart,
    Skew,
    Slow,
)
from ._table import Table, shown

DAY: Final = 86_400.0
MINUTE_MS: Final = 60_000.0
EVENT_LIMIT: Final = 1_000
# Of all events together; each stands on the timeline.
TIMES_LIMIT: Final = 100_000
ITEM_LIMIT: Final = 10_000

MOMENTS: Final = ("at", "for", "times", "every")
# Each action, and the keys that may stand beside it.
ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "cut": (),
    "cut_one_way": (),
    "heal": (),
    "crash": ("host",),
    "restart": ("down", "apart", "graceful", "keep_epoch"),
    "leave": ("apart",),
    "join": ("apart",),
    "pause": (),
    "slow": ("each_ms",),
    "hold": (),
    "block": ("transport",),
    "disturb": ("loss", "duplication", "reordering", "lag_ms"),
    "skew": ("seconds",),
}
_LASTING: Final = ("cut", "cut_one_way", "pause", "slow", "hold", "block", "disturb", "skew")
_INSTEAD: Final = {
    "crash": "to have the peers back, write restart with down instead",
    "restart": "down says how long the peers are away",
}


@dataclass(slots=True)
class Mesh:
    """What events are checked against."""

    peers: int
    duration: float
    blocks: Mapping[str, range]
    """Which peers, by number, stand in each zone."""


def read_events(document: Table, mesh: Mesh) -> tuple[Event, ...]:
    """Return the events under `[[event]]`, in the order of the file."""
    tables = document.tables("event", limit=EVENT_LIMIT)
    events = tuple(_event(table, mesh) for table in tables)
    if sum(event.times for event in events) > TIMES_LIMIT:
        often = max(range(len(events)), key=lambda place: events[place].times)
        table = tables[often]
        raise table.error(
            "times" if "times" in table else "every",
            f"all events together happen at most {TIMES_LIMIT:,} times",
        )
    joined = _joined(events, mesh.duration)
    if mesh.peers + joined > PEER_LIMIT:
        joins = [table.at("join") for table in tables if "join" in table]
        raise document.source.error(
            f"with those that join, {mesh.peers + joined:,} peers are more than the "
            f"{PEER_LIMIT:,} that are possible",
            joins[-1],
            ("peers",),
        )
    for table, event in zip(tables, events, strict=True):
        _check_groups(table, event, mesh, _joined(events, event.at))
    return events


def _event(table: Table, mesh: Mesh) -> Event:
    key = _action_key(table)
    for option in table.values:
        owners = [each for each, options in ACTIONS.items() if option in options]
        if owners and key not in owners:
            raise table.error(option, f"belongs to {' and '.join(owners)}, not to {key}: remove it")
    table.allow((*MOMENTS, key, *ACTIONS[key]))
    if "at" not in table:
        raise table.error("at", "is missing: say at which second this happens")
    at = table.number("at", 0, most=DAY)
    if at >= mesh.duration:
        raise table.error(
            "at",
            f"{at:g} s is not before the end at {mesh.duration:g} s: "
            "let this happen earlier, or the scenario last longer",
            ("duration",),
        )
    lasts = _lasts(table, key)
    times, every = _repetition(table, at, lasts, mesh.duration)
    return Event(at=at, action=_action(table, key), lasts=lasts, times=times, every=every)


def _action_key(table: Table) -> str:
    keys = [key for key in table.values if key in ACTIONS]
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise table.error(
            keys[1],
            f"an event has one action, and this one has {keys[0]}: make it another [[event]]",
        )
    options = {option for options in ACTIONS.values() for option in options}
    table.allow((*MOMENTS, *ACTIONS, *options))
    raise table.source.error(f"has no action: give one of {', '.join(ACTIONS)}", table.path)


def _lasts(table: Table, key: str) -> float | None:
    if "for" not in table:
        return None
    if key not in _LASTING:
        instead = _INSTEAD.get(key, "remove it")
        raise table.error("for", f"{key} is not undone after a time: {instead}")
    return table.number("for", 0, most=DAY, open=True)


def _repetition(table: Table, at: float, lasts: float | None, duration: float) -> tuple[int, float]:
    if "every" not in table:
        times = table.whole("times", 1, least=1, most=TIMES_LIMIT)
        if times > 1:
            raise table.error("times", "needs every: say how many seconds lie between two times")
        return 1, 0.0
    every = table.number("every", 0, most=DAY, open=True)
    if "times" not in table:
        times = _times_before(at, every, duration)
    else:
        times = table.whole("times", 1, least=1, most=TIMES_LIMIT)
    if times > 1 and lasts is not None and lasts > every:
        raise table.error(
            "for",
            f"{lasts:g} s is longer than every ({every:g} s): end before the next time begins",
            table.at("every"),
        )
    last = at + (times - 1) * every
    if last >= duration:
        raise table.error(
            "times",
            f"the last of {times:,} times is at {last:g} s, not before the end at {duration:g} s: "
            "leave it out to go on until the end",
            table.at("every"),
            table.at("at"),
            ("duration",),
        )
    return times, every


# How often something happens at `at` and each `every` seconds before (not at) `end`.
def _times_before(at: float, every: float, end: float) -> int:
    times = floor(min((end - at) / every, TIMES_LIMIT)) + 1
    while times > 1 and at + (times - 1) * every >= end:
        times -= 1
    return times


# How many peers join up to a moment.
def _joined(events: tuple[Event, ...], moment: float) -> int:
    count = 0
    for event in events:
        if isinstance(event.action, Join) and event.at <= moment:
            times = 1
            if event.every:
                times = min(event.times, floor((moment - event.at) / event.every) + 1)
            count += event.action.count * times
    return count


def _action(table: Table, key: str) -> Action:
    match key:
        case "cut" | "cut_one_way":
            return _cut(table, key)
        case "heal":
            if not table.flag("heal"):
                raise table.error("heal", "can only be true")
            return Heal()
        case "crash":
            return Crash(who=_who(table, key), host=table.flag("host"))
        case "restart":
            return Restart(
                who=_who(table, key),
                down=table.number("down", 0.0, most=DAY),
                apart=table.number("apart", 0.0, most=DAY),
                graceful=table.flag("graceful"),
                keep_epoch=table.flag("keep_epoch"),
            )
        case "leave":
            return Leave(who=_who(table, key), apart=table.number("apart", 0.0, most=DAY))
        case "join":
            return Join(
                count=table.whole("join", 1, least=1, most=PEER_LIMIT - 1),
                apart=table.number("apart", 0.0, most=DAY),
            )
        case "pause":
            return Pause(who=_who(table, key))
        case "hold":
            return Hold(who=_who(table, key))
        case _:
            return _hindrance(table, key)


def _cut(table: Table, key: str) -> Cut:
    value = table.values[key]
    if type(value) is not list or not all(type(each) in (str, int, list) for each in value):
        raise table.error(
            key, f'must be a list of groups, such as [["zone-a"], ["rest"]], not {shown(value)}'
        )
    one_way = key == "cut_one_way"
    if len(value) < 2 or (one_way and len(value) > 2):
        needed = "exactly two groups" if one_way else "at least two groups"
        raise table.error(key, f"needs {needed}, not {len(value)}")
    groups = tuple(_group(table, (*table.at(key), place), each) for place, each in enumerate(value))
    return Cut(groups=groups, one_way=one_way)


def _hindrance(table: Table, key: str) -> Action:
    who = _who(table, key)
    needed = {"slow": "each_ms", "block": "transport", "skew": "seconds"}.get(key)
    if needed is not None and needed not in table:
        raise table.error(key, f"needs {needed} beside it")
    match key:
        case "slow":
            return Slow(who=who, each_ms=table.number("each_ms", 0, most=MINUTE_MS, open=True))
        case "block":
            transport = table.choice("transport", "", ("udp", "stream"))
            return Block(who=who, transport=cast(Literal["udp", "stream"], transport))
        case "skew":
            return Skew(who=who, seconds=table.number("seconds", 0, least=-1e9, most=1e9))
        case _:
            disturb = Disturb(
                who=who,
                loss=table.number("loss", 0.0, most=1),
                duplication=table.number("duplication", 0.0, most=1),
                reordering=table.number("reordering", 0.0, most=1),
                lag_ms=table.number("lag_ms", 0.0, most=MINUTE_MS),
            )
            if not any(option in table for option in ACTIONS["disturb"]):
                raise table.error(key, f"needs one of {', '.join(ACTIONS['disturb'])} beside it")
            return disturb


def _who(table: Table, key: str) -> Group:
    return _group(table, table.at(key), table.values[key])


def _group(table: Table, path: Path, value: Any) -> Group:
    items = value if type(value) is list else [value]
    if not items:
        raise table.source.error("an empty group has no peers: name a peer or a zone", path)
    if len(items) > ITEM_LIMIT:
        raise table.source.error(f"a group has at most {ITEM_LIMIT:,} items", path)
    for place, item in enumerate(items):
        if type(item) not in (str, int):
            where = (*path, place) if type(value) is list else path
            raise table.source.error(
                f'must be a peer, a zone or another group word, such as "10%", not {shown(item)}',
                where,
            )
    return tuple(shown(item) if type(item) is int else item for item in items)


def _check_groups(table: Table, event: Event, mesh: Mesh, later: int) -> None:
    key = _action_key(table)
    match event.action:
        case Heal() | Join():
            return
        case Cut(groups=groups):
            pass
        case action:
            groups = (action.who,)
    if isinstance(event.action, Cut) and mesh.peers + later < 2:
        raise table.error(key, "one peer cannot be cut from itself: give two peers", ("peers",))
    paths = []
    for place, group in enumerate(groups):
        path = table.at(key)
        if isinstance(event.action, Cut):
            path = (*path, place)
        for item_place, item in enumerate(group):
            item_path = (*path, item_place)
            paths += [item_path, path]
            _check(table, [(item,)], mesh, later, [item_path, path])
    _check(table, groups, mesh, later, [table.at(key), *paths])


def _check(
    table: Table, groups: list[Group] | tuple[Group, ...], mesh: Mesh, later: int, paths: list[Path]
) -> None:
    try:
        check_groups(groups, mesh.peers, mesh.blocks, later)
    except ScenarioError as error:
        raise table.source.error(str(error), *paths, ("peers",)) from None
