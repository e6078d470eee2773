from collections.abc import Callable
from types import TracebackType
from typing import Self

from ._services import Services


class Subscription:
    """Tells a subscriber that a service changed, or that any service changed.

    It does not tell what changed; the subscriber looks up the latest value.
    The registry calls `changed` with the service's name while it handles the input that caused
    the change.
    So `changed` must return soon and must not call the registry's actions; typically it sets an
    event.
    """

    __slots__ = ("_close", "_services", "changed", "service")

    def __init__(
        self,
        service: str | None,
        changed: Callable[[str], None] | None,
        services: Services,
        close: Callable[["Subscription"], None],
    ) -> None:
        self.service = service
        self.changed = changed
        self._services = services
        self._close = close

    @property
    def index(self) -> int:
        """The present index of the service, or of the registry if this is for all services."""
        return (
            self._services.index if self.service is None else self._services.index_of(self.service)
        )

    def close(self) -> None:
        """Make sure that `changed` is not called again; a second call has no effect."""
        self._close(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Subscriptions:
    """All open subscriptions, by service."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # Dicts serve as ordered sets: subscriptions are called in the order in which they came.
        self._by_service: dict[str | None, dict[Subscription, None]] = {}

    def __len__(self) -> int:
        return sum(len(each) for each in self._by_service.values())

    def open(
        self, service: str | None, changed: Callable[[str], None] | None = None
    ) -> Subscription:
        """Call `changed` from now on when `service` changes; None means any service."""
        subscription = Subscription(service, changed, self._services, self._close)
        self._by_service.setdefault(service, {})[subscription] = None
        return subscription

    def tell(self, services: list[str]) -> None:
        """Call the subscribers of these services, and the subscribers of all services."""
        if not self._by_service:
            return
        for service in services:
            for key in (service, None):
                for subscription in list(self._by_service.get(key, ())):
                    if subscription.changed is not None:
                        subscription.changed(service)

    def _close(self, subscription: Subscription) -> None:
        subscription.changed = None
        group = self._by_service.get(subscription.service)
        if group is not None:
            group.pop(subscription, None)
            if not group:
                del self._by_service[subscription.service]
