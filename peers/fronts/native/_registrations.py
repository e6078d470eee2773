# Instances: register, renew, report, override, deregister.

from typing import Any

from gossamer.peers.catalog import Catalog
from gossamer.peers.model import Registration, RegistrationFields
from gossamer.peers.web import (
    HttpError,
    Request,
    Response,
    Route,
    expect_nothing,
    json_response,
    parse_query,
    read_object,
)

# The path names the id.
_INSTANCE_FIELDS = tuple(name for name in RegistrationFields.__annotations__ if name != "id")


class Registrations:
    """Registering instances and changing them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def routes(self) -> list[Route]:
        every = "/v1/services/{service}/instances"
        one = every + "/{id}"
        return [
            ("POST", every, self._register),
            ("PUT", one, self._register),
            ("GET", one, self._show),
            ("DELETE", one, self._deregister),
            ("PUT", one + "/heartbeat", self._heartbeat),
            ("PUT", one + "/report", self._report),
            ("PUT", one + "/status", self._set_status),
            ("DELETE", one + "/status", self._clear_status),
        ]

    def _register(self, request: Request) -> Response:
        parse_query(request.query, ())
        wishes: dict[str, Any] = read_object(request, _INSTANCE_FIELDS)  # the registry checks them
        if "port" not in wishes:
            raise HttpError(400, "The port is missing; give the one that consumers call.", "port")
        instance, created = self._catalog.register_or_replace(
            Registration(
                service=request.parameters["service"],
                id=request.parameters.get("id"),
                source="http",
                **wishes,
            )
        )
        return json_response(instance.to_json(), 201 if created else 200)

    def _show(self, request: Request) -> Response:
        parse_query(request.query, ())
        return json_response(self._catalog.find(*_names(request)).to_json())

    def _deregister(self, request: Request) -> Response:
        expect_nothing(request)
        return json_response(self._catalog.deregister(*_names(request)).to_json())

    def _heartbeat(self, request: Request) -> Response:
        expect_nothing(request)
        self._catalog.heartbeat(*_names(request))
        # Heartbeats are the most frequent writes, and their clients read only the status.
        return Response(204)

    def _report(self, request: Request) -> Response:
        wishes = _status_and(request, "output")
        return json_response(self._catalog.report(*_names(request), **wishes).to_json())

    def _set_status(self, request: Request) -> Response:
        wishes = _status_and(request, "reason", "expires")
        return json_response(self._catalog.set_status(*_names(request), **wishes).to_json())

    def _clear_status(self, request: Request) -> Response:
        expect_nothing(request)
        return json_response(self._catalog.clear_status(*_names(request)).to_json())


def _names(request: Request) -> tuple[str, str]:
    return request.parameters["service"], request.parameters["id"]


def _status_and(request: Request, *others: str) -> dict[str, Any]:
    """Return a body's status and other fields, whose values the registry checks."""
    parse_query(request.query, ())
    wishes: dict[str, Any] = read_object(request, ("status", *others))
    if "status" not in wishes:
        raise HttpError(400, "The status is missing; give UP, DOWN or another.", "status")
    return wishes
