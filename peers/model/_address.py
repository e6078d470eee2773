"""Addresses, as users write them and as they travel."""

from ipaddress import IPv6Address, ip_address

from gossamer.gossip import Address

from ._errors import BadInput


def parse_address(text: object, field: str) -> Address:
    """Return host and port of `HOST:PORT` or `[IPv6]:PORT`; port 0 is allowed.

    The host may be a name; this function resolves nothing.
    Raises `BadInput` that names `field`.
    """
    if not isinstance(text, str):
        raise BadInput(field, f"{field} must be HOST:PORT, not {text!r}")
    if "," in text:
        raise BadInput(field, f"{field} {text!r} has several addresses: give each one by itself")
    if text.startswith("[") and text.endswith("]"):
        raise BadInput(field, f"{field} {text!r} has no port: add one, as in {text}:7940")
    host, colon, digits = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise BadInput(field, f"{field} {text!r} has no IPv6 address in its brackets")
    elif ":" in host:
        raise BadInput(
            field,
            f"{field} {text!r} is ambiguous: put an IPv6 address in brackets, as in [::1]:7940",
        )
    if not colon or not is_host(host):
        raise BadInput(field, f"{field} {text!r} is not HOST:PORT, as in 10.0.0.7:7940")
    if not (digits.isascii() and digits.isdigit()):
        raise BadInput(field, f"{field} {text!r} must end in a port number, as in {host}:7940")
    if len(digits) > 5 or int(digits) > 65535:
        raise BadInput(field, f"{field} {text!r} has a port beyond 65535")
    return host, int(digits)


def format_address(address: Address) -> str:
    """Return `HOST:PORT`, with brackets around an IPv6 address."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def numeric(host: str) -> str | None:
    """Return the plain form of a numeric IP address, or None if `host` is a name.

    An IPv4-mapped IPv6 address (`::ffff:10.0.0.7`) becomes the IPv4 address, so that a peer has
    one address, with and without a dual-stack socket.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.scope_id is not None:
            return None
    return str(address)


def is_loopback(host: str) -> bool:
    """Whether a numeric address leads only to the same host."""
    return ip_address(host).is_loopback


def is_wildcard(host: str) -> bool:
    """Whether `host` means all addresses of a host."""
    return host in ("0.0.0.0", "::")


def is_host(host: str) -> bool:
    """Whether `host` has the form of a host name or a numeric address."""
    return (
        0 < len(host) <= 253
        and host.isprintable()
        and not any(character in host for character in " /@?#[]\\'\"")
    )


def _is_ipv6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address)
    except ValueError:
        return False
