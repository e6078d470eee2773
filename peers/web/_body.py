# JSON bodies, read strictly: Python's parser accepts some things that no client can have meant,
# and this file refuses them.

import json
from collections import Counter
from collections.abc import Mapping
from json import JSONDecodeError
from math import isfinite

from ._messages import HttpError, Request, shorten
from ._target import parse_query


def read_object(request: Request, known: tuple[str, ...]) -> dict[str, object]:
    """Return the fields of a body that is one JSON object; an empty body has none.

    Raises 400 that names a field which is unknown or given twice.
    It does not check the values; the caller does.
    """
    if not request.body:
        return {}
    found = _parse(request.body)
    if not isinstance(found, dict):
        raise HttpError(400, "The body must be one JSON object, in braces.")
    for name in found:
        if name not in known:
            expected = ", ".join(known) if known else "none"
            field = shorten(name)
            raise HttpError(400, f"There is no field {field!r} here; known: {expected}.", field)
    return found


def expect_nothing(request: Request) -> None:
    """Raise 400 for a request with a query or a body, where a route uses neither."""
    parse_query(request.query, ())
    read_object(request, ())


def _parse(body: bytes) -> object:
    try:
        return json.loads(
            # If it is given bytes, the parser also accepts UTF-16 and UTF-32.
            body.decode("utf-8"),
            object_pairs_hook=_once_each,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8; encode it as UTF-8.") from None
    except RecursionError:
        raise HttpError(400, "The body is nested too deeply; no field needs that.") from None
    except JSONDecodeError as error:
        raise HttpError(
            400, f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError:
        # Only the parser of whole numbers raises this: Python refuses thousands of digits.
        raise HttpError(
            400, "The body has a number that is too long; no field needs that."
        ) from None


def _once_each(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = shorten(Counter(name for name, _ in pairs).most_common(1)[0][0])
        raise HttpError(400, f"The field {twice!r} is given twice; give it once.", twice)
    return found


def _refuse_constant(name: str) -> object:
    raise HttpError(400, f"The body has {name}, which is not JSON; use a number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise HttpError(400, "The body has a number that is too large; use a smaller one.")
    return number
