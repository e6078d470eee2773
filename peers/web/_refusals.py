# The server's own refusals of one request after the other.
#
# Each has the form of the API whose path the client asked for.  If the server refuses a request
# before it has read the target, or if the bytes are not HTTP, the first bytes tell the API.

from collections.abc import Sequence
from http import HTTPStatus

import h11

from ._limits import HttpLimits
from ._messages import HttpError, Response
from ._mounts import Place, Site
from ._target import guess_segments

# A method and more than any mount's prefix.
_OPENING_BYTES = 256


class Refusals:
    """Finds out which API the current request asks, and words refusals."""

    def __init__(self, site: Site, limits: HttpLimits) -> None:
        self._site = site
        self._limits = limits
        self._opening = b""
        self._place: Place | None = None

    def begin(self, received: bytes) -> None:
        """Go on to the next request, of which some bytes may already have arrived."""
        self._opening = received[:_OPENING_BYTES]
        self._place = None

    def note(self, data: bytes | bytearray) -> None:
        """Take in more bytes of the request's head."""
        if len(self._opening) < _OPENING_BYTES:
            self._opening += bytes(data[:_OPENING_BYTES])

    def ask(self, segments: Sequence[str]) -> Place:
        """Return the mount of the request's path; refusals of this request have its form."""
        self._place = self._site.find(segments)
        return self._place

    def answer(self, error: HttpError) -> Response:
        """Return a refusal as the clients of the API read it."""
        return self._asked().refuse(error)

    def malformed(self, error: h11.RemoteProtocolError) -> HttpError:
        """Return the refusal of a request that h11 does not accept."""
        if error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return self.large_head()
        # h11 shows the wrong bytes after a colon; they do not help the client.
        reason = str(error).partition(":")[0]
        return HttpError(error.error_status_hint, f"The request is not valid HTTP/1.1: {reason}.")

    def large_head(self) -> HttpError:
        """Return the refusal of a head beyond its limit."""
        return HttpError(
            431,
            f"The request line and headers have more than {self._limits.head_bytes} bytes;"
            " send fewer.",
        )

    def large_body(self) -> HttpError:
        """Return the refusal of a body beyond its limit."""
        # The body is not read, so the field that is too long is unknown; the API tells its limits.
        remedy = self._asked().remedies.large_body
        return HttpError(
            413, f"The body has more than {self._limits.body_bytes} bytes; {remedy}.", "body"
        )

    def _asked(self) -> Place:
        return self._place or self._site.find(guess_segments(self._opening))
