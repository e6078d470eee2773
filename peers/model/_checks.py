"""The checks of the registry's values: the same for the input of users and for the mesh.

A check returns the value in the form in which the registry keeps it, or raises `BadInput` with the
sentence for the user.  The decoder of records calls the same checks, and only counts failures.
So no peer refuses an instance that another peer accepted.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from unicodedata import category

from ._errors import BadInput
from ._limits import (
    ADDRESS_LENGTH,
    BY_LENGTH,
    EXPIRES_MOST,
    ID_LENGTH,
    KEY_BYTES,
    METADATA_KEY_LENGTH,
    METADATA_PAIRS,
    METADATA_VALUE_LENGTH,
    OUTPUT_BYTES,
    REASON_LENGTH,
    SERVICE_LENGTH,
    SOURCE_LENGTH,
    TAG_COUNT,
    TAG_LENGTH,
    TTL_LEAST,
    TTL_MOST,
    WEIGHT_MOST,
    ZONE_LENGTH,
)

OVERRIDE_STATUSES = ("UP", "DOWN", "STARTING", "OUT_OF_SERVICE")
STATUSES = (*OVERRIDE_STATUSES, "UNKNOWN")

# Control characters would garble terminals and logs, surrogates have no UTF-8, and many programs
# treat the two separators as ends of lines. No version of Unicode adds to these categories.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Host names have no underscores, but container networks use them.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)


def check_text(field: str, value: object, most: int, least: int = 1) -> str:
    """Return a text of `least` to `most` characters, without control characters."""
    if type(value) is not str:
        raise BadInput(field, f"{field} must be text, not {_kind(value)}")
    if len(value) < least:
        raise BadInput(field, f"{field} must not be empty")
    if len(value) > most:
        raise BadInput(field, f"{field} must have at most {most} characters, not {len(value)}")
    if not value.isprintable() and any(category(c) in _REFUSED_CATEGORIES for c in value):
        raise BadInput(field, f"{field} must not contain control characters; remove them")
    return value


def check_name(field: str, value: object, most: int) -> str:
    """Return a name of a service or an instance.

    It refuses a slash, `.` and `..`: names are segments of paths, and clients and proxies rewrite
    these, even if they are escaped.
    """
    name = check_text(field, value, most)
    if "/" in name or name in {".", ".."}:
        raise BadInput(field, f"{field} must not contain '/' or be '.' or '..'; rename it")
    if name != name.strip():
        raise BadInput(field, f"{field} must not begin or end with a space; remove it")
    return name


def check_names(service: object, id: object) -> tuple[str, str]:
    """Return the two names of an instance."""
    names = check_name("service", service, SERVICE_LENGTH), check_name("id", id, ID_LENGTH)
    if sum(len(name.encode()) for name in names) + len("i\n\n") > KEY_BYTES:
        raise BadInput(
            "id",
            f"service and id must have at most {KEY_BYTES - 3} bytes together in UTF-8;"
            " use a shorter id",
        )
    return names


def check_address(value: object) -> str:
    """Return an IP address or a host name."""
    address = check_text("address", value, ADDRESS_LENGTH)
    try:
        parsed = ip_address(address)
    except ValueError:
        return _check_host(address)
    if parsed.is_unspecified or parsed.is_multicast:
        raise BadInput(
            "address",
            f"address {address} is not the address of a host;"
            " give the address that consumers connect to",
        )
    if "%" in address:
        raise BadInput(
            "address",
            f"address {address} has a scope, which only this host understands; give one without",
        )
    return address


def _check_host(host: str) -> str:
    labels = host.split(".")
    # Many resolvers read a name whose last label has only digits as an IPv4 address.
    if not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise BadInput(
            "address", f"address {host!r} is neither an IP address without brackets nor a host name"
        )
    return host


def check_port(value: object) -> int:
    """Return a port that can be connected to."""
    return _check_whole("port", value, 1, 65_535)


def check_weight(value: object) -> int:
    """Return a weight; an instance with weight 0 is chosen only if there is no other."""
    return _check_whole("weight", value, 0, WEIGHT_MOST)


def _check_whole(field: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadInput(
            field, f"{field} must be a whole number from {least} to {most}, not {_show(value)}"
        )
    return value


def check_status(value: object) -> str:
    """Return an own status, which a service can report."""
    return _check_word("status", value, STATUSES)


def check_override_status(value: object) -> str:
    """Return a status that an operator can set."""
    return _check_word("status", value, OVERRIDE_STATUSES)


def _check_word(field: str, value: object, words: tuple[str, ...]) -> str:
    if type(value) is not str or value not in words:
        raise BadInput(field, f"{field} must be one of {', '.join(words)}, not {_show(value)}")
    return value


def check_tags(value: object) -> tuple[str, ...]:
    """Return tags in the order given, each once."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise BadInput("tags", f"tags must be a list of texts, not {_kind(value)}")
    tags = tuple(dict.fromkeys(check_text("tags", tag, TAG_LENGTH) for tag in value))
    if len(tags) > TAG_COUNT:
        raise BadInput("tags", f"tags must have at most {TAG_COUNT} items, not {len(tags)}")
    return tags


def check_metadata(value: object) -> tuple[tuple[str, str], ...]:
    """Return metadata as pairs in the order given."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise BadInput("metadata", f"metadata must be pairs of texts, not {_kind(value)}")
    if len(value) > METADATA_PAIRS:
        raise BadInput(
            "metadata",
            f"metadata must have at most {METADATA_PAIRS} pairs, not {len(value)}",
        )
    return tuple(check_pair(key, text) for key, text in value.items())


def check_pair(key: object, value: object) -> tuple[str, str]:
    """Return one pair of the metadata."""
    try:
        key = check_text("metadata key", key, METADATA_KEY_LENGTH)
        return key, check_text(f"metadata value of {key}", value, METADATA_VALUE_LENGTH, least=0)
    except BadInput as error:
        raise BadInput("metadata", str(error)) from None


def check_zone(value: object) -> str | None:
    """Return a zone, or None for none."""
    return None if value is None else check_text("zone", value, ZONE_LENGTH)


def check_ttl(value: object) -> int | None:
    """Return the milliseconds of a lease given in seconds, or None for none."""
    if value is None:
        return None
    return _check_seconds("ttl", value, TTL_LEAST, TTL_MOST)


def check_expires(value: object) -> int | None:
    """Return the milliseconds of an override's life given in seconds, or None for no end."""
    if value is None:
        return None
    return _check_seconds("expires", value, 0.001, EXPIRES_MOST)


def _check_seconds(field: str, value: object, least: float, most: float) -> int:
    # NaN, and a number that is too large for a float, fail one of the comparisons.
    if (type(value) is not int and type(value) is not float) or not least <= value <= most:
        raise BadInput(
            field,
            f"{field} must be a number of seconds from {least:g} to {most:.0f}, not {_show(value)}",
        )
    return round(value * 1000)


def check_reason(value: object) -> str | None:
    """Return the reason of an override, or None for none."""
    return None if value is None else check_text("reason", value, REASON_LENGTH)


def check_by(value: object) -> str:
    """Return the author of an override."""
    return check_text("by", value, BY_LENGTH)


def check_source(value: object) -> str:
    """Return the source of an instance's registration; a later version may have more words."""
    return check_text("source", value, SOURCE_LENGTH)


def clean_output(value: object) -> str:
    """Return the output of a report in the form in which it is kept: short, without controls.

    The output comes from programs, and a status must not be lost because of a program's output.
    So control characters are replaced, and a long output is cut after a whole character.
    Only a value that is not a text is refused.
    """
    if value is None:
        return ""
    if type(value) is not str:
        raise BadInput("output", f"output must be text, not {_kind(value)}")
    # Each character has at least one byte, so this slice bounds the cost for a text of any length.
    text = "".join(c if _is_harmless(c) else "\ufffd" for c in value[:OUTPUT_BYTES])
    return text.encode()[:OUTPUT_BYTES].decode(errors="ignore")


def check_output(value: object) -> str:
    """Return an output if it has the form that `clean_output` returns."""
    if type(value) is not str or clean_output(value) != value:
        raise BadInput("output", f"output must be text of at most {OUTPUT_BYTES} bytes")
    return value


def _is_harmless(character: str) -> bool:
    return character in "\n\t" or category(character) not in _REFUSED_CATEGORIES


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _show(value: object) -> str:
    try:
        shown = repr(value)
    except ValueError:
        # Python does not convert integers of thousands of digits to text.
        return "that"
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
