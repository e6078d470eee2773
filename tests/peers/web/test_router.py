"""Routes: which pattern takes a path, what its parameters are, and what is refused at the start."""

import pytest

from gossamer.peers.web import Handler, HttpError, Request, Response, Router


def handler_of(name: str) -> Handler:
    def handler(request: Request) -> Response:
        return Response(200, name.encode())

    return handler


def router_of(*patterns: str) -> Router:
    """Routes for GET, or for the method before a blank; each handler answers its own pattern."""
    router = Router()
    for pattern in patterns:
        method, _, path = pattern.rpartition(" ")
        router.add(method or "GET", path, handler_of(pattern))
    return router


def taken(router: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]]:
    """The pattern that takes a path, and the parameters."""
    segments = path[1:].split("/")
    handler, parameters = router.resolve(method, segments)
    answer = handler(Request(method, tuple(segments), "", ()))
    assert isinstance(answer, Response)
    return answer.body.decode(), dict(parameters)


def refused(router: Router, path: str, method: str = "GET") -> HttpError:
    with pytest.raises(HttpError) as caught:
        taken(router, path, method)
    return caught.value


def test_a_service_may_be_called_like_a_part_of_a_path() -> None:
    """A name that stands where no fixed segment stands is never taken for one."""
    router = router_of("/services/{service}", "/services/{service}/instances/{id}")
    _, parameters = taken(router, "/services/instances/instances/services")
    assert parameters == {"service": "instances", "id": "services"}


@pytest.mark.parametrize(
    ("path", "pattern", "parameters"),
    [
        ("/eureka/apps/delta", "/eureka/apps/delta", {}),
        ("/eureka/apps/ORDERS", "/eureka/apps/{app}", {"app": "ORDERS"}),
        ("/eureka/apps/delta/one", "/eureka/apps/{name}/{id}", {"name": "delta", "id": "one"}),
        ("/v1/agent/service/register", "/v1/agent/service/register", {}),
        ("/v1/agent/service/one", "/v1/agent/service/{id}", {"id": "one"}),
    ],
)
def test_a_fixed_segment_wins_over_a_parameter(
    path: str, pattern: str, parameters: dict[str, str]
) -> None:
    """Eureka's and Consul's paths have both in one place; each route names its own parameters."""
    router = router_of(
        "/eureka/apps/{app}",
        "/eureka/apps/delta",
        "/eureka/apps/{name}/{id}",
        "/v1/agent/service/{id}",
        "/v1/agent/service/register",
    )
    assert taken(router, path) == (pattern, parameters)


def test_a_choice_that_leads_nowhere_is_taken_back() -> None:
    """A path that begins like a fixed one may still be another's, at any depth."""
    router = router_of("/a/b/c/d", "/a/{x}/c/e", "/a/b/{y}/f", "/{z}/b/c/g")
    assert taken(router, "/a/b/c/d")[0] == "/a/b/c/d"
    assert taken(router, "/a/b/c/e") == ("/a/{x}/c/e", {"x": "b"})
    assert taken(router, "/a/b/c/f") == ("/a/b/{y}/f", {"y": "c"})
    assert taken(router, "/a/b/c/g") == ("/{z}/b/c/g", {"z": "a"})
    assert refused(router, "/a/b/c/h").status == 404


def test_a_search_enters_each_place_of_the_tree_once() -> None:
    """Patterns that branch at every segment do not make a hostile path dear."""
    depth = 12
    router = Router()
    for number in range(2**8):
        pattern = "/".join("a" if number >> bit & 1 else "{x}" for bit in range(8))
        router.add("GET", f"/{pattern}{'/a' * (depth - 8)}/end", handler_of("end"))
    for _ in range(20):
        assert refused(router, "/a" * (depth + 1)).status == 404


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/kv/a", "a"),
        ("/v1/kv/a/b", "a/b"),
        ("/v1/kv/a//b/", "a//b/"),
        ("/v1/kv/", ""),
    ],
)
def test_a_tail_takes_all_that_is_left(path: str, key: str) -> None:
    """Slashes and empty segments too; only the path without a last slash is another."""
    router = router_of("/v1/kv/{key...}", "PUT /v1/kv/{key...}")
    assert taken(router, path) == ("/v1/kv/{key...}", {"key": key})
    assert taken(router, path, "PUT")[0] == "PUT /v1/kv/{key...}"
    assert refused(router, "/v1/kv").status == 404


def test_a_tail_is_what_fits_worst() -> None:
    """Where a fixed segment or a parameter leads to a route, that one answers."""
    router = router_of("/kv/{key...}", "/kv/{key}/history", "/kv/export")
    assert taken(router, "/kv/export")[0] == "/kv/export"
    assert taken(router, "/kv/export/history") == ("/kv/{key}/history", {"key": "export"})
    assert taken(router, "/kv/export/other") == ("/kv/{key...}", {"key": "export/other"})


def test_a_method_is_looked_for_in_every_pattern_that_fits() -> None:
    """405 names what any of them would take; HEAD is GET, and OPTIONS is answered for all."""
    router = router_of("/apps/delta", "PUT /apps/{app}", "DELETE /apps/{app}")
    assert taken(router, "/apps/delta", "PUT") == ("PUT /apps/{app}", {"app": "delta"})
    assert taken(router, "/apps/delta", "HEAD")[0] == "/apps/delta"
    refusal = refused(router, "/apps/delta", "POST")
    assert refusal.status == 405
    assert refusal.headers == ((b"Allow", b"GET, HEAD, DELETE, PUT, OPTIONS"),)
    handler, _ = router.resolve("OPTIONS", ("apps", "delta"))
    answer = handler(Request("OPTIONS", (), "", ()))
    assert isinstance(answer, Response)
    assert answer.headers == refusal.headers


@pytest.mark.parametrize("path", ["/a/", "/a//b", "/", "//a/x"])
def test_a_parameter_is_never_empty(path: str) -> None:
    """A doubled slash is no name."""
    assert refused(router_of("/a/{x}", "/a/{x}/b", "/{y}/a/x"), path).status == 404


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/a/{name}", "/a/{name}"),
        ("/a/{name}", "/a/{other}"),
        ("/a/{name...}", "/a/{other...}"),
        ("/a/b", "/a/b"),
    ],
)
def test_a_pattern_that_is_claimed_twice_is_refused_with_both(first: str, second: str) -> None:
    """A developer who adds a route learns this at the start, and not from a request."""
    router = router_of(first)
    with pytest.raises(ValueError, match="claimed twice") as caught:
        router.add("GET", second, handler_of(second))
    assert first in str(caught.value)
    assert second in str(caught.value)
    router.add("PUT", second, handler_of(second))


@pytest.mark.parametrize("pattern", ["a/b", "", "/a/{rest...}/b"])
def test_a_pattern_that_cannot_be_is_refused(pattern: str) -> None:
    """One without a slash before it, and one that goes on behind its tail."""
    with pytest.raises(ValueError, match=r"slash|goes on"):
        Router().add("GET", pattern, handler_of(pattern))
