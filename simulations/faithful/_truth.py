from collections.abc import Iterator
from dataclasses import dataclass, field

Subject = tuple[str, str]
"""A service, and the id of an instance of it."""


@dataclass(slots=True)
class Provider:
    """One instance, as its service runs it."""

    service: str
    id: str
    owner: int
    port: int
    weight: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    up: bool = True


class Truth:
    """The true state, independent of what peers know: which instances live, with which peer.

    An instance lives from its registration until it is deregistered or its peer's process ends.
    """

    def __init__(self) -> None:
        self._providers: dict[int, dict[Subject, Provider]] = {}
        # Of each service, who owns each instance that is to be found.
        self._up: dict[str, dict[str, int]] = {}

    def __iter__(self) -> Iterator[Provider]:
        for owned in self._providers.values():
            yield from owned.values()

    def of(self, owner: int) -> list[Provider]:
        """Return the instances of one peer."""
        return list(self._providers.get(owner, {}).values())

    def up(self, service: str) -> dict[str, int]:
        """Return the owners of a service's instances that consumers should find, by id."""
        return self._up.get(service, {})

    def services(self) -> list[str]:
        """Return the services that have an instance to be found."""
        return list(self._up)

    def put(self, provider: Provider) -> None:
        """An instance lives, and is as `provider` says."""
        owned = self._providers.setdefault(provider.owner, {})
        owned[provider.service, provider.id] = provider
        if provider.up:
            self._up.setdefault(provider.service, {})[provider.id] = provider.owner
        else:
            self._hide(provider)

    def remove(self, provider: Provider) -> None:
        """Note that an instance has ended."""
        owned = self._providers[provider.owner]
        del owned[provider.service, provider.id]
        if not owned:
            del self._providers[provider.owner]
        self._hide(provider)

    def _hide(self, provider: Provider) -> None:
        service = self._up.get(provider.service)
        if service is not None and service.pop(provider.id, None) is not None and not service:
            del self._up[provider.service]
