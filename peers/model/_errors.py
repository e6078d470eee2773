"""The errors that users of a peer meet: each is one sentence that names the remedy."""


class GossamerError(Exception):
    """Any error that Gossamer raises on purpose; `field` names the input that it is about.

    Unless a subclass says otherwise, nothing was changed.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class BadInput(GossamerError):
    """A value that was given cannot be used; nothing was changed."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, field=field)


class ConfigError(BadInput):
    """A value of the configuration cannot be used, or not with another; nothing was started."""


class NotFound(GossamerError):
    """There is no such service or instance here; nothing was changed."""


class NoInstanceError(NotFound):
    """A service has no instance that could be chosen; nothing was changed."""


class Conflict(GossamerError):
    """What was asked for contradicts the present state; nothing was changed."""


class TooLarge(GossamerError):
    """A record is larger than a peer takes; nothing was changed."""


class Unavailable(GossamerError):
    """The peer cannot do this now: it is full, or about to leave; nothing was changed."""
