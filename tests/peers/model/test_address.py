"""Addresses as people write them."""

import pytest
from hypothesis import given, strategies as st

from gossamer.peers import BadInput, format_address, parse_address
from gossamer.peers.model import is_loopback, numeric


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.7:7940", ("10.0.0.7", 7940)),
        ("[fd00::7]:7940", ("fd00::7", 7940)),
        ("[::]:0", ("::", 0)),
        ("orders-1.example:65535", ("orders-1.example", 65535)),
        ("orders_1:1", ("orders_1", 1)),
    ],
)
def test_what_is_written_is_read_and_written_again(text: str, address: tuple[str, int]) -> None:
    """Reading and writing are each other's reverse."""
    assert parse_address(text, "join") == address
    assert format_address(address) == text


@given(st.text())
def test_any_text_is_an_address_or_refused_with_its_field(text: str) -> None:
    """Nothing but `BadInput` comes out, whatever goes in."""
    try:
        host, port = parse_address(text, "join")
    except BadInput as error:
        fields = {error.field}
    else:
        fields = {"join"}
        assert host
        assert 0 <= port <= 65535
    assert fields == {"join"}


def test_ipv4_in_ipv6_clothes_is_ipv4() -> None:
    """One peer has one address, whichever socket its datagrams come through."""
    assert numeric("::ffff:10.0.0.7") == "10.0.0.7"
    assert numeric("FD00:0::7") == "fd00::7"
    assert numeric("orders") is None
    assert numeric("fe80::1%eth0") is None


def test_loopback_is_known_in_both_families() -> None:
    """All of 127.0.0.0/8, and ::1."""
    assert is_loopback("127.3.2.1")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")
