from dataclasses import FrozenInstanceError
from math import inf, nan
from typing import Any

import pytest

from gossamer.gossip import ConfigError, GossipConfig, Profile


def refusal(**changes: Any) -> ConfigError:
    """Return the error that these settings raise."""
    with pytest.raises(ConfigError) as caught:
        GossipConfig(**{"name": "a", **changes})
    return caught.value


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        # interval, timeout, relays, gossip interval, nodes, suspicion, retransmissions
        ("lan", (1.0, 0.5, 3, 0.2, 3, 4, 4)),
        ("wan", (5.0, 3.0, 3, 0.5, 4, 6, 4)),
        ("local", (1.0, 0.2, 1, 0.1, 3, 3, 2)),
    ],
)
def test_profiles_have_the_numbers_of_memberlist(
    profile: Profile, expected: tuple[float, ...]
) -> None:
    """The three profiles are memberlist's, field by field."""
    config = GossipConfig.profile(profile, name="a")

    assert config.suspicion_max_multiplier == 6
    assert config.packet_limit == 1400
    found = (
        config.probe_interval, config.probe_timeout, config.indirect_probes,
        config.gossip_interval, config.gossip_nodes,
        config.suspicion_multiplier, config.retransmit_multiplier,
    )  # fmt: skip
    assert found == expected


def test_the_default_profile_is_lan() -> None:
    """No profile, the default profile and the bare class agree."""
    assert GossipConfig.profile(name="a") == GossipConfig.profile("lan", name="a")
    assert GossipConfig.profile(name="a") == GossipConfig(name="a")


def test_changes_go_over_the_profile() -> None:
    """What is given wins, and the rest stays the profile's."""
    config = GossipConfig.profile("wan", name="a", probe_interval=9.0)

    assert (config.probe_interval, config.probe_timeout) == (9.0, 3.0)


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    """The sentence says what can be chosen."""
    unknown: Any = "moon"
    with pytest.raises(ConfigError, match="choose local, lan or wan") as caught:
        GossipConfig.profile(unknown, name="a")
    assert caught.value.fields == ("profile",)


def test_settings_cannot_be_changed_afterwards() -> None:
    """What was checked stays as it was checked."""
    config: Any = GossipConfig(name="a")
    with pytest.raises(FrozenInstanceError):
        config.name = "b"


@pytest.mark.parametrize(("field", "limit"), [("name", 128), ("cluster", 128), ("zone", 64)])
def test_names_are_printable_and_bounded(field: str, limit: int) -> None:
    """A name of the permitted bytes passes; longer, unprintable or no text is refused by name."""
    settings: dict[str, Any] = {"name": "a", field: "ü" * (limit // 2)}
    assert getattr(GossipConfig(**settings), field) == "ü" * (limit // 2)

    for bad in ("x" * (limit + 1), "ü" * (limit // 2) + "x", "a\nb", "\x00", 5, None, b"a"):
        error = refusal(**{field: bad})
        assert error.fields == (field,)
        assert str(error).startswith(field)


def test_a_peer_needs_a_name_and_a_cluster_but_no_zone() -> None:
    """Only the zone may be empty."""
    assert GossipConfig(name="a", zone="").zone == ""
    assert refusal(name="").fields == ("name",)
    assert refusal(cluster="").fields == ("cluster",)


@pytest.mark.parametrize("value", ["1", None, True, nan, inf, -inf, -0.1, 1e9])
def test_seconds_are_numbers_within_reason(value: object) -> None:
    """Texts, truth values, negative, infinite and undefined times are refused by name."""
    error = refusal(dead_for=value)

    assert error.fields == ("dead_for",)
    assert str(error).startswith("dead_for must be")


@pytest.mark.parametrize("value", ["3", None, True, 3.0, -1, 10**9])
def test_counts_are_whole_numbers(value: object) -> None:
    """A count is an integer from 0 up; a float is refused even if it is whole."""
    assert refusal(indirect_probes=value).fields == ("indirect_probes",)


@pytest.mark.parametrize("field", ["dead_for", "drain", "gather", "settle", "indirect_probes"])
def test_what_may_be_nothing_may_be_zero(field: str) -> None:
    """Zero is a sensible value for these, as an integer too."""
    settings: dict[str, Any] = {"name": "a", field: 0}
    assert getattr(GossipConfig(**settings), field) == 0


@pytest.mark.parametrize(
    "field",
    [
        "probe_interval", "probe_timeout", "gossip_interval", "gossip_nodes",
        "suspicion_multiplier", "suspicion_max_multiplier", "awareness_limit",
        "retransmit_multiplier", "registry_multiplier", "tree_arity", "stream_timeout",
        "inbound_exchanges", "leave_timeout", "member_limit", "queue_limit",
    ],
)  # fmt: skip
def test_what_the_protocol_lives_on_is_not_zero(field: str) -> None:
    """Zero would stop the protocol, and is refused by name."""
    assert refusal(**{field: 0}).fields == (field,)


@pytest.mark.parametrize(
    ("smaller", "larger", "bound"),
    [
        ("probe_timeout", "probe_interval", 2.0),
        ("gather", "gossip_interval", 0.1),
        ("part_for", "tombstone_for", 60.0),
    ],
)
def test_values_that_cannot_work_together_are_both_named(
    smaller: str, larger: str, bound: float
) -> None:
    """The error names both fields and both values; a little smaller is enough."""
    error = refusal(**{smaller: bound, larger: bound})
    assert error.fields == (smaller, larger)
    assert f"{smaller} ({bound}) must be smaller than {larger} ({bound})" in str(error)

    settings: dict[str, Any] = {"name": "a", smaller: bound * 0.99, larger: bound}
    assert getattr(GossipConfig(**settings), larger) == bound


@pytest.mark.parametrize("value", [0.0, 1.0, 1.5])
def test_a_relay_reports_within_its_budget(value: float) -> None:
    """The share of the budget lies between nothing and all of it."""
    assert refusal(nack_share=value).fields == ("nack_share",)


def test_packets_fit_networks() -> None:
    """A datagram may be limited to what every IPv6 path carries, and not beyond one frame."""
    for fine in (1200, 1400):
        assert GossipConfig(name="a", packet_limit=fine).packet_limit == fine
    for bad in (1199, 1401):
        assert refusal(packet_limit=bad).fields == ("packet_limit",)
