# What operators ask of a peer, and what supervisors of its process ask.

from functools import partial

from gossamer.peers.catalog import Catalog, Operator
from gossamer.peers.model import BadInput, format_address, missing
from gossamer.peers.web import (
    HttpError,
    Pending,
    Request,
    Response,
    Route,
    encode_json,
    expect_nothing,
    json_response,
    parse_query,
    read_object,
)


class Operations:
    """Joining, leaving, accepting a loss, and health."""

    def __init__(self, catalog: Catalog, operator: Operator) -> None:
        self._catalog = catalog
        self._operator = operator

    def routes(self) -> list[Route]:
        """Return what is served here."""
        return [
            ("POST", "/v1/accept-loss", self._accept_loss),
            ("POST", "/v1/services/{service}/accept-loss", self._accept_loss),
            ("POST", "/v1/join", self._join),
            ("POST", "/v1/leave", self._leave),
            ("GET", "/health/live", self._live),
            ("GET", "/health/ready", self._ready),
        ]

    def _accept_loss(self, request: Request) -> Response:
        expect_nothing(request)
        service = request.parameters.get("service")
        if service is not None and not self._catalog.knows(service):
            raise missing(service)
        return json_response({"dropped": self._operator.accept_loss(service)})

    def _join(self, request: Request) -> Pending:
        parse_query(request.query, ())
        addresses = read_object(request, ("addresses",)).get("addresses")
        if (
            not isinstance(addresses, list)
            or not addresses
            or not all(isinstance(each, str) for each in addresses)
        ):
            raise HttpError(400, 'addresses must be a list like ["10.0.0.7:7940"].', "addresses")
        # Resolving names takes time; the peer finishes even if the client goes away.
        return Pending(partial(self._join_all, addresses), abandoned=False)

    async def _join_all(self, addresses: list[str]) -> Response:
        try:
            joined = await self._operator.join(addresses)
        except BadInput as error:
            # The peer calls it `join`, as its configuration does.
            raise HttpError(400, str(error), "addresses") from error
        return json_response({"addresses": [format_address(each) for each in joined]})

    def _leave(self, request: Request) -> Response:
        expect_nothing(request)
        # Only after the answer is sent: the server ends with the peer.
        return Response(202, encode_json({"leaving": True}), then=self._operator.request_leave)

    def _live(self, request: Request) -> Response:
        return json_response({"status": "live"})

    def _ready(self, request: Request) -> Response:
        condition = self._catalog.condition()
        if condition.leaving:
            raise HttpError(503, "The peer is leaving; ask another one.")
        if not condition.joined:
            raise HttpError(503, "The peer has not joined the mesh; see whether a seed answers.")
        return json_response({"status": "ready"})
