"""Telling parts that were built later: the one that tells need not know who listens."""

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Signal(Generic[P]):
    """Something that may happen; calling the signal tells all listeners, in order of arrival."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Have `listener` called from now on; what it returns is ignored."""
        self._listeners.append(listener)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(*args, **kwargs)
