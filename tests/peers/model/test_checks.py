from typing import Any

import pytest
from hypothesis import given, strategies as st

from gossamer.peers.model import (
    BadInput,
    Registration,
    TooLarge,
    check_address,
    check_names,
    check_text,
)
from gossamer.peers.registry._records import Record, decode_record, encode_record
from gossamer.peers.registry._registration import read_registration

VALID: dict[str, Any] = {
    "service": "orders",
    "id": "orders-1",
    "port": 8080,
    "address": "10.0.0.5",
    "tags": ["v2"],
    "metadata": {"team": "a"},
    "weight": 1,
    "zone": "z1",
    "ttl": 30,
    "status": "UP",
}


def read(**changes: object) -> Record:
    return read_wanted(1, **changes)[1]


def read_wanted(wall_ms: int, **changes: Any) -> tuple[tuple[str, str], Record]:
    wanted = Registration(**{**VALID, **changes})
    return read_registration(wanted, address=None, zone=None, wall_ms=wall_ms)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", ""),
        ("service", "x" * 129),
        ("service", "a/b"),
        ("service", ".."),
        ("service", " a"),
        ("service", "a\n"),
        ("service", "a\u2028b"),
        ("service", "\ud800"),
        ("service", 7),
        ("id", ""),
        ("id", "x" * 257),
        ("id", "a/b"),
        ("id", "a\x7f"),
        ("id", "ä" * 250 + "\u20ac" * 6 + "x" * 100),
        ("port", 0),
        ("port", 70000),
        ("port", True),
        ("port", "80"),
        ("port", 80.0),
        pytest.param("port", 10**5000, id="port-huge"),
        ("address", None),
        ("address", ""),
        ("address", "0.0.0.0"),
        ("address", "::"),
        ("address", "224.0.0.1"),
        ("address", "[::1]"),
        ("address", "fe80::1%eth0"),
        ("address", "10.0.0.256"),
        ("address", "a b"),
        ("address", "-a.example"),
        ("address", "a..b"),
        ("address", "a" * 64),
        ("address", "bücher.example"),
        ("address", ("a" * 60 + ".") * 5 + "com"),
        ("tags", "v2"),
        ("tags", 5),
        ("tags", {"v2": "x"}),
        ("tags", [""]),
        ("tags", ["x" * 129]),
        ("tags", [5]),
        ("tags", [f"t{i}" for i in range(33)]),
        ("metadata", ["a"]),
        ("metadata", {"": "a"}),
        ("metadata", {"k" * 129: "a"}),
        ("metadata", {"k": "v" * 1025}),
        ("metadata", {"k": 5}),
        ("metadata", {5: "v"}),
        ("metadata", {"k": "a\tb"}),
        ("metadata", {f"k{i}": "v" for i in range(65)}),
        ("weight", -1),
        ("weight", 65_536),
        ("weight", True),
        ("zone", ""),
        ("zone", "z" * 65),
        ("ttl", 0),
        ("ttl", 0.5),
        ("ttl", 604_801),
        ("ttl", float("nan")),
        ("ttl", float("inf")),
        ("ttl", 10**400),
        ("ttl", True),
        ("ttl", "30"),
        ("status", "up"),
        ("status", None),
        ("status", ["UP"]),
    ],
)
def test_bad_input_is_refused_by_field(field: str, value: object) -> None:
    """What cannot be used is refused with the name of its field and one sentence."""
    with pytest.raises(BadInput) as caught:
        read(**{field: value})
    assert caught.value.field == field
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "x" * 128),
        ("id", "host:orders:8080"),
        ("id", "x" * 256),
        ("port", 1),
        ("port", 65_535),
        ("address", "::1"),
        ("address", "orders.example.com"),
        ("address", "my_container"),
        ("address", ".".join(["a" * 61] * 4) + ".wxyz"),
        ("tags", []),
        ("tags", ("a", "b")),
        ("tags", [f"t{i}" for i in range(32)]),
        ("metadata", None),
        ("metadata", {}),
        ("metadata", {"k": ""}),
        ("metadata", {"k" * 128: "v" * 1024}),
        ("metadata", {f"k{i}": "v" for i in range(64)}),
        ("weight", 0),
        ("weight", 65_535),
        ("zone", None),
        ("zone", "z" * 64),
        ("ttl", None),
        ("ttl", 1),
        ("ttl", 1.5),
        ("ttl", 604_800),
        ("status", "UNKNOWN"),
        ("status", "STARTING"),
    ],
)
def test_input_at_the_limit_is_taken(field: str, value: object) -> None:
    """What is just within the limits is taken, and its record can be read elsewhere."""
    record = read(**{field: value})
    assert decode_record(encode_record(record)) == record


def test_a_record_that_is_too_large_as_a_whole_is_refused() -> None:
    """Many values that are each within limits are refused by `metadata` when they add up."""
    with pytest.raises(TooLarge, match="the limit is 8192") as caught:
        read(metadata={f"k{i}": "v" * 500 for i in range(20)})
    assert caught.value.field == "metadata"


def test_the_default_id_is_stable() -> None:
    """The same service, address and port without an id are the same instance."""
    (_, one), _ = read_wanted(1, id=None)
    (_, two), _ = read_wanted(2, id=None, tags=[])
    assert one == two == "orders-10.0.0.5-8080"


def test_tags_are_kept_once_and_in_order() -> None:
    """A tag given twice is kept once, where it came first."""
    assert read(tags=["b", "a", "b"]).tags == ("b", "a")


texts = st.text(max_size=40)
anything = st.one_of(
    texts, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(texts, max_size=3)
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "service": anything,
            "id": anything,
            "port": st.one_of(st.integers(-1, 70_000), anything),
            "address": anything,
            "tags": st.one_of(st.lists(texts), anything),
            "metadata": st.one_of(st.dictionaries(texts, texts), anything),
            "weight": st.one_of(st.integers(-1, 70_000), anything),
            "zone": anything,
            "ttl": anything,
            "status": anything,
        },
    )
)
def test_what_is_taken_here_is_taken_elsewhere(changes: dict[str, Any]) -> None:
    """No input passes the checks whose record the decoder refuses; nothing but errors of ours."""
    try:
        subject, record = read_wanted(1, **changes)
    except (BadInput, TooLarge):
        return
    assert decode_record(encode_record(record)) == record
    assert check_names(*subject) == subject


@given(st.text())
def test_texts_that_are_taken_can_be_encoded_and_shown(value: str) -> None:
    """A text that passes has a UTF-8 form and occupies one line."""
    try:
        check_text("reason", value, 100)
    except BadInput:
        return
    assert value.encode().decode() == value
    assert len(value.splitlines()) == 1


@given(st.one_of(st.ip_addresses().map(str), st.from_regex(r"[a-z0-9.:%_-]{1,30}", fullmatch=True)))
def test_addresses_that_are_taken_are_one_word(value: str) -> None:
    """An address that passes needs no quoting anywhere."""
    try:
        address = check_address(value)
    except BadInput:
        return
    assert address == value
    assert not set(value) & set("[]%/ ")
