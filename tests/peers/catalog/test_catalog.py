"""What fronts are given is a peer, seen through protocols."""

import inspect

import pytest

from gossamer.peers import Peer
from gossamer.peers.catalog import Catalog, Operator

# Each is a promise to fronts; mypy compares the types, this compares what there is.
PROMISED = [
    (protocol, name)
    for protocol in (Catalog, Operator)
    for name in sorted(vars(protocol))
    if not name.startswith("_")
]


@pytest.mark.parametrize(("protocol", "name"), PROMISED)
def test_a_peer_offers_what_fronts_are_promised(protocol: type, name: str) -> None:
    """With the same arguments and defaults, so that a front needs no adapter."""
    promised, offered = getattr(protocol, name), getattr(Peer, name)
    if isinstance(promised, property):
        assert isinstance(offered, property)
        return
    assert inspect.iscoroutinefunction(promised) == inspect.iscoroutinefunction(offered)
    expected, found = (inspect.signature(each).parameters for each in (promised, offered))
    assert list(expected) == list(found)
    for parameter, kind in expected.items():
        assert (found[parameter].default, found[parameter].kind) == (kind.default, kind.kind)


def test_the_two_protocols_share_nothing() -> None:
    """An API that imitates another system gets the catalog, and cannot have a peer leave."""
    names = {
        protocol: {n for p, n in PROMISED if p is protocol} for protocol in (Catalog, Operator)
    }
    assert not names[Catalog] & names[Operator]
    assert {"join", "request_leave", "accept_loss", "keys"} <= names[Operator]


def peer_as_catalog(peer: Peer) -> tuple[Catalog, Operator]:
    """Return a peer as both; mypy refuses this line where a type differs."""
    return peer, peer
