"""The sentences of the log."""

import logging
from collections.abc import Iterator

import pytest

from gossamer.gossip import (
    LeaveCompleted,
    Member,
    MemberFailed,
    NameConflict,
    PartDropped,
    PathChanged,
    Status,
)
from gossamer.peers.host import log_event, logger


@pytest.fixture
def restored() -> Iterator[None]:
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def member(name: str) -> Member:
    return Member(
        name=name,
        epoch=1,
        incarnation=0,
        status=Status.ALIVE,
        address=("10.0.0.2", 7940),
        zone="",
        nonce=1,
        since=0.0,
    )


def test_levels_follow_what_an_operator_has_to_do(
    restored: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A death is a warning, a name used twice an error, replication is not logged."""
    logger.propagate = True
    with caplog.at_level(logging.DEBUG, "gossamer"):
        log_event("a", MemberFailed(member("b"), "c", definite=False))
        log_event("a", NameConflict(("10.0.0.3", 7940)))
        log_event("a", PartDropped("b"))
        log_event("a", LeaveCompleted(3))
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


@pytest.mark.parametrize(
    ("path", "level", "said"),
    [
        (
            "udp blocked",
            logging.WARNING,
            "degraded: b is alive, but udp blocked between it and this peer",
        ),
        (None, logging.INFO, "b"),
    ],
)
def test_a_blocked_transport_is_a_warning(
    path: str | None, level: int, said: str, caplog: pytest.LogCaptureFixture, restored: None
) -> None:
    """The line names the member and the transport; that it is open again is told as well."""
    logger.propagate = True
    with caplog.at_level(logging.DEBUG, "gossamer"):
        log_event("a", PathChanged("b", path))
    [record] = caplog.records
    assert record.levelno == level
    assert said in record.getMessage()
