"""What can go wrong with bytes and with the values in them, drawn from one random source."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import cbor2

from gossamer.gossip import Malformed, decode

_NUMBERS = (
    -1, 0, 1, 2, 23, 24, 255, 2**16, 2**31, 2**32 - 1, 2**32, 2**48, 2**53, 2**63 - 1, 2**63,
    2**64 - 1, -(2**63), 2**64, 1 << 600,
)  # fmt: skip
_TEXTS = ("", "p0", "p1", "p2", "nobody", "x" * 128, "x" * 129, "\0", "\x1b[2J", "é" * 70,
          "10.0.0.9", "::1", "i\norders\nmine-1", "o\norders\nmine-1", "i\n\n", "dc\nnorth",
          "i\norders")  # fmt: skip
_LISTS = (0, 3, 9, 300)
_KINDS = (*range(16), 255, 256)


def bytes_changed(data: bytes, rng: Random) -> bytes:
    """Return other bytes: flipped, cut, doubled, shuffled, grown, or any at all."""
    changed = bytearray(data)
    match rng.randrange(7):
        case 0:
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 1:
            for _ in range(rng.randrange(1, 9)):
                changed[rng.randrange(len(data))] = rng.randrange(256)
        case 2:
            del changed[rng.randrange(len(data)) :]
        case 3:
            at = rng.randrange(len(data))
            del changed[at : at + rng.randrange(1, 9)]
        case 4:
            at = rng.randrange(len(data))
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        case 5:
            at, other = rng.randrange(len(data)), rng.randrange(len(data))
            changed[at : at + 8] = data[other : other + 8]
        case _:
            return rng.randbytes(rng.randrange(64))
    return bytes(changed)


def value_changed(body: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Return the encoding of `body` with up to three of its values changed.

    Byte strings that hold values themselves (updates, entries, records) are changed within.
    """
    try:
        value: Any = decode(body)
        for _ in range(rng.randrange(1, 4)):
            value = _changed(value, others, rng, 0)
        return cbor2.dumps(value)
    except (Malformed, ValueError, OverflowError, RecursionError):
        return bytes_changed(body, rng)


def _changed(value: Any, others: Sequence[bytes], rng: Random, depth: int) -> Any:
    if isinstance(value, list) and value and (depth == 0 or rng.random() < 0.75):
        at = rng.randrange(len(value))
        match rng.randrange(14):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case 2:
                other = rng.randrange(len(value))
                swapped = list(value)
                swapped[at], swapped[other] = swapped[other], swapped[at]
                return swapped
            case 3:
                return [*value[:at], *(value[at : at + 3] * rng.choice((2, 50))), *value[at:]]
            case 4:  # as a later version does
                return [*value, *(_anything(rng, others) for _ in range(rng.randrange(1, 4)))]
            case 5 if type(value[0]) is int:  # a kind, known or not
                return [rng.choice(_KINDS), *value[1:]]
            case _:
                return [*value[:at], _changed(value[at], others, rng, depth + 1), *value[at + 1 :]]
    if isinstance(value, bytes) and len(value) > 3 and value[0] & 0xE0 == 0x80:
        return value_changed(value, others, rng) if rng.random() < 0.9 else rng.choice(others)
    if type(value) is int and rng.random() < 0.5:
        return value + rng.choice((-1000, -1, 1, 2, 1000, 86_400_000))
    return _anything(rng, others)


def _nested(rng: Random) -> Any:
    value: Any = 0
    for _ in range(rng.choice((3, 5, 50, 400))):
        value = [value]
    return value


def _anything(rng: Random, others: Sequence[bytes]) -> Any:
    choices: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice(_NUMBERS),
        lambda: rng.choice(_NUMBERS),
        lambda: rng.choice(_TEXTS),
        lambda: rng.choice(_TEXTS),
        lambda: rng.randbytes(rng.choice((0, 1, 8, 16, 17, 128, 1401))),
        lambda: rng.choice(others),
        lambda: rng.choice((None, True, False, 1.5, float("inf"), float("nan"))),
        lambda: {rng.choice(_TEXTS): rng.choice(_NUMBERS)},
        lambda: cbor2.CBORTag(rng.choice((1, 2, 35, 256, 55799)), "(a+)+$"),
        lambda: [rng.choice(_NUMBERS) for _ in range(rng.choice(_LISTS))],
        lambda: _nested(rng),
    )
    return rng.choice(choices)()
