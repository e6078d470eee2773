# The peer's own interface, under /v1/ and /health/.
#
# Every handler checks its whole input before it asks the peer for anything.  The registry checks
# the values of an instance, so that every interface has the same rules.

from collections.abc import Awaitable, Callable
from functools import partial

from gossamer.peers.catalog import Catalog, Operator
from gossamer.peers.model import (
    METADATA_VALUE_LENGTH,
    RECORD_BYTES,
    BadInput,
    Conflict,
    GossamerError,
    NotFound,
    TooLarge,
    Unavailable,
)
from gossamer.peers.web import (
    Answer,
    Handler,
    HttpError,
    Pending,
    Remedies,
    Request,
    Response,
    Route,
    json_response,
)

from ._key_routes import KeyRoutes
from ._limits import NativeLimits
from ._operations import Operations
from ._registrations import Registrations
from ._views import Views

_STATUSES: tuple[tuple[type[GossamerError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (Unavailable, 503),
    (BadInput, 400),
)


class NativeMount:
    """The native interface; only this mount has an operator's rights."""

    name = "native"
    prefixes = ("/v1", "/health")
    remedies = Remedies(
        unknown_path="the interface begins at /v1/",
        large_body=f"send less: a record may have {RECORD_BYTES},"
        f" and each metadata value {METADATA_VALUE_LENGTH} characters",
        foreign_host="ask 127.0.0.1 or localhost, or name another address with the setting http",
    )

    def __init__(self, operator: Operator, limits: NativeLimits = NativeLimits()) -> None:
        self._operator = operator
        self._limits = limits

    def routes(self, catalog: Catalog) -> list[Route]:
        """Return what is served."""
        operator = self._operator
        return [
            (method, pattern, partial(_refusing, handler))
            for routes in (
                Views(catalog, operator, self._limits).routes(),
                Registrations(catalog).routes(),
                Operations(catalog, operator).routes(),
                KeyRoutes(operator).routes(),
            )
            for method, pattern, handler in routes
        ]

    def refuse(self, error: HttpError) -> Response:
        """Return an error in the one shape that all native errors have."""
        return json_response({"error": str(error), "field": error.field}, error.status)


def _refusing(handler: Handler, request: Request) -> Answer:
    """Call the handler; turn the registry's errors into HTTP's."""
    try:
        answer = handler(request)
    except GossamerError as error:
        raise _as_http(error) from error
    if isinstance(answer, Pending):
        answer.wait = partial(_refusing_later, answer.wait)
    return answer


async def _refusing_later(wait: Callable[[], Awaitable[Response]]) -> Response:
    try:
        return await wait()
    except GossamerError as error:
        raise _as_http(error) from error


def _as_http(error: GossamerError) -> HttpError:
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return HttpError(status, str(error), error.field)
    return HttpError(500, str(error), error.field)
