# The peers of a group, and the groups that are impossible.
#
# Names are resolved first, then draws, then the rest.  A draw takes peers that no group of the
# event names, so `[["p0"], ["3"], ["rest"]]` divides the mesh for every seed.

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random
from typing import Final, assert_never

from ._errors import ScenarioError
from ._model import Group, Zone
from ._table import shown, suggestion

# Of one scenario, with those that join.
PEER_LIMIT: Final = 1_000_000

_PEER: Final = re.compile(r"p(0|[1-9][0-9]{0,6})")
_RANGE: Final = re.compile(r"p(0|[1-9][0-9]{0,6})\.\.p(0|[1-9][0-9]{0,6})")
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_FORMS: Final = 'a zone, a peer ("p0"), a range ("p0..p9"), a share ("25%"), a number, all or rest'


@dataclass(frozen=True, slots=True)
class _Peers:
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _InZone:
    name: str


@dataclass(frozen=True, slots=True)
class _Share:
    percent: float

    def of(self, count: int) -> int:
        """A share of some is at least one of them."""
        return max(1, int(count * self.percent / 100 + 0.5))


@dataclass(frozen=True, slots=True)
class _Number:
    count: int


@dataclass(frozen=True, slots=True)
class _All:
    pass


@dataclass(frozen=True, slots=True)
class _Rest:
    pass


_Item = _Peers | _InZone | _Share | _Number | _All | _Rest


def is_group_word(name: str) -> bool:
    """Return whether a zone of this name could not be told from the other items of a group."""
    try:
        return not isinstance(_parse(name, (name,)), _InZone)
    except ScenarioError:  # as `0%`
        return True


def _parse(text: str, zones: Collection[str]) -> _Item:
    if text == "all":
        return _All()
    if text == "rest":
        return _Rest()
    if found := _PEER.fullmatch(text):
        return _Peers(int(found[1]), int(found[1]))
    if found := _RANGE.fullmatch(text):
        if int(found[1]) > int(found[2]):
            raise ScenarioError(f"the range {text} is empty: begin with the lower number")
        return _Peers(int(found[1]), int(found[2]))
    if found := _SHARE.fullmatch(text):
        if not 0 < float(found[1]) <= 100:
            raise ScenarioError(f"a share must be more than 0% and at most 100%, not {text}")
        return _Share(float(found[1]))
    if _NUMBER.fullmatch(text):
        if int(text) == 0:
            raise ScenarioError("a number of peers must be at least 1, not 0")
        return _Number(int(text))
    if text in zones:
        return _InZone(text)
    words = [*zones, "all", "rest"]
    near = suggestion(text, words) if get_close_matches(text, words) else f"give {_FORMS}"
    raise ScenarioError(f"there is no zone or peer {shown(text)}; {near}")


def zone_blocks(peers: int, zones: Sequence[Zone]) -> dict[str, range]:
    """Return which peers, by number, stand in each zone.

    Zones fill the numbers in their order, in proportion to their shares.
    """
    total = sum(zone.share for zone in zones)
    blocks = {}
    begin, so_far = 0, 0.0
    for zone in zones:
        so_far += zone.share
        end = int(peers * (so_far / total) + 0.5)
        blocks[zone.name] = range(begin, end)
        begin = end
    return blocks


def peer_zones(peers: int, zones: Sequence[Zone]) -> list[str]:
    """Return the zone of each peer, by its number; the empty text where there are no zones."""
    if not zones:
        return [""] * peers
    return [name for name, block in zone_blocks(peers, zones).items() for _ in block]


def check_groups(
    groups: Sequence[Group], peers: int, blocks: Mapping[str, range], later: int = 0
) -> None:
    """Raise `ScenarioError` unless `resolve` will find somebody for each of the groups.

    It costs as much as the groups are long, however many peers there are; `later` of them join
    while the scenario runs.
    """
    named: list[tuple[int, int, int]] = []
    drawn = 0
    rests = []
    for place, group in enumerate(groups):
        for text in group:
            match _parse(text, blocks):
                case _Peers(first, last):
                    if last >= peers + later:
                        raise ScenarioError(
                            f"there is no peer p{last}: the last is p{peers + later - 1}"
                        )
                    named.append((first, last, place))
                case _InZone(name):
                    named.append((blocks[name].start, blocks[name].stop - 1, place))
                case _All():
                    named.append((0, peers - 1, place))
                case _Share() as share:
                    drawn += share.of(peers)
                case _Number(count):
                    drawn += count
                case _Rest():
                    rests.append(place)
                case other:
                    assert_never(other)
    _check_rests(rests)
    # Next to other words, the rest may be nobody.
    alone = any(set(groups[place]) == {"rest"} for place in rests)
    _check_room(peers, _count_named(named, peers), drawn, alone)


# Of the peers that are named, how many are there from the beginning.
def _count_named(named: list[tuple[int, int, int]], peers: int) -> int:
    taken = 0
    reach, holder = -1, -1
    for first, last, place in sorted(named):
        if first <= reach and place != holder:
            one, other = sorted((holder, place))
            raise ScenarioError(
                f"groups {one + 1} and {other + 1} both have p{first}: "
                "a peer can be in only one of them"
            )
        taken += max(0, min(last, peers - 1) - max(first, reach + 1) + 1)
        if last > reach:
            reach, holder = last, place
    return taken


def _check_rests(rests: list[int]) -> None:
    if len(set(rests)) > 1:
        raise ScenarioError(
            f"groups {rests[0] + 1} and {rests[-1] + 1} both have the rest: "
            "a peer can be in only one of them"
        )


def _check_room(peers: int, taken: int, drawn: int, rest: bool) -> None:
    if taken + drawn > peers:
        left = f"{peers - taken} of {peers:,}" if taken else f"{peers:,}"
        raise ScenarioError(
            f"{drawn:,} peers are to be drawn from {left}: ask for fewer, or for more peers"
        )
    if rest and taken + drawn >= peers:
        raise ScenarioError(
            f"nobody is left for the rest of {peers:,} peers: "
            "make the other groups smaller, or ask for more peers"
        )


def resolve(
    groups: Sequence[Group], names: Sequence[str], zones: Mapping[str, str], rng: Random
) -> list[list[str]]:
    """Return the peers of each group, out of `names`, in the order of `names`.

    `zones` has the zone of each peer.
    A named peer that is not among `names` (it has left, or has not joined yet) is passed over.
    Raises `ScenarioError` for a group that nobody stands in, for a peer in two groups, and where
    more peers are to be drawn than there are.
    """
    known = set(zones.values())
    items = [[_parse(text, known) for text in group] for group in groups]
    chosen = [_named(group, names, zones) for group in items]
    owner: dict[str, int] = {}
    for place, found in enumerate(chosen):
        for name in found:
            if owner.setdefault(name, place) != place:
                raise ScenarioError(
                    f"groups {owner[name] + 1} and {place + 1} both have {name}: "
                    "a peer can be in only one of them"
                )
    _draw(items, chosen, names, owner, rng)
    rests = [place for place, group in enumerate(items) if _Rest() in group]
    _check_rests(rests)
    for place in rests:
        chosen[place].update(name for name in names if name not in owner)
    for place, found in enumerate(chosen):
        if not found:
            raise ScenarioError(f"no peer is in group {place + 1} ({', '.join(groups[place])})")
    return [[name for name in names if name in found] for found in chosen]


def _named(group: Sequence[_Item], names: Sequence[str], zones: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    present = set(names)
    for item in group:
        match item:
            case _All():
                found.update(names)
            case _InZone(zone):
                found.update(name for name in names if zones.get(name) == zone)
            case _Peers(first, last) if first == last:
                found.update({f"p{first}"} & present)
            case _Peers(first, last):
                span = range(first, min(last, first + PEER_LIMIT) + 1)
                found.update(present.intersection(f"p{number}" for number in span))
            case _Share() | _Number() | _Rest():
                pass
            case other:
                assert_never(other)
    return found


def _draw(
    items: Sequence[Sequence[_Item]],
    chosen: Sequence[set[str]],
    names: Sequence[str],
    owner: dict[str, int],
    rng: Random,
) -> None:
    for place, group in enumerate(items):
        for item in group:
            match item:
                case _Share() as share:
                    count = share.of(len(names)) if names else 0
                case _Number(count):
                    pass
                case _:
                    continue
            free = [name for name in names if name not in owner]
            if count > len(free):
                raise ScenarioError(
                    f"{count:,} peers are to be drawn from {len(free):,}: "
                    "ask for fewer, or for more peers"
                )
            for name in rng.sample(free, count):
                owner[name] = place
                chosen[place].add(name)
