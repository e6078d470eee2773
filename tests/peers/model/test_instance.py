from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from types import MappingProxyType

import pytest

from gossamer.peers.model import Instance, Lookup, Override, show_moment


def make(id: str = "orders-1", override: Override | None = None) -> Instance:
    metadata: Mapping[str, str] = MappingProxyType({"team": "a"})
    return Instance(
        service="orders",
        id=id,
        address="10.0.0.5",
        port=8080,
        status="UP" if override is None else override.status,
        own_status="UP",
        tags=("v2",),
        metadata=metadata,
        weight=1,
        zone="z1",
        ttl=None,
        owner="peer-a",
        verified=True,
        registered_at=1_769_860_800.0,
        updated_at=1_769_860_800.0015,
        override=override,
    )


def test_the_json_of_an_instance_is_the_documented_one() -> None:
    """`to_json` gives exactly the documented shape, without `override` where none is set."""
    assert make().to_json() == {
        "service": "orders",
        "id": "orders-1",
        "address": "10.0.0.5",
        "port": 8080,
        "status": "UP",
        "own_status": "UP",
        "tags": ["v2"],
        "metadata": {"team": "a"},
        "weight": 1,
        "zone": "z1",
        "ttl": None,
        "owner": "peer-a",
        "verified": True,
        "registered_at": "2026-01-31T12:00:00.000Z",
        "updated_at": "2026-01-31T12:00:00.002Z",
    }


def test_the_json_shows_an_override() -> None:
    """A set override is shown with its status, reason, author and end."""
    shown = make(override=Override("DOWN", None, "ops", 1_769_860_800.0)).to_json()
    assert shown["status"] == "DOWN"
    assert shown["override"] == {
        "status": "DOWN",
        "reason": None,
        "by": "ops",
        "expires_at": "2026-01-31T12:00:00.000Z",
    }


def test_instances_are_immutable_and_hashable() -> None:
    """An instance can be shared between threads and kept in sets."""
    with pytest.raises(FrozenInstanceError):
        make().port = 1  # type: ignore[misc]
    assert len({make(), make()}) == 1


def test_a_lookup_is_a_sequence() -> None:
    """A lookup has the length, order, slices and truth of its instances."""
    lookup = Lookup("orders", (make("a"), make("b")), degraded=False, index=7)
    assert [each.id for each in lookup] == ["a", "b"]
    assert lookup[1].id == "b"
    assert [each.id for each in lookup[:1]] == ["a"]
    assert make("a") in lookup
    assert lookup == Lookup("orders", (make("a"), make("b")), degraded=False, index=8)
    assert lookup != Lookup("orders", (make("a"),), degraded=False, index=7)
    assert not Lookup("orders", (), degraded=True, index=7)
    assert repr(lookup) == "<Lookup of orders: 2 instances>"
    assert lookup.to_json() == {
        "service": "orders",
        "degraded": False,
        "instances": [make("a").to_json(), make("b").to_json()],
    }


def test_moments_are_utc_to_the_millisecond() -> None:
    """Moments are ISO 8601 with three decimals and a Z, also on a whole second."""
    assert show_moment(0.0) == "1970-01-01T00:00:00.000Z"
    assert show_moment(1.2345) == "1970-01-01T00:00:01.234Z"
