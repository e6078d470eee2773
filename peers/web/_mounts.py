# Several APIs on one server; the beginning of a path tells which one is asked.
#
# The mount with the longest prefix answers alone: with its routes, and with its own form of error,
# also if it has no such route, or if the request is not complete.  If no prefix fits, the refusal
# has the form of the first mount.

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ._messages import Handler, HttpError, Response
from ._router import Route, Router, split_pattern

if TYPE_CHECKING:
    from gossamer.peers.catalog import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """The advice in the server's own refusals, in the words of one API.

    Each follows a semicolon, and ends without a full stop.
    """

    unknown_path: str = "ask for a path that is served"
    large_body: str = "send less"
    foreign_host: str = "ask 127.0.0.1 or localhost"


class Mount(Protocol):
    """An API within HTTP."""

    @property
    def name(self) -> str:
        """The API's name in errors about its routes."""
        ...

    @property
    def prefixes(self) -> Sequence[str]:
        """The beginnings of its paths, such as `/eureka`; `/` is for paths of no other mount."""
        ...

    @property
    def remedies(self) -> Remedies:
        """The advice in the server's refusals of its paths."""
        ...

    def routes(self, catalog: "Catalog") -> Iterable[Route]:
        """Return its routes; each pattern begins with one of the prefixes."""
        ...

    def refuse(self, error: HttpError) -> Response:
        """Return a refusal in the API's own form; the server adds the error's headers."""
        ...


class Place:
    """A mount with its routes, in the form in which the server looks them up."""

    def __init__(self, mount: Mount, routes: Iterable[Route]) -> None:
        self.mount = mount
        self.prefixes = {_segments(prefix): prefix for prefix in mount.prefixes}
        self.remedies = mount.remedies
        self.routes = list(routes)
        self._router = Router(mount.remedies.unknown_path)
        for method, pattern, handler in self.routes:
            self._router.add(method, pattern, handler)

    def resolve(self, method: str, segments: Sequence[str]) -> tuple[Handler, Mapping[str, str]]:
        """As `Router.resolve`."""
        return self._router.resolve(method, segments)

    def refuse(self, error: HttpError) -> Response:
        """Return the answer to a refused request."""
        response = self.mount.refuse(error)
        response.headers = (*error.headers, *response.headers)
        return response


class Site:
    """All mounts of one server.

    Raises `ValueError` if two mounts have the same prefix, or if no request could reach a route;
    the error names both mounts.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._first = places[0]
        self._by_prefix: dict[tuple[str, ...], Place] = {}
        for place in places:
            for segments, prefix in place.prefixes.items():
                other = self._by_prefix.setdefault(segments, place)
                if other is not place:
                    raise ValueError(
                        f"{prefix} is claimed twice, by {other.mount.name}"
                        f" and by {place.mount.name}"
                    )
        self._longest = max(map(len, self._by_prefix), default=0)
        for place in places:
            for _, pattern, _ in place.routes:
                self._check_reached(place, pattern)

    def find(self, segments: Sequence[str]) -> Place:
        """Return the mount of a path."""
        known = self._by_prefix
        for length in range(min(len(segments), self._longest), -1, -1):
            place = known.get(tuple(segments[:length]))
            if place is not None:
                return place
        return self._first

    def _check_reached(self, place: Place, pattern: str) -> None:
        fixed: list[str] = []
        for segment in split_pattern(pattern):
            if segment[:1] == "{":
                break
            fixed.append(segment)
        if not any(tuple(fixed[: len(prefix)]) == prefix for prefix in place.prefixes):
            raise ValueError(
                f"{pattern} of {place.mount.name} is under none of its prefixes:"
                f" {', '.join(place.prefixes.values())}"
            )
        other = self.find(fixed)
        if other is not place:
            raise ValueError(
                f"{pattern} of {place.mount.name} is under a prefix of {other.mount.name}"
            )


def _segments(prefix: str) -> tuple[str, ...]:
    return tuple(split_pattern(prefix)) if prefix != "/" else ()
