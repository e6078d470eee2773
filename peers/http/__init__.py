"""A small HTTP/1.1 server on trio and h11, and the peer's native interface on it."""

from ._limits import HttpLimits as HttpLimits
from ._messages import (
    Answer as Answer,
    Handler as Handler,
    HttpError as HttpError,
    Pending as Pending,
    Request as Request,
    Response as Response,
    Streamed as Streamed,
)
from ._native import native_router as native_router, serve_http as serve_http
from ._router import Application as Application, Router as Router
from ._server import HttpServer as HttpServer
