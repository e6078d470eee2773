"""Answers that take time: who still waits for them, and what is sent meanwhile."""

import pytest
import trio
from http_wire import Lab, Wire
from small_site import Application


async def test_a_wait_ends_when_the_client_goes(
    lab: Lab, application: Application, autojump_clock: trio.testing.MockClock
) -> None:
    """A closed connection and a half-closed one alike, at once; the server goes on."""
    closed, half_closed = lab.connect(), lab.connect()
    for wire in (closed, half_closed):
        await wire.send("GET", "/wait")
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == []

    await closed.stream.aclose()
    await half_closed.stream.send_eof()
    await trio.testing.wait_all_tasks_blocked()

    assert application.ended == ["cancelled"] * 2
    assert lab.statistics()["connections_open"] == 0
    assert trio.current_time() < 0.1 + autojump_clock.autojump_threshold


async def test_a_stream_ends_when_the_client_goes(lab: Lab, application: Application) -> None:
    """Also while nothing is there to be sent, when no failed write could tell."""
    wire = lab.connect()
    await wire.send("GET", "/stream")
    await wire.head()
    assert await wire.piece() == b"one"

    await wire.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()

    assert application.ended == ["cancelled"]


async def test_what_changes_something_is_not_given_up_midway(
    lab: Lab, application: Application
) -> None:
    """A client that has gone does not undo what it asked for."""
    wire = lab.connect()
    await wire.send("POST", "/act")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.aclose()
    application.go.set()
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == ["done"]


async def test_requests_sent_while_waiting_are_answered_after(
    wire: Wire, application: Application
) -> None:
    """What was read while watching for the client's end is not lost."""
    await wire.stream.send_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.send_all(b"GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n")
    await trio.testing.wait_all_tasks_blocked()
    application.go.set()
    assert (await wire.raw_reply()).body == b"waited"
    assert (await wire.raw_reply()).body == b"('a', '')"


@pytest.mark.parametrize(("size", "ended"), [(500, []), (501, ["cancelled"])])
async def test_too_much_sent_while_waiting_ends_the_connection(
    lab: Lab, application: Application, size: int, ended: list[str]
) -> None:
    """What is sent ahead is kept in memory, so it has a limit."""
    wire = lab.connect()
    await wire.send("GET", "/wait")
    await trio.testing.wait_all_tasks_blocked()
    await wire.stream.send_all(b"x" * size)
    await trio.testing.wait_all_tasks_blocked()
    assert application.ended == ended
