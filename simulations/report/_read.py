"""From `report.json` back to a `Report`, so that an old report can be shown again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ._report import Report

Part = TypeVar("Part")


def report_of(document: Report | Mapping[str, Any]) -> Report:
    """Return the report of a document that `Report.as_json` made; a report is returned as it is.

    Raises `ValueError` when the document is something else.
    Keys that are unknown here are passed over: a later version may write more.
    """
    if isinstance(document, Report):
        return document
    try:
        return _part(Report, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not the report of a simulation ({error})") from error


def _part(kind: type[Part], document: Mapping[str, Any]) -> Part:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    given = {
        field.name: _value(hints[field.name], document[field.name])
        for field in fields(kind)
        if field.name in document
    }
    return kind(**given)


# Only the shapes that a report holds: dataclasses, lists and tuples of one kind of item, and
# either of them or None.
def _value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _part(hint, value)
    kind = get_origin(hint)
    if kind in (list, tuple):
        return kind(_value(get_args(hint)[0], item) for item in value)
    if kind is UnionType and value is not None:
        inner = [part for part in get_args(hint) if part is not NoneType]
        return _value(inner[0], value) if len(inner) == 1 else value
    return value
