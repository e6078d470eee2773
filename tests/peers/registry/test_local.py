"""The registry of one peer that is alone, on a real core."""

import random
import sys
import threading
from functools import partial
from typing import Any

import pytest

from gossamer.gossip import Gossip, GossipConfig
from gossamer.peers.model import (
    BadInput,
    NotFound,
    Registration,
    RegistryConfig,
    TooLarge,
    Unavailable,
)
from gossamer.peers.registry import Registry

UNIX = 1_700_000_000.0


def core() -> Gossip:
    gossip = Gossip(
        GossipConfig.profile("lan", name="a"),
        epoch=1,
        nonce=1,
        advertise=("10.0.0.1", 7940),
        rng=random.Random(1),
        now=0.0,
    )
    gossip.join([], 0.0)
    return gossip


def make(
    *,
    zone: str | None = None,
    config: RegistryConfig | None = None,
    gossip: Gossip | None = None,
) -> Registry:
    gossip = gossip or core()
    return Registry(gossip, wall=lambda: UNIX, config=config, zone=zone, default_address="10.0.0.1")


def ids(registry: Registry, **filters: str | bool | None) -> list[str]:
    return [each.id for each in registry.lookup("orders", **filters)]  # type: ignore[arg-type]


def test_a_registration_has_sensible_defaults() -> None:
    """Address, id, zone and weight are filled in, and the instance is seen at once."""
    registry = make(zone="z1")
    instance, created = registry.register(Registration(service="orders", port=8080), 0.0)
    assert created
    assert (instance.id, instance.address) == ("orders-10.0.0.1-8080", "10.0.0.1")
    assert (instance.zone, instance.weight, instance.ttl, instance.status) == ("z1", 1, None, "UP")
    assert instance.registered_at == instance.updated_at == UNIX
    assert list(registry.lookup("orders")) == [instance]
    assert registry.find("orders", instance.id) == instance


def test_registering_again_replaces() -> None:
    """The same id is the same instance: it is replaced, and not new."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1, tags=["old"]), 0.0)
    _, created = registry.register(Registration(service="orders", id="one", port=2), 1.0)
    assert not created
    assert [(each.port, each.tags) for each in registry.lookup("orders")] == [(2, ())]
    assert registry.statistics()["instances_owned"] == 1
    registry.deregister("orders", "one", 2.0)
    _, created = registry.register(Registration(service="orders", id="one", port=2), 3.0)
    assert created


def test_bad_input_changes_nothing() -> None:
    """A refused registration leaves the registry as it was."""
    registry = make()
    before = registry.lookup("orders").index
    with pytest.raises(BadInput):
        registry.register(Registration(service="orders", port=0), 0.0)
    with pytest.raises(TooLarge):
        registry.register(
            Registration(
                service="orders", port=1, metadata={f"k{i}": "v" * 1000 for i in range(20)}
            ),
            0.0,
        )
    assert not registry.knows("orders")
    assert registry.lookup("orders").index == before


def test_unknown_names_are_told_apart() -> None:
    """An action on what is not there says whether the service or the instance is unknown."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1), 0.0)
    for names, field in ((("payments", "one"), "service"), (("orders", "two"), "id")):
        for action in (
            partial(registry.deregister, *names, 1.0),
            partial(registry.heartbeat, *names, 1.0),
            partial(registry.set_status, *names, "UP", now=1.0),
            partial(registry.clear_status, *names, now=1.0),
        ):
            with pytest.raises(NotFound) as caught:
                action()
            assert caught.value.field == field


def test_lookups_filter_by_tag_and_zone() -> None:
    """A tag and a zone each narrow the answer, together as well; all=True widens it."""
    registry = make()
    registry.register(Registration(service="orders", id="a", port=1, tags=["v1"], zone="x"), 0.0)
    registry.register(Registration(service="orders", id="b", port=1, tags=["v2"], zone="x"), 0.0)
    registry.register(Registration(service="orders", id="c", port=1, tags=["v2"], zone="y"), 0.0)
    registry.register(
        Registration(service="orders", id="d", port=1, tags=["v2"], zone="y", status="DOWN"), 0.0
    )
    assert ids(registry) == ["a", "b", "c"]
    assert ids(registry, tag="v2") == ["b", "c"]
    assert ids(registry, zone="x") == ["a", "b"]
    assert ids(registry, tag="v2", zone="x") == ["b"]
    assert ids(registry, all=True) == ["a", "b", "c", "d"]
    assert ids(registry, all=True, zone="y") == ["c", "d"]
    assert ids(registry, tag="v3") == []


def test_an_unknown_service_is_an_empty_answer() -> None:
    """A lookup never raises; a service that nobody registered has no instances."""
    registry = make()
    lookup = registry.lookup("nothing")
    assert (list(lookup), lookup.degraded, registry.knows("nothing")) == ([], False, False)
    assert registry.services() == []


def test_services_are_counted() -> None:
    """Each service is listed by name with its instances and how many are UP."""
    registry = make()
    registry.register(Registration(service="payments", port=1), 0.0)
    registry.register(Registration(service="orders", port=1), 0.0)
    registry.register(Registration(service="orders", port=2, status="DOWN"), 0.0)
    assert registry.services() == [("orders", 2, 1), ("payments", 1, 1)]
    assert registry.instances_of("a") == 3
    assert registry.instances_of("b") == 0


def test_a_lease_needs_heartbeats() -> None:
    """A leased instance lives from heartbeat to heartbeat and not a moment longer."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1, ttl=3), 0.0)
    for now in (1.0, 2.0):
        registry.tick(now)
    registry.heartbeat("orders", "one", 2.5)
    for now in (3.0, 4.0, 5.0, 5.49):
        registry.tick(now)
        assert ids(registry) == ["one"]
    assert registry.deadline == 5.5
    registry.tick(5.5)
    assert ids(registry) == []
    assert registry.statistics()["leases_expired"] == 1
    with pytest.raises(NotFound):
        registry.heartbeat("orders", "one", 5.6)


def test_heartbeats_stay_at_home() -> None:
    """A heartbeat publishes nothing and changes no index."""
    gossip = core()
    registry = make(gossip=gossip)
    registry.register(Registration(service="orders", id="one", port=1, ttl=3), 0.0)
    version = gossip.parts["a"].version
    index = registry.lookup("orders").index
    registry.heartbeat("orders", "one", 1.0)
    assert gossip.parts["a"].version == version
    assert registry.lookup("orders").index == index


def test_a_new_registration_can_drop_the_lease() -> None:
    """Registering again without a ttl makes the instance one of the process."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1, ttl=3), 0.0)
    registry.register(Registration(service="orders", id="one", port=1), 1.0)
    registry.tick(100.0)
    assert ids(registry) == ["one"]
    assert registry.statistics()["leases"] == 0


def test_an_override_outlives_registrations_and_ends_with_a_deregistration() -> None:
    """A set status stays through repeated registrations; deregistering takes it away."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1), 0.0)
    shown = registry.set_status("orders", "one", "OUT_OF_SERVICE", reason="x", by="me", now=1.0)
    assert (shown.status, shown.own_status) == ("OUT_OF_SERVICE", "UP")
    instance, _ = registry.register(
        Registration(service="orders", id="one", port=1, status="STARTING"), 2.0
    )
    assert (instance.status, instance.own_status) == ("OUT_OF_SERVICE", "STARTING")
    assert ids(registry) == []
    assert registry.clear_status("orders", "one", now=3.0).status == "STARTING"
    registry.set_status("orders", "one", "DOWN", now=4.0)
    registry.deregister("orders", "one", 5.0)
    instance, _ = registry.register(Registration(service="orders", id="one", port=1), 6.0)
    assert (instance.status, instance.override) == ("UP", None)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("status", {"status": "UNKNOWN"}),
        ("status", {"status": None}),
        ("reason", {"reason": "x" * 257}),
        ("reason", {"reason": ""}),
        ("by", {"by": "a\n"}),
        ("expires", {"expires": 0}),
        ("expires", {"expires": 10**9}),
    ],
)
def test_overrides_are_checked(field: str, arguments: dict[str, Any]) -> None:
    """An override that cannot be used is refused by field, and changes nothing."""
    registry = make()
    registry.register(Registration(service="orders", id="one", port=1), 0.0)
    with pytest.raises(BadInput) as caught:
        registry.set_status("orders", "one", **{"status": "DOWN", **arguments}, now=1.0)
    assert caught.value.field == field
    assert ids(registry) == ["one"]


def test_a_peer_takes_a_limited_number_of_instances() -> None:
    """Beyond its limit a peer refuses new instances, and still replaces those it has."""
    registry = make(config=RegistryConfig(instances=2))
    for port in (1, 2):
        registry.register(Registration(service="orders", port=port), 0.0)
    with pytest.raises(Unavailable, match="another"):
        registry.register(Registration(service="orders", port=3), 0.0)
    registry.register(Registration(service="orders", port=2, tags=["new"]), 0.0)
    registry.deregister("orders", "orders-10.0.0.1-1", 1.0)
    registry.register(Registration(service="orders", port=3), 2.0)
    assert len(registry.lookup("orders")) == 2


def test_the_index_grows_with_every_change_of_the_service_alone() -> None:
    """A service's index moves when it changes and not when another does, also while empty."""
    registry = make()
    seen = [registry.lookup("orders").index]
    registry.register(Registration(service="orders", id="one", port=1), 0.0)
    seen.append(registry.lookup("orders").index)
    registry.register(Registration(service="payments", id="one", port=1), 0.0)
    assert registry.lookup("orders").index == seen[-1]
    registry.deregister("orders", "one", 1.0)
    seen.append(registry.lookup("orders").index)
    registry.deregister("payments", "one", 1.0)
    assert registry.lookup("orders").index == seen[-1]
    registry.register(Registration(service="orders", id="one", port=1), 2.0)
    seen.append(registry.lookup("orders").index)
    assert seen == sorted(set(seen))


def test_emptied_services_take_bounded_memory_and_never_repeat_an_index() -> None:
    """After thousands of services that came and went, no state shares an index with another."""
    registry = make()
    first, _ = registry.register(Registration(service="s0", port=1), 0.0)
    seen = {registry.lookup("s0").index}
    registry.deregister("s0", first.id, 0.0)
    seen.add(registry.lookup("s0").index)
    for number in range(1, 3000):
        instance, _ = registry.register(Registration(service=f"s{number}", port=1), 0.0)
        registry.deregister(f"s{number}", instance.id, 0.0)
        index = registry.lookup("s0").index
        assert index >= max(seen)
        seen.add(index)
    registry.register(Registration(service="s0", port=1), 0.0)
    assert registry.lookup("s0").index not in seen
    kept = dict(registry.kept())
    assert kept.pop("emptied") <= 1024
    assert kept == {"entries": 1, "competing": 1, "waiting": 0, "deadlines": 0, "services": 1}


def test_subscriptions_hear_of_their_service_and_no_other() -> None:
    """A subscriber is told of its service's changes, one of all services of each."""
    registry = make()
    told: list[tuple[str, str]] = []
    one = registry.subscribe("orders", lambda name: told.append(("one", name)))
    every = registry.subscribe(None, lambda name: told.append(("every", name)))
    before = one.index, every.index
    registry.register(Registration(service="orders", id="one", port=1), 0.0)
    assert told == [("one", "orders"), ("every", "orders")]
    assert (one.index > before[0], every.index > before[1]) == (True, True)
    assert one.index == registry.lookup("orders").index
    told.clear()
    before = one.index, every.index
    registry.register(Registration(service="payments", id="one", port=1), 0.0)
    assert told == [("every", "payments")]
    assert (one.index == before[0], every.index > before[1]) == (True, True)
    told.clear()
    one.close()
    one.close()
    with every:
        pass
    registry.deregister("orders", "one", 1.0)
    assert told == []
    assert registry.statistics()["subscriptions"] == 0


def test_a_subscriber_may_unsubscribe_while_it_is_told() -> None:
    """Closing from within the call is no harm to the others."""
    registry = make()
    told: list[str] = []
    first = registry.subscribe("orders")
    second = registry.subscribe("orders", told.append)
    first.changed = lambda _: (first.close(), second.close())  # type: ignore[func-returns-value,assignment]
    registry.register(Registration(service="orders", port=1), 0.0)
    registry.register(Registration(service="orders", port=2), 0.0)
    assert told == []


def test_lookups_may_come_from_any_thread() -> None:
    """Threads that look up while the registry changes see whole states, and nothing breaks."""
    registry = make()
    done = threading.Event()
    faults: list[object] = []

    def read() -> None:
        while not done.is_set():
            try:
                lookup = registry.lookup("orders", all=True)
                listed = [each.id for each in lookup]
                if listed != sorted(listed) or len(set(listed)) != len(listed):
                    faults.append(listed)
                registry.services()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                faults.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=read) for _ in range(2)]
    try:
        for thread in threads:
            thread.start()
        for turn in range(300):
            registry.register(Registration(service="orders", port=turn % 20 + 1), 0.0)
            registry.register(Registration(service=f"s{turn % 7}", id="x", port=1), 0.0)
            if turn % 3 == 0:
                registry.deregister("orders", f"orders-10.0.0.1-{turn % 20 + 1}", 0.0)
                registry.deregister(f"s{turn % 7}", "x", 0.0)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert faults == []
