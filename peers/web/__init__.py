"""A small HTTP/1.1 server on trio and h11; it knows nothing of the registry."""

from ._body import expect_nothing as expect_nothing, read_object as read_object
from ._front import HttpFront as HttpFront
from ._guard import is_local as is_local
from ._limits import HttpLimits as HttpLimits
from ._messages import (
    Answer as Answer,
    Handler as Handler,
    Headers as Headers,
    HttpError as HttpError,
    Pending as Pending,
    Request as Request,
    Response as Response,
    Send as Send,
    Streamed as Streamed,
    encode_json as encode_json,
    json_response as json_response,
    shorten as shorten,
)
from ._mounts import Mount as Mount, Place as Place, Remedies as Remedies, Site as Site
from ._router import Route as Route, Router as Router
from ._server import HttpServer as HttpServer
from ._target import Query as Query, parse_query as parse_query
