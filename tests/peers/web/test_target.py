"""Targets, queries and limits: the parts of the HTTP server that need no connection."""

import pytest

from gossamer.peers.web import HttpError, HttpLimits, parse_query
from gossamer.peers.web._target import parse_target


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


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused(wrong: float) -> None:
    """By name."""
    with pytest.raises(ValueError, match="idle_time must be"):
        HttpLimits(idle_time=wrong)
