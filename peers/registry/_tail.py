"""What stands in an instance's record behind its frozen items, as far as this version knows it.

The tail is kept as the bytes that came, so that what a later version adds goes wherever the
record goes. In this order it holds:

    source          text: what registered the instance
    report_stamp    the stamp of the service's last report of its status; 0 for the registration's
    output          text: what the service said with that report

An item that is not there, or is of another type, reads as its default; in the second case it is
kept. A record whose items all have their defaults has no tail.
"""

from functools import lru_cache
from typing import NamedTuple

from gossamer.gossip import STAMP_LIMIT, Malformed, RecordTooLarge, decode, encode
from gossamer.peers.model import (
    TAIL_BYTES,
    BadInput,
    check_output,
    check_source,
)


class TailTooLarge(RecordTooLarge):
    """What later versions wrote into a record leaves no room for what is to be written."""


class Tail(NamedTuple):
    """The items of a record's tail that are known."""

    source: str = "process"
    report_stamp: int = 0
    output: str = ""


_DEFAULT = Tail()


def read_tail(tail: bytes) -> Tail:
    """Return the known items of a tail, whatever else is in it."""
    return _read(tail) if tail else _DEFAULT


@lru_cache(maxsize=1024)
def _read(tail: bytes) -> Tail:
    items = _items(tail)
    known = _DEFAULT
    if len(items) > 0:
        known = known._replace(source=_source(items[0]))
    if len(items) > 1:
        known = known._replace(report_stamp=_stamp(items[1]))
    if len(items) > 2:
        known = known._replace(output=_output(items[2]))
    return known


def write_tail(
    tail: bytes = b"",
    *,
    source: str | None = None,
    report_stamp: int | None = None,
    output: str | None = None,
) -> bytes:
    """Return a tail with other values for the items that are given; all others stay as they are.

    Where the limit leaves too little room, the output is shortened: a status must not be lost
    for what is said with it.
    Raises `TailTooLarge` if the tail grows beyond its limit even without an output.
    """
    items = _items(tail) if tail else []
    if len(items) <= len(_DEFAULT):
        items += _DEFAULT[len(items) :]
    for position, value in enumerate((source, report_stamp, output)):
        if value is not None:
            items[position] = value
    excess = len(encode(items)) - TAIL_BYTES
    if excess > 0 and type(items[2]) is str:
        said = items[2].encode()
        items[2] = said[: max(0, len(said) - excess)].decode(errors="ignore")
    if len(items) == len(_DEFAULT):
        while items and encode(items[-1]) == encode(_DEFAULT[len(items) - 1]):
            del items[-1]
    written = encode(items) if items else b""
    if len(written) > TAIL_BYTES:
        raise TailTooLarge(
            "what a later version wrote into the instance's record leaves no room for this:"
            " register the instance again"
        )
    return written


def _items(tail: bytes) -> list[object]:
    try:
        items = decode(tail)
    except Malformed:
        return []
    return items if type(items) is list else []


def _source(value: object) -> str:
    try:
        return check_source(value)
    except BadInput:
        return _DEFAULT.source


def _stamp(value: object) -> int:
    return value if type(value) is int and 0 <= value <= STAMP_LIMIT else _DEFAULT.report_stamp


def _output(value: object) -> str:
    try:
        return check_output(value)
    except BadInput:
        return _DEFAULT.output
