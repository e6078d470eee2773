# What the peer knows: itself, its members, its services.

import re
from collections.abc import Callable, Mapping
from functools import partial

from gossamer.peers.catalog import Catalog, Operator
from gossamer.peers.model import Lookup, missing
from gossamer.peers.web import (
    Answer,
    Headers,
    HttpError,
    Pending,
    Request,
    Response,
    Route,
    Streamed,
    json_response,
    parse_query,
)

from ._cache import AnswerCache
from ._limits import NativeLimits
from ._streams import send_events, wait_for_change

_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_FLAGS = {"": True, "true": True, "1": True, "false": False, "0": False}


class Views:
    """What the peer knows."""

    def __init__(self, catalog: Catalog, operator: Operator, limits: NativeLimits) -> None:
        self._catalog = catalog
        self._operator = operator
        self._limits = limits
        self._answers = AnswerCache()

    def routes(self) -> list[Route]:
        """Return what is served here."""
        return [
            ("GET", "/v1/info", self._info),
            ("GET", "/v1/members", self._members),
            ("GET", "/v1/services", self._services),
            ("GET", "/v1/services/{service}", self._lookup),
            ("GET", "/v1/watch", self._watch),
        ]

    def _info(self, request: Request) -> Response:
        parse_query(request.query, ())
        return json_response(self._operator.info())

    def _members(self, request: Request) -> Response:
        parse_query(request.query, ())
        return json_response({"members": [each.to_json() for each in self._catalog.members()]})

    def _services(self, request: Request) -> Response:
        parse_query(request.query, ())
        return json_response({"services": [each._asdict() for each in self._catalog.services()]})

    def _lookup(self, request: Request) -> Answer:
        query = parse_query(request.query, ("tag", "zone", "all", "wait", "index"))
        service = request.parameters["service"]
        every = _FLAGS.get(query.get("all", "0").lower())
        if every is None:
            raise HttpError(400, "all must be true or false.", "all")
        # A form sends an empty filter for a field that the user left empty.
        ask = partial(
            self._answer, service, query.get("tag") or None, query.get("zone") or None, every
        )
        index = _read_index(query)
        wait = self._read_wait(query)
        if not wait:
            return ask()
        return Pending(partial(self._poll, service, index, wait, ask), abandoned=True)

    async def _poll(
        self, service: str, index: int | None, wait: float, ask: Callable[[], Response]
    ) -> Response:
        await wait_for_change(self._catalog, service, index, wait)
        return ask()

    def _answer(self, service: str, tag: str | None, zone: str | None, all: bool) -> Response:
        found = self._catalog.lookup(service, tag=tag, zone=zone, all=all)
        question = (service, tag, zone, all)
        known = self._answers.get(question, found)
        if known is not None:
            return known
        if not self._catalog.knows(service):
            error = missing(service)
            raise HttpError(404, str(error), error.field, _index_header(found))
        response = json_response(found.to_json(), headers=_index_header(found))
        self._answers.put(question, found, response)
        return response

    def _read_wait(self, query: Mapping[str, str]) -> float:
        given = query.get("wait", "0")
        wait = float(given) if _SECONDS.fullmatch(given) else -1.0
        if not 0 <= wait <= self._limits.wait:
            raise HttpError(
                400, f"wait must be a number of seconds from 0 to {self._limits.wait:g}.", "wait"
            )
        return wait

    def _watch(self, request: Request) -> Streamed:
        query = parse_query(request.query, ("service",))
        service = query.get("service")
        if service == "":
            raise HttpError(400, "service must not be empty; leave it out for all.", "service")
        write = partial(send_events, self._catalog, service, self._limits.keep_alive)
        # A proxy that waits for the end of an answer would never show anything.
        headers = ((b"Cache-Control", b"no-store"), (b"X-Accel-Buffering", b"no"))
        return Streamed(b"text/event-stream; charset=utf-8", write, headers)


def _read_index(query: Mapping[str, str]) -> int | None:
    given = query.get("index")
    if given is None:
        return None
    if not _WHOLE.fullmatch(given):
        raise HttpError(400, "index must be the number from X-Gossamer-Index.", "index")
    return int(given)


def _index_header(lookup: Lookup) -> Headers:
    return ((b"X-Gossamer-Index", b"%d" % lookup.index),)
