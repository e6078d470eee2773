# The keys of the mesh: any client may list them, and only the peer's own machine may change them.
#
# No key itself travels here.  A client names a new key by the path of a file; the peer reads the
# file with its own rights, and accepts it only if no other user could have written it.

from gossamer.peers.catalog import Operator
from gossamer.peers.web import (
    HttpError,
    Request,
    Response,
    Route,
    expect_nothing,
    is_local,
    json_response,
    parse_query,
    read_object,
)


class KeyRoutes:
    """Listing, adding, using and removing keys."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def routes(self) -> list[Route]:
        """Return what is served here."""
        return [
            ("GET", "/v1/keys", self._list),
            ("POST", "/v1/keys/add", self._add),
            ("POST", "/v1/keys/use", self._use),
            ("POST", "/v1/keys/remove", self._remove),
        ]

    def _list(self, request: Request) -> Response:
        expect_nothing(request)
        return json_response(self._operator.keys.list())

    def _add(self, request: Request) -> Response:
        body = _read(request, ("file", "plain"))
        file, plain = body.get("file"), body.get("plain", False)
        if type(plain) is not bool:
            raise HttpError(400, "plain must be true or false.", "plain")
        if plain is (file is not None):
            raise HttpError(400, 'Give either the "file" of keys to add, or "plain": true.', "file")
        if plain:
            self._operator.keys.add_plain()
        elif isinstance(file, str) and file.startswith("/") and "\0" not in file:
            self._operator.keys.add(file)
        else:
            raise HttpError(400, "file must be the absolute path of a key file.", "file")
        return json_response(self._operator.keys.list())

    def _use(self, request: Request) -> Response:
        key, force = _key(request)
        self._operator.keys.use(key, force=force)
        return json_response(self._operator.keys.list())

    def _remove(self, request: Request) -> Response:
        key, force = _key(request)
        self._operator.keys.remove(key, force=force)
        return json_response(self._operator.keys.list())


# Browsers and proxies send these headers, and programs on this machine do not.
_FOREIGN_HEADERS = (
    b"origin",
    b"sec-fetch-site",
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-real-ip",
)


def _read(request: Request, known: tuple[str, ...]) -> dict[str, object]:
    host = request.header(b"host")
    if (
        not request.from_here
        or any(request.header(name) is not None for name in _FOREIGN_HEADERS)
        # A page whose public name resolves to loopback (DNS rebinding).
        or (host is not None and not is_local(host))
    ):
        raise HttpError(
            403,
            "Keys change only at requests from the peer's own machine; send it there, to loopback.",
        )
    parse_query(request.query, ())
    return read_object(request, known)


def _key(request: Request) -> tuple[int, bool]:
    body = _read(request, ("id", "force"))
    force = body.get("force", False)
    if type(force) is not bool:
        raise HttpError(400, "force must be true or false.", "force")
    # The peer checks the id.
    key: int = body.get("id")  # type: ignore[assignment]
    return key, force
