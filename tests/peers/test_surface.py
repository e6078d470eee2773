"""What users may call is one list, whether they run on trio or in threads."""

import inspect

import pytest

from gossamer.peers import Peer, ThreadedPeer

# The block around a peer in a thread decides when this peer ends.
OF_THE_BLOCK = {"leave", "left", "request_leave", "abort"}
# A watch is an asynchronous iterator, for which threads have no form yet.
NOT_YET = {"watch"}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_threads_have_every_method_of_a_peer() -> None:
    """A method that is added to the one is added to the other, or named above with its reason."""
    expected = public(Peer) - OF_THE_BLOCK - NOT_YET
    assert expected <= public(ThreadedPeer)
    # An attribute in the one place may be a property in the other.
    assert public(ThreadedPeer) - expected <= {"config"}


@pytest.mark.parametrize("name", sorted(public(Peer) & public(ThreadedPeer)))
def test_methods_take_the_same_arguments_in_threads(name: str) -> None:
    """With the same defaults; what waits may have a timeout besides, where trio has scopes."""
    here, there = getattr(Peer, name), getattr(ThreadedPeer, name)
    if not inspect.isfunction(here):
        assert isinstance(there, property)
        return
    taken = dict(inspect.signature(there).parameters)
    if inspect.iscoroutinefunction(here):
        taken.pop("timeout", None)
    expected = inspect.signature(here).parameters
    assert list(taken) == list(expected)
    for parameter, kind in expected.items():
        assert (taken[parameter].default, taken[parameter].kind) == (kind.default, kind.kind)
