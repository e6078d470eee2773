"""The parts of the HTTP server that need no connection: routes, kept answers, limits."""

import pytest

from gossamer.peers import Instance, Lookup
from gossamer.peers.fronts.native._cache import AnswerCache, Question
from gossamer.peers.web import HttpError, HttpLimits, Request, Response, Router, parse_query
from gossamer.peers.web._target import parse_target


def handler(request: Request) -> Response:
    return Response(200)


def test_a_service_may_be_called_like_a_part_of_a_path() -> None:
    """A name stands where no fixed segment stands, so none is reserved."""
    router = Router()
    router.add("GET", "/services/{service}", handler)
    router.add("PUT", "/services/{service}/instances/{id}", handler)
    _, parameters = router.resolve("PUT", ("services", "instances", "instances", "services"))
    assert parameters == {"service": "instances", "id": "services"}


@pytest.mark.parametrize("pattern", ["/a/{name}", "/a/{other}/b", "/a/fixed"])
def test_routes_that_would_be_ambiguous_are_a_fault(pattern: str) -> None:
    """Whoever adds a route finds out at the start, not by a request."""
    router = Router()
    router.add("GET", "/a/{name}", handler)
    with pytest.raises(AssertionError):
        router.add("GET", pattern, handler)


@pytest.mark.parametrize(
    ("target", "segments"),
    [
        (b"/", ("",)),
        (b"/a/", ("a", "")),
        (b"//a//b", ("", "a", "", "b")),
        (b"/a%2Fb/c", ("a/b", "c")),
        (b"/h%3Aapp%3a80", ("h:app:80",)),
        (b"/%2e%2e/a", ("..", "a")),
        (b"/100%/%zz", ("100%", "%zz")),
        (b"http://x", ("",)),
        (b"https://user@x:80/a", ("a",)),
    ],
)
def test_a_path_keeps_what_a_route_may_need(target: bytes, segments: tuple[str, ...]) -> None:
    """Empty segments too: other interfaces on this server take `//` for `/`."""
    assert parse_target(target) == (segments, "")
    assert parse_target(target + b"?q=%2F") == (segments, "q=%2F")


def test_a_query_has_a_limit_of_parameters() -> None:
    """The last that fits is taken, one more is refused."""
    known = tuple(f"p{n}" for n in range(33))
    assert len(parse_query("&".join(f"{name}=1" for name in known[:32]), known)) == 32
    with pytest.raises(HttpError, match="more than 32"):
        parse_query("&".join(f"{name}=1" for name in known), known)


def lookup(index: int, *, degraded: bool = False) -> Lookup:
    instances: tuple[Instance, ...] = ()
    return Lookup("orders", instances, degraded=degraded, index=index)


def question(number: int) -> Question:
    return ("orders", f"tag-{number}", None, False)


def test_a_kept_answer_is_good_for_one_state() -> None:
    """Another index, or a doubt about the same, and it is made anew."""
    cache = AnswerCache()
    answer = Response(200, b"1")
    cache.put(question(1), lookup(7), answer)
    assert cache.get(question(1), lookup(7)) is answer
    assert cache.get(question(1), lookup(8)) is None
    assert cache.get(question(1), lookup(7, degraded=True)) is None
    assert cache.get(question(2), lookup(7)) is None


def test_kept_answers_are_bounded_in_number() -> None:
    """Whatever was not asked for longest is dropped."""
    cache = AnswerCache(answers=3)
    for number in (1, 2, 3):
        cache.put(question(number), lookup(7), Response(200, b"x"))
    assert cache.get(question(1), lookup(7)) is not None
    cache.put(question(4), lookup(7), Response(200, b"x"))
    kept = [n for n in (1, 2, 3, 4) if cache.get(question(n), lookup(7))]
    assert kept == [1, 3, 4]


def test_kept_answers_are_bounded_in_bytes() -> None:
    """Also when an answer is replaced by a larger one, or is too large by itself."""
    cache = AnswerCache(size=100)
    cache.put(question(1), lookup(7), Response(200, b"x" * 60))
    cache.put(question(2), lookup(7), Response(200, b"x" * 40))
    assert all(cache.get(question(n), lookup(7)) for n in (1, 2))
    cache.put(question(2), lookup(8), Response(200, b"x" * 41))
    assert cache.get(question(1), lookup(7)) is None
    assert cache.get(question(2), lookup(8)) is not None
    cache.put(question(3), lookup(7), Response(200, b"x" * 101))
    assert not any(cache.get(question(n), lookup(7)) for n in (1, 2, 3))
    cache.put(question(4), lookup(7), Response(200, b"x" * 100))
    assert cache.get(question(4), lookup(7)) is not None


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused(wrong: float) -> None:
    """By name."""
    with pytest.raises(ValueError, match="idle_time must be"):
        HttpLimits(idle_time=wrong)
