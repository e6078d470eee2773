# Keeps web pages off the peer.
#
# A peer listens on loopback by default and does not authenticate clients, so any page in a browser
# on the same machine could talk to it.  Programs are not browsers, and must be let through: curl
# sends no Origin, and its -d claims to be a form.  The rules, in their order:
#
# 1. On a loopback listener, `Host` must be an IP address, `localhost`, `*.localhost`, or a name
#    without a dot.  A page can be loaded from evil.example while that name resolves to 127.0.0.1
#    (DNS rebinding), and then the browser believes that it is the peer's own page; but a public
#    name has a dot.  A name without a dot is this machine's own (/etc/hosts).  Else 403.
# 2. A request that is not GET, HEAD or OPTIONS, and names an `Origin`, must come from the very
#    host and port that it is sent to.  Browsers name it on every such request, programs never do.
#    A request whose `Sec-Fetch-Site` is `cross-site` or `same-site` is refused as well.  Else 403.
# 3. Such a request must not be `text/plain` or `multipart/form-data`.  Only pages send these types,
#    and they may send them to any server without asking it first.  A form's third type is the one
#    that curl claims, and is accepted.  Else 415.
#
# The browser itself prevents reading from another origin: no answer has CORS headers.

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from ._messages import HttpError

_HOST = re.compile(r"(?:\[(?P<ipv6>[^]]*)\]|(?P<name>[^:]*?)\.?)(?::[0-9]*)?")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(
    method: str, headers: Sequence[tuple[bytes, bytes]], *, loopback: bool, remedy: str
) -> None:
    """Raise 403 or 415 for a request that a web page of another site made.

    `remedy` says what to do instead of asking a loopback listener by a public name.
    """
    host = origin = site = content_type = b""
    for name, value in headers:
        if name == b"host":
            host = value
        elif name == b"origin":
            origin = value
        elif name == b"sec-fetch-site":
            site = value
        elif name == b"content-type":
            content_type = value
    if loopback and host and not is_local(host):
        raise HttpError(
            403,
            f"This peer listens on loopback and does not answer to {_show(host)}; {remedy}.",
            "host",
        )
    if method in _SAFE:
        return
    if (origin and not _same_host(origin, host)) or site.lower() in {b"cross-site", b"same-site"}:
        raise HttpError(
            403,
            f"A page from {_show(origin or site)} must not change anything here;"
            " send the request without a browser.",
            "origin",
        )
    if content_type.split(b";")[0].strip().lower() in {b"text/plain", b"multipart/form-data"}:
        raise HttpError(
            415,
            f"A body of type {_show(content_type)} is not accepted; send application/json.",
            "content-type",
        )


@lru_cache(maxsize=128)
def is_local(host: bytes) -> bool:
    """Return whether a `Host` is this machine's or an address, and cannot be a public name."""
    match = _HOST.fullmatch(host.decode("latin-1").lower())
    if match is None:
        return False
    name = match["name"]
    if name is None:
        return _is_address(match["ipv6"])
    return "." not in name or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _same_host(origin: bytes, host: bytes) -> bool:
    # `null` (a sandboxed page, a local file) has no `://` and equals no host.
    _, separator, rest = origin.lower().partition(b"://")
    return bool(separator) and rest == host.lower()


def _show(value: bytes) -> str:
    return value[:80].decode("latin-1")
