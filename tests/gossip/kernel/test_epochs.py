"""Which epochs are plausible."""

from cores import EPOCH, NOW

from gossamer.gossip.kernel import Epochs

DAY = 24 * 3600 * 1000


def test_an_epoch_may_be_a_day_ahead() -> None:
    """At a day ahead of the wall clock an epoch is believed, one millisecond later it is not."""
    epochs = Epochs(EPOCH, NOW)
    assert epochs.plausible(EPOCH + DAY, NOW)
    assert not epochs.plausible(EPOCH + DAY + 1, NOW)


def test_the_bound_moves_with_time() -> None:
    """What was too far ahead is plausible when its time has come."""
    epochs = Epochs(EPOCH, NOW)
    assert not epochs.plausible(EPOCH + DAY + 5000, NOW + 4.0)
    assert epochs.plausible(EPOCH + DAY + 5000, NOW + 5.0)


def test_a_clock_that_is_far_behind_follows_the_mesh() -> None:
    """The epoch of the mesh that the operator named is believed, and ten years after it."""
    epochs = Epochs(0, NOW)
    assert not epochs.plausible(EPOCH, NOW)
    epochs.believe(EPOCH, NOW)
    assert epochs.plausible(EPOCH + 3650 * DAY, NOW)
    assert not epochs.plausible(EPOCH + 3650 * DAY + 1, NOW)


def test_to_believe_a_plausible_epoch_changes_nothing() -> None:
    """A clock that agrees with the mesh keeps its bound of a day."""
    epochs = Epochs(EPOCH, NOW)
    epochs.believe(EPOCH + DAY, NOW)
    assert not epochs.plausible(EPOCH + DAY + 1, NOW)
