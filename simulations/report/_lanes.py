"""The timeline as a few rows, one for each kind of event."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ._report import Happening

# More rows than these would push the data off the picture.
MOST = 6
LONGEST = 56

_NUMBERED = re.compile(r"\d+(\.\d+)?")


@dataclass(slots=True)
class Lane:
    """Happenings of one kind: their label, and from when until when each lasted."""

    label: str
    spans: list[tuple[float, float | None]] = field(default_factory=list)
    """An end of None is a single moment."""


def lanes(timeline: list[Happening], duration: float, most: int = MOST) -> list[Lane]:
    """Return at most `most` rows, in the order in which each kind happened first."""
    kinds: dict[str, list[Happening]] = {}
    for happening in sorted(timeline, key=lambda one: one.at):
        kinds.setdefault(_NUMBERED.sub("#", happening.what), []).append(happening)
    groups = list(kinds.values())
    if len(groups) > most:
        rest = [one for group in groups[most - 1 :] for one in group]
        groups = [*groups[: most - 1], rest]
    return [Lane(_label(group), [_span(one, duration) for one in group]) for group in groups]


def _span(one: Happening, duration: float) -> tuple[float, float | None]:
    return one.at, None if one.until is None else min(one.until, duration)


def _label(group: list[Happening]) -> str:
    label = group[0].what
    if len(label) > LONGEST:
        label = label[: LONGEST - 1].rstrip() + "…"
    if len(group) == 1:
        return label
    same = len({one.what for one in group}) == 1
    return f"{label}, {len(group)} times" if same else f"{label} and {len(group) - 1} more"
