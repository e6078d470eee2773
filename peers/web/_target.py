# From a request target (RFC 9112, section 3.2) to path segments and a query.
#
# The path is split first and decoded after, so that %2F stays inside its segment.  Empty segments
# are kept: whether `//` means `/` is for a route to say.

from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from ._messages import HttpError, shorten

# No route knows more than a handful of query parameters.
QUERY_PARAMETERS = 32


# Clients ask the same few questions again and again; long ones are not worth the memory.
CACHED_TARGETS = 1024
CACHED_TARGET_BYTES = 256


def parse_target(target: bytes) -> tuple[tuple[str, ...], str]:
    """Return decoded path segments and the raw query; raise 400 for what is neither."""
    return _parse(target) if len(target) > CACHED_TARGET_BYTES else _parse_cached(target)


def _parse(target: bytes) -> tuple[tuple[str, ...], str]:
    # h11 lets pass what is printable in ASCII, and nothing else.
    path, _, query = target.decode("ascii").partition("?")
    if not path.startswith("/"):
        path = _path_of_absolute(path)
    # A fragment is the client's own business and must not be sent; `#` cannot be meant.
    if "#" in path or "#" in query:
        raise HttpError(400, "The request target has a '#'; write it as %23.")
    return tuple(_decode(segment) for segment in path[1:].split("/")), query


_parse_cached = lru_cache(maxsize=CACHED_TARGETS)(_parse)


def _path_of_absolute(target: str) -> str:
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        raise HttpError(400, "The request target is not a path; begin it with '/'.")
    _, slash, path = rest.partition("/")
    return slash + path if slash else "/"


def guess_segments(opening: bytes) -> tuple[str, ...]:
    """Return the path's segments as far as the first bytes of a request tell them; never raises.

    For refusals of requests that are not whole, or not even HTTP.
    """
    line = opening.lstrip(b"\r\n").partition(b"\r\n")[0].split(b" ")
    if len(line) < 2 or not line[1].startswith(b"/"):
        return ()
    path = line[1].partition(b"?")[0].decode("latin-1")
    return tuple(unquote(segment, errors="replace") for segment in path[1:].split("/"))


def _decode(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise HttpError(400, "The path is not UTF-8; percent-encode it as UTF-8.") from None


class Query(dict[str, str]):
    """The parameters of a query by name; of one that may be repeated, the first."""

    def __init__(self) -> None:
        super().__init__()
        self._repeated: dict[str, list[str]] = {}

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may be repeated, in the order given."""
        return tuple(self._repeated.get(name, ()))

    def _add(self, name: str, value: str) -> None:
        self.setdefault(name, value)
        self._repeated.setdefault(name, []).append(value)


def parse_query(query: str, known: tuple[str, ...], *, repeated: tuple[str, ...] = ()) -> Query:
    """Return the query's parameters; raise 400, by name, for one that is unknown or repeated.

    Those in `repeated` are known as well, and may be given any number of times.
    """
    found = Query()
    if not query:
        return found
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=QUERY_PARAMETERS
        )
    except UnicodeDecodeError:
        raise HttpError(400, "The query is not UTF-8; percent-encode it as UTF-8.") from None
    except ValueError:
        raise HttpError(
            400, f"The query has more than {QUERY_PARAMETERS} parameters; send fewer."
        ) from None
    for name, value in pairs:
        if name in repeated:
            found._add(name, value)
        elif name not in known:
            every = (*known, *repeated)
            expected = ", ".join(every) if every else "none"
            field = shorten(name)
            raise HttpError(400, f"There is no parameter {field!r} here; known: {expected}.", field)
        elif name in found:
            raise HttpError(400, f"The parameter {name} is given twice; give it once.", name)
        else:
            found[name] = value
    return found
