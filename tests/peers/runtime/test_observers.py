"""What is done about single events: they are logged, and an epoch is kept on disk."""

import logging
from pathlib import Path

import pytest
from cores import gossip

from gossamer.gossip import EpochRaised, Joined, SeedIsSelf
from gossamer.peers.host import Storage
from gossamer.peers.runtime import epoch_file, event_log


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="gossamer")
    return caplog


def test_events_are_logged_in_order(log: pytest.LogCaptureFixture) -> None:
    """Each by the sentence that it has, with the peer's name."""
    event_log(gossip("a")).handle_all([Joined(), EpochRaised(7)], 0.0)
    assert [record.getMessage() for record in log.records] == [
        "this peer joined the mesh",
        "this peer took epoch 7: the mesh knew a later life of this peer",
    ]
    assert {record.__dict__["peer"] for record in log.records} == {"a"}


@pytest.mark.parametrize("every", [False, True])
def test_a_peer_whose_seeds_are_all_itself_is_warned_of(
    every: bool, log: pytest.LogCaptureFixture
) -> None:
    """One such seed among others is harmless."""
    core = gossip("a")
    core.join([core.address], 1000.0)
    if not every:
        core.join([core.address, ("10.0.0.9", 7940)], 1000.0)
    core.inside.seeds.met_self(core.address, 1000.0)
    event_log(core).handle_all([SeedIsSelf(core.address)], 0.0)
    warnings = [each.getMessage() for each in log.records if each.levelno == logging.WARNING]
    assert bool(warnings) == every


def test_a_raised_epoch_is_kept_on_disk(tmp_path: Path) -> None:
    """The next life begins above it, whatever its clock shows."""
    storage = Storage.open(tmp_path, "a")
    epoch_file("a", storage).handle_all([Joined(), EpochRaised(7), EpochRaised(9)], 0.0)
    storage.close()
    assert Storage.open(tmp_path, "a").epoch == 9


def test_an_epoch_that_cannot_be_kept_is_logged_and_the_peer_goes_on(
    tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    """A full disk must not end a peer."""
    storage = Storage.open(tmp_path / "gone", "a")
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    (tmp_path / "gone").rmdir()
    epoch_file("a", storage).handle_all([EpochRaised(7)], 0.0)
    [record] = log.records
    assert record.levelno == logging.ERROR
    assert str(tmp_path) in record.getMessage()
    storage.close()
