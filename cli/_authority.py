"""The address of a peer's HTTP interface, as users write it."""

DEFAULT_HTTP = "127.0.0.1:8761"


def split_authority(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT` or `[IPv6]:PORT`.

    The ValueError has the end of a sentence about the text.
    """
    if text.startswith("[") and text.endswith("]"):
        raise ValueError(f"has no port; add one, as in {text}:8761")
    host, colon, digits = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("is ambiguous; put an IPv6 address in brackets, as in [fd00::7]:8761")
    digital = digits.isascii() and digits.isdigit()
    if not colon or not host or not digital or not host.isprintable() or set(host) & set(" /@?#[]"):
        raise ValueError("is not HOST:PORT, such as 127.0.0.1:8761")
    if len(digits) > 5 or not 0 < int(digits) <= 65535:
        raise ValueError(f"names port {digits[:20]}, and ports go from 1 to 65535")
    return host, int(digits)
