"""Several APIs on one server: whose path it is, and whose form an error has."""

from collections.abc import Sequence

import pytest
import trio
from http_wire import SomeApi, open_lab

from gossamer.peers.web import (
    HttpError,
    HttpLimits,
    Remedies,
    Request,
    Response,
    Route,
    Site,
    parse_query,
)

LIMITS = HttpLimits(head_bytes=1_000, body_bytes=100)


def hello(request: Request) -> Response:
    return Response(200, b"hello")


def fail(request: Request) -> Response:
    raise LookupError("a fault of the handler")


def refuse(request: Request) -> Response:
    raise HttpError(409, "Not now.", "when", ((b"Retry-After", b"1"),))


def routes_under(prefix: str) -> list[Route]:
    return [
        ("GET", prefix + "/hello", hello),
        ("PUT", prefix + "/hello", hello),
        ("GET", prefix + "/fail", fail),
        ("GET", prefix + "/refuse", refuse),
    ]


def in_plain_text(error: HttpError) -> Response:
    return Response(error.status, f"plain: {error}".encode(), b"text/plain")


NATIVE = SomeApi(routes_under("/v1"), name="native", prefixes=("/v1", "/health"))
PLAIN = SomeApi(
    routes_under("/v1/agent"),
    name="plain",
    prefixes=("/v1/agent", "/agent"),
    remedies=Remedies(unknown_path="read the manual", large_body="send a postcard"),
    refuse=in_plain_text,
)
PLACES = (NATIVE.place(), PLAIN.place())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/hello", 405),
        ("GET", "/refuse", 409),
        ("GET", "/fail", 500),
    ],
)
async def test_each_mount_has_its_own_form_of_error(method: str, path: str, status: int) -> None:
    """Under the longest prefix, whether a route, a handler or the server refuses."""
    async with open_lab(*PLACES) as lab:
        wire = lab.connect()
        native = await wire.ask(method, "/v1" + path)
        assert (native.status, native.json.keys()) == (status, {"error", "field"})
        plain = await wire.ask(method, "/v1/agent" + path)
        assert (plain.status, plain.headers["content-type"]) == (status, "text/plain")
        assert plain.body.startswith(b"plain: ")
        for header in ("allow", "retry-after"):
            assert plain.headers.get(header) == native.headers.get(header)
        assert (await wire.get("/v1/agent/hello")).body == b"hello"


async def test_what_is_under_no_prefix_has_the_first_mounts_form() -> None:
    """A prefix is made of whole segments; each 404 advises in its API's words."""
    async with open_lab(*PLACES) as lab:
        wire = lab.connect()
        for path in ("/", "/agents", "/v2/hello", "//v1/agent/hello"):
            assert (await wire.get(path)).error.endswith("ask for a path that is served.")
        assert (await wire.get("/agent")).body.endswith(b"read the manual.")


HEAD = b" HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"X-Fill: " + b"x" * 2_000, 431),
        (HEAD + b"X-Fill: " + b"x" * 1_000 + b"\r\n\r\n", 431),
        (HEAD + b"Content-Length: 101\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, 413),
        (HEAD + b"Host: y\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (HEAD + b"Origin: http://evil.example\r\n\r\n", 403),
        (b"?q#" + HEAD + b"\r\n", 400),
        (HEAD, 408),
        (HEAD + b"Content-Length: 5\r\n\r\nhi", 408),
    ],
)
async def test_the_servers_own_refusals_have_the_form_of_the_api_that_was_asked(
    sent: bytes, status: int, autojump_clock: trio.testing.MockClock
) -> None:
    """Also where the request was never whole: its first line tells the API."""
    async with open_lab(*PLACES, limits=LIMITS) as lab:
        for before in (b"", b"GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n"):
            plain = lab.connect()
            await plain.stream.send_all(before + b"PUT /v1/agent/hello" + sent)
            if before:
                assert (await plain.raw_reply()).body == b"hello"
            reply = await plain.raw_reply()
            assert (reply.status, reply.body[:7]) == (status, b"plain: ")
            if status == 413:
                assert reply.body.endswith(b"send a postcard.")
        native = lab.connect()
        await native.stream.send_all(b"PUT /v1/hello" + sent)
        assert (await native.raw_reply()).json.keys() == {"error", "field"}


@pytest.mark.parametrize("opening", [b"\x16\x03\x01", b"GET\r\n\r\n", b"GET /v1/\xff%\r\n\r\n"])
async def test_what_is_no_request_at_all_is_refused_in_the_first_mounts_form(
    opening: bytes,
) -> None:
    """Nothing in it can be trusted to name an API."""
    async with open_lab(*PLACES) as lab:
        wire = lab.connect()
        await wire.stream.send_all(opening)
        await wire.stream.send_eof()
        assert (await wire.raw_reply()).json.keys() == {"error", "field"}


def site_of(*mounts: tuple[str, Sequence[str], Sequence[str]]) -> Site:
    return Site(
        [
            SomeApi([("GET", each, hello) for each in paths], name=name, prefixes=prefixes).place()
            for name, prefixes, paths in mounts
        ]
    )


def test_mounts_that_get_in_each_others_way_are_refused_with_both_names() -> None:
    """One prefix twice, and a route that the other's prefix would hide."""
    with pytest.raises(ValueError, match="/v1 is claimed twice, by native and by consul"):
        site_of(("native", ["/v1"], []), ("consul", ["/v1"], []))
    with pytest.raises(ValueError, match="/v1/agent/self of native is under a prefix of consul"):
        site_of(("native", ["/v1"], ["/v1/agent/self"]), ("consul", ["/v1/agent"], []))
    with pytest.raises(ValueError, match="/eureka/apps of native is under none of its prefixes"):
        site_of(("native", ["/v1"], ["/eureka/apps"]))


def test_the_root_takes_what_no_longer_prefix_has() -> None:
    """A page at `/` stands beside APIs under names of their own."""
    site = site_of(("api", ["/v1"], ["/v1/{rest...}"]), ("page", ["/"], ["/", "/style.css"]))
    assert site.find(("",)).mount.name == "page"
    assert site.find(("style.css",)).mount.name == "page"
    assert site.find(("v1", "style.css")).mount.name == "api"


def test_a_parameter_may_be_given_repeatedly_where_a_route_says_so() -> None:
    """In the order given; all others once, as before."""
    query = parse_query("tag=a&near=z1&tag=b&tag=a", ("near",), repeated=("tag",))
    assert query.every("tag") == ("a", "b", "a")
    assert (query["tag"], query["near"]) == ("a", "z1")
    assert parse_query("near=z1", ("near",), repeated=("tag",)).every("tag") == ()
    with pytest.raises(HttpError, match="near is given twice"):
        parse_query("near=a&near=b", ("near",), repeated=("tag",))
    with pytest.raises(HttpError, match="known: near, tag"):
        parse_query("tga=a", ("near",), repeated=("tag",))
