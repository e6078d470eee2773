"""Strict CBOR: the few shapes that travel, and nothing else.

Arrays, texts, byte strings, integers, booleans and null; no maps, floats or tags (RFC 8949).
Every semantic tag is refused before its content is looked at: a regular expression in tag 35
takes 311 ms to build with the decoder's own settings, a bignum in tag 2 any amount of memory.
`decode` encodes the result again and compares, and so refuses trailing bytes and lengths that are
longer than necessary: each value has one encoding, and equal values have equal bytes.
"""

from typing import Any, NoReturn

import cbor2

# The tags that cbor2 has decoders of its own for; all others reach `tag_hook`.
_BUILT_IN_TAGS = (
    *(0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54),
    *(100, 256, 258, 260, 261, 1004, 43000, 55799),
)

# cbor2 counts the nesting below the outermost array.  A body takes three for the items of its
# messages; two more are for later versions, whose items may be arrays themselves.
_DEPTH_LIMIT = 5


class Malformed(ValueError):
    """The bytes are not one value of the permitted shapes; nothing was changed."""


class Unknown(Malformed):
    """The bytes are of a kind that this version does not know, and do no harm."""


def _refuse_tag(_decoder: object, _value: object = None) -> NoReturn:
    raise Malformed("semantic tags are refused")


_REFUSALS: dict[int, Any] = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)


def encode(value: object) -> bytes:
    """Return the one encoding of `value`."""
    return cbor2.dumps(value)


def decode(data: bytes) -> object:
    """Return the value that `data` encodes, or raise `Malformed`.

    The caller still checks types with `type(x) is`, since `bool` passes for `int`
    and floats are only refused by not being asked for.
    """
    try:
        value: object = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_REFUSALS,
            max_depth=_DEPTH_LIMIT,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        if cbor2.dumps(value) != data:
            raise Malformed("trailing bytes, or an encoding longer than need be")
    except Malformed:
        raise
    # cbor2 has its own classes of errors, but hostile input that finds a ValueError,
    # OverflowError or RecursionError in it must not end a peer.
    except Exception as error:
        raise Malformed(str(error)) from error
    return value


def known_items(items: list[object], known: int) -> list[object]:
    """Return the first `known` items of an array; those behind them are of a later version.

    Raises `Malformed` if there are fewer.
    """
    if len(items) < known:
        raise Malformed("an array has fewer items than it needs")
    return items[:known] if len(items) > known else items


def split_tail(items: list[object], known: int, limit: int) -> bytes:
    """Return what an array has behind its first `known` items; empty if there is nothing.

    It is an array of its own, to be kept as it is and given to `join_tail`: what a later version
    wrote passes through this one unread.  Raises `Malformed` if it has more than `limit` bytes.
    """
    if len(items) <= known:
        return b""
    tail = encode(items[known:])
    if len(tail) > limit:
        raise Malformed(f"the items behind the first {known} take more than {limit} bytes")
    return tail


def join_tail(items: list[object], tail: bytes) -> bytes:
    """Return the encoding of the known items and, behind them, of those that `tail` holds."""
    if not tail:
        return encode(items)
    data = encode(items)
    known, start = _array_head(data)
    more, tail_start = _array_head(tail)
    return _encode_head(known + more) + data[start:] + tail[tail_start:]


# How many items an array has, and where the first begins (RFC 8949, section 3).
def _array_head(data: bytes) -> tuple[int, int]:
    size = data[0] & 0x1F
    if size < 24:
        return size, 1
    width = 1 << (size - 24)
    return int.from_bytes(data[1 : 1 + width], "big"), 1 + width


def _encode_head(count: int) -> bytes:
    if count < 24:
        return bytes([0x80 | count])
    if count < 256:
        return bytes([0x98, count])
    return b"\x99" + count.to_bytes(2, "big")


def whole(value: object, limit: int) -> int:
    """Return `value` if it is an integer from 0 to `limit`, else raise `Malformed`."""
    if type(value) is not int or not 0 <= value <= limit:
        raise Malformed("an integer is out of range or of another type")
    return value


def text(value: object, limit: int) -> str:
    """Return `value` if it is a text of at most `limit` bytes, else raise `Malformed`."""
    if type(value) is not str or len(value) > limit or len(value.encode()) > limit:
        raise Malformed("a text is too long or of another type")
    return value


def blob(value: object, limit: int) -> bytes:
    """Return `value` if it is a byte string of at most `limit` bytes, else raise `Malformed`."""
    if type(value) is not bytes or len(value) > limit:
        raise Malformed("a byte string is too long or of another type")
    return value


def array(value: object, length: int | None = None) -> list[object]:
    """Return `value` if it is an array (of exactly `length` items), else raise `Malformed`."""
    if type(value) is not list or (length is not None and len(value) != length):
        raise Malformed("an array has another length or is of another type")
    return value
