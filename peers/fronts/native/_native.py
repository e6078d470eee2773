# The peer's own interface, under /v1/ and /health/.
#
# Every handler checks its whole input before it asks anything of the peer; what the values of an
# instance may be is the registry's to say, so that every way in has the same rules.

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from gossamer.peers.model import BadInput, Conflict, GossamerError, NotFound, TooLarge, Unavailable
from gossamer.peers.runtime import Peer
from gossamer.peers.web import (
    Answer,
    Handler,
    HttpError,
    HttpLimits,
    HttpServer,
    Pending,
    Request,
    Response,
    Router,
)

from ._key_routes import KeyRoutes
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


async def serve_http(
    peer: Peer,
    host: str,
    port: int,
    *,
    limits: HttpLimits = HttpLimits(),
    task_status: trio.TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve a peer's interface until cancelled; report the bound address once it accepts.

    Raises `OSError` when the address is taken or is not this machine's.
    """
    counters: Counter[str] = Counter()
    server = HttpServer(native_router(peer, limits, counters), limits, counters)
    await server.listen(host, port, task_status=task_status)


def native_router(peer: Peer, limits: HttpLimits, counters: Counter[str]) -> Router:
    """Return the routes of one peer; `counters` are those of the server that serves them."""
    router = Router()
    views = Views(peer, limits, counters)
    for routes in (
        views.routes(),
        Registrations(peer).routes(),
        Operations(peer).routes(),
        KeyRoutes(peer).routes(),
    ):
        for method, pattern, handler in routes:
            router.add(method, pattern, partial(_refusing, handler))
    return router


def _refusing(handler: Handler, request: Request) -> Answer:
    """Answer with the registry's own errors as what they are in HTTP."""
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
