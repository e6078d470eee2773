"""What web pages must not do, and what programs must not be kept from."""

import pytest
from http_wire import SomeApi, open_lab

from gossamer.peers.web import HttpError, Request, Response, is_local
from gossamer.peers.web._guard import check_origin


def check(method: str, *, loopback: bool = True, **headers: str) -> int:
    """Return the status of the refusal, or 200."""
    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    try:
        check_origin(method, named, loopback=loopback, remedy="ask localhost")
    except HttpError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8761",
        "LOCALHOST",
        "localhost.",
        "app.localhost:80",
        "127.0.0.1",
        "127.0.0.1:8761",
        "10.0.0.5:8761",
        "[::1]",
        "[::1]:8761",
        "eureka-1:8761",
        "",
    ],
)
def test_names_that_can_only_be_local_are_served(host: str) -> None:
    """An address, localhost, or a name of /etc/hosts."""
    assert check("GET", host=host) == 200
    assert check("PUT", host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8761",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example.",
        "[evil.example]",
        "1.2.3",
        "[::1].evil.example",
        "a:b:c",
    ],
)
def test_public_names_are_refused_on_loopback_only(host: str) -> None:
    """A page that had its name rebound to 127.0.0.1 reads nothing; a real name is served."""
    assert not is_local(host.encode())
    assert check("GET", host=host) == 403
    assert check("GET", host=host, loopback=False) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("https://evil.example:8761", 403),
        ("http://localhost", 403),  # another port is another site
        ("http://localhost:3000", 403),
        ("http://127.0.0.1:8761", 403),
        ("null", 403),
        ("localhost:8761", 403),
        ("http://localhost:8761", 200),
        ("http://LOCALHOST:8761", 200),
    ],
)
@pytest.mark.parametrize("loopback", [True, False])
def test_pages_of_others_change_nothing(
    method: str, origin: str, status: int, loopback: bool
) -> None:
    """Only a page that came from this very host and port may, such as a dashboard."""
    assert check(method, loopback=loopback, host="localhost:8761", origin=origin) == status


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_across_sites_change_nothing(site: str) -> None:
    """Browsers say so also where they leave out the origin."""
    assert check("POST", host="localhost", sec_fetch_site=site) == 403
    assert check("GET", host="localhost", sec_fetch_site=site) == 200
    for harmless in ("same-origin", "none"):
        assert check("POST", host="localhost", sec_fetch_site=harmless) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_left_to_the_browser(method: str) -> None:
    """It keeps the answer from the page, since no header allows it."""
    assert check(method, host="localhost", origin="http://evil.example") == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200),  # curl -d
        ("application/xml", 200),  # Eureka's clients
        ("text/xml", 200),
        ("text/plain", 415),
        ("TEXT/PLAIN; charset=utf-8", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_bodies_that_only_pages_send_are_refused(content_type: str, status: int) -> None:
    """The types that a page may send anywhere unasked, except the one that curl claims."""
    assert check("POST", host="localhost", content_type=content_type) == status


async def test_the_guard_stands_before_every_route() -> None:
    """A refused request reaches no handler, and the connection goes on."""
    reached: list[str] = []

    def handler(request: Request) -> Response:
        reached.append(request.method)
        return Response(200)

    async with open_lab(SomeApi([("POST", "/a", handler)]).place()) as lab:
        wire = lab.connect()
        refused = await wire.ask("POST", "/a", b"x", Origin="http://evil.example")
        assert refused.status == 403
        assert "evil.example" in refused.error
        assert reached == []
        assert (await wire.ask("POST", "/a", b"x")).status == 200
