"""Telling parts that were built later."""

from gossamer.gossip.basis import Signal


def test_all_listeners_are_told_in_order_of_arrival() -> None:
    """Each listener hears what happened, the one that came first before the others."""
    heard: list[str] = []
    signal = Signal[[str]]()
    signal.listen(lambda what: heard.append(f"first {what}"))
    signal.listen(lambda what: heard.append(f"second {what}"))
    signal("news")
    assert heard == ["first news", "second news"]


def test_without_listeners_nothing_happens() -> None:
    """A part can be built alone: what it tells is heard by nobody."""
    Signal[[int]]()(7)
