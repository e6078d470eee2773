"""The errors of a peer: each is one sentence that names the remedy."""


class GossamerError(Exception):
    """Any error that Gossamer raises on purpose; `field` names the input that it is about.

    Unless a subclass says otherwise, nothing was changed.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class BadInput(GossamerError):
    """A given value cannot be used; nothing was changed."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, field=field)


class ConfigError(BadInput):
    """A setting, or a combination of two settings, cannot be used; nothing was started."""


class NotFound(GossamerError):
    """This peer knows no such service or instance; nothing was changed."""


class NoInstanceError(NotFound):
    """A service has no instance that could be chosen; nothing was changed."""


class Conflict(GossamerError):
    """The request contradicts the present state; nothing was changed."""


class TooLarge(GossamerError):
    """A record is larger than a peer accepts; nothing was changed."""


class Unavailable(GossamerError):
    """The peer cannot do this now: it is full, or about to leave; nothing was changed."""


def missing(service: str, id: str | None = None) -> NotFound:
    """Return the error for a service without instances, or one instance that it does not have."""
    if id is None:
        return NotFound(
            f"there is no service {_short(service)!r} here: register an instance of it,"
            " or see which services there are",
            field="service",
        )
    return NotFound(
        f"service {_short(service)!r} has no instance {_short(id)!r}: register it,"
        " or look up all to see which there are",
        field="id",
    )


# The names in a request may be as long as the request.
def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:77]}..."
