class MissingExtra(ImportError):
    """A package is not installed that only some uses need; the message names the extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'gossamer[{extra}]'")
        self.extra = extra
