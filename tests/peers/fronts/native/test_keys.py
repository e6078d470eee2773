"""The routes of the keys, over whole peers with real key files."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from http_wire import Wire, open_peer_lab
from keys import key, ring
from trio.testing import MockClock
from whole_peers import Town, alive, open_town, until

from gossamer.gossip import PLAIN
from gossamer.peers import Conflict, Peer, read_key_file, write_key_file
from gossamer.peers.fronts.native._key_routes import _read
from gossamer.peers.web import HttpError, Request

ONE, TWO = key(1), key(2)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


@pytest.fixture
async def peers(town: Town, tmp_path: Path, autojump_clock: MockClock) -> list[Peer]:
    """Three peers, each with a copy of the key file."""
    started = []
    for number in range(1, 4):
        path = tmp_path / f"p{number}.key"
        write_key_file(path, ring(ONE))
        started.append(await town.start(number, key_file=path))
    await until(lambda: all(alive(peer) == 3 and _told(peer) for peer in started), 30)
    return started


def _told(peer: Peer) -> bool:
    """Whether all others have told a peer of their keys."""
    return '"accepts": null' not in json.dumps(peer.keys.list())


@pytest.fixture
async def wires(peers: list[Peer]) -> AsyncIterator[list[Wire]]:
    async with (
        open_peer_lab(peers[0]) as one,
        open_peer_lab(peers[1]) as two,
        open_peer_lab(peers[2]) as three,
    ):
        yield [one.connect(), two.connect(), three.connect()]


@pytest.fixture
def next_key(tmp_path: Path) -> str:
    """The path of a file with the next key."""
    path = tmp_path / "next.key"
    write_key_file(path, ring(TWO))
    return str(path)


async def test_keys_are_listed_by_fingerprint(wires: list[Wire], tmp_path: Path) -> None:
    """All that there is to know but the keys themselves."""
    reply = await wires[0].get("/v1/keys")

    assert reply.status == 200
    assert reply.json == {
        "file": str(tmp_path / "p1.key"),
        "use": 1,
        "plain": False,
        "keys": [
            {
                "id": 1,
                "fingerprint": ONE.fingerprint.hex(),
                "in_use": True,
                "used_by": ["p2", "p3"],
                "lacking": [],
            }
        ],
        "members": [
            {"name": name, "status": "alive", "accepts": [1], "use": 1} for name in ("p2", "p3")
        ],
    }


async def test_a_key_is_rotated_over_http(
    wires: list[Wire], peers: list[Peer], next_key: str, tmp_path: Path
) -> None:
    """Added at each, used by one request, removed by one; all files follow."""
    for wire in wires:
        added = await wire.ask("POST", "/v1/keys/add", {"file": next_key})
        assert [each["id"] for each in added.json["keys"]] == [1, 2]
    await until(lambda: all(_accepted_by_all(peer, 2) for peer in peers), 10)
    assert (await wires[1].ask("POST", "/v1/keys/use", {"id": 2})).json["use"] == 2
    await until(lambda: all(_used_by_all(peer, 2) for peer in peers), 10)
    removed = await wires[2].ask("POST", "/v1/keys/remove", {"id": 1})
    assert [each["id"] for each in removed.json["keys"]] == [2]
    await until(lambda: all(peer.info()["keys"] == {"use": 2, "accepts": [2]} for peer in peers), 5)

    files = [read_key_file(tmp_path / f"p{number}.key") for number in range(1, 4)]
    assert files == [ring(TWO)] * 3


async def test_what_is_not_ready_is_refused_by_name(wires: list[Wire], next_key: str) -> None:
    """409, with the members in the sentence, unless forced; nothing is changed."""
    await wires[0].ask("POST", "/v1/keys/add", {"file": next_key})
    refused = await wires[0].ask("POST", "/v1/keys/use", {"id": 2})
    assert refused.status == 409
    assert "key 2 is not accepted yet by p2, p3" in refused.error
    assert (await wires[0].get("/v1/keys")).json["use"] == 1
    busy = await wires[0].ask("POST", "/v1/keys/remove", {"id": 1})
    assert (busy.status, "in use here" in busy.error) == (409, True)

    assert (await wires[0].ask("POST", "/v1/keys/use", {"id": 2, "force": True})).status == 200
    needed = await wires[0].ask("POST", "/v1/keys/remove", {"id": 1})
    assert "key 1 is still needed by p2, p3" in needed.error


async def test_plain_text_is_let_in_and_out_again(wires: list[Wire]) -> None:
    """`plain` stands where an id would."""
    opened = await wires[0].ask("POST", "/v1/keys/add", {"plain": True})
    assert opened.json["plain"] is True
    assert opened.json["keys"][0]["id"] == "plain"
    assert (await wires[0].ask("POST", "/v1/keys/remove", {"id": "plain"})).json["plain"] is False


@pytest.mark.parametrize(
    ("route", "body", "status", "names"),
    [
        ("add", {}, 400, "file"),
        ("add", {"file": "mesh.key"}, 400, "absolute path"),
        ("add", {"file": 7}, 400, "absolute path"),
        ("add", {"file": "/a\0b"}, 400, "absolute path"),
        ("add", {"file": "/nowhere/at.all"}, 400, "is not there"),
        ("add", {"file": "/etc/passwd"}, 400, "open to others"),
        ("add", {"file": "/x", "plain": True}, 400, "either"),
        ("add", {"plain": "yes"}, 400, "plain must be"),
        ("add", {"key": "AAAA"}, 400, "no field 'key'"),
        ("use", {}, 400, "id must be"),
        ("use", {"id": "1"}, 400, "id must be"),
        ("use", {"id": 0}, 400, "id must be"),
        ("use", {"id": True}, 400, "id must be"),
        ("use", {"id": 9}, 400, "does not accept key 9; it accepts key 1"),
        ("use", {"id": "plain"}, 400, "does not accept plain text"),
        ("use", {"id": 1, "force": 1}, 400, "force must be"),
        ("remove", {"id": 9}, 400, "does not accept key 9"),
        ("remove?all=1", {"id": 1}, 400, "all"),
    ],
)
async def test_bad_requests_are_refused(
    wires: list[Wire], route: str, body: object, status: int, names: str
) -> None:
    """One sentence that names the field and the remedy; the keys stay as they were."""
    before = (await wires[0].get("/v1/keys")).json
    reply = await wires[0].ask("POST", f"/v1/keys/{route}", body)

    assert (reply.status, names in reply.error) == (status, True), reply.error
    assert (await wires[0].get("/v1/keys")).json == before


async def test_a_peer_without_keys_says_how_to_get_some(
    town: Town, autojump_clock: MockClock
) -> None:
    """409 for each route, and null in the peer's own report."""
    peer = await town.start(1)
    async with open_peer_lab(peer) as lab:
        wire = lab.connect()
        for method, path, body in (
            ("GET", "/v1/keys", None),
            ("POST", "/v1/keys/use", {"id": 1}),
            ("POST", "/v1/keys/add", {"plain": True}),
        ):
            reply = await wire.ask(method, path, body)
            assert (reply.status, "start it with a key_file" in reply.error) == (409, True)
    assert peer.info()["keys"] is None
    with pytest.raises(Conflict):
        _ = peer.keys


async def test_keys_are_changed_from_the_peers_own_machine_alone(peers: list[Peer]) -> None:
    """A client on another machine may read keys; changes are refused with 403."""
    async with open_peer_lab(peers[0]) as lab:
        # As on an address that others reach: a stream in memory comes from nowhere.
        wire = lab.connect(loopback=False)
        assert (await wire.get("/v1/keys")).status == 200
        for route in ("add", "use", "remove"):
            reply = await wire.ask("POST", f"/v1/keys/{route}", {"id": 1})
            assert (
                reply.status,
                "only at requests from the peer's own machine" in reply.error,
            ) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"Forwarded": "for=192.0.2.7"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_pages_and_proxies_change_no_keys(wires: list[Wire], headers: dict[str, str]) -> None:
    """A request through a browser or a proxy does not count as one from this machine."""
    reply = await wires[0].ask("POST", "/v1/keys/add", {"plain": True}, **headers)
    assert reply.status == 403
    assert (await wires[0].get("/v1/keys")).json["plain"] is False


@pytest.mark.parametrize(
    ("host", "refused"), [(b"evil.example:8761", True), (b"127.0.0.1:8761", False)]
)
def test_a_public_name_that_leads_to_loopback_is_refused(host: bytes, refused: bool) -> None:
    """Also where the listener is one that others reach, a page cannot pass for this machine."""
    request = Request("POST", (), "", [(b"host", host)], from_here=True, body=b"{}")
    if refused:
        with pytest.raises(HttpError) as caught:
            _read(request, ())
        assert caught.value.status == 403
    else:
        assert _read(request, ()) == {}


async def test_the_library_does_what_the_routes_do(
    peers: list[Peer], next_key: str, tmp_path: Path
) -> None:
    """`peer.keys` adds, uses and removes, and refuses in the same words."""
    for peer in peers:
        peer.keys.add(next_key)
    await until(lambda: all(_accepted_by_all(peer, 2) for peer in peers), 10)
    peers[0].keys.use(2)
    await until(lambda: all(_used_by_all(peer, 2) for peer in peers), 10)
    peers[0].keys.remove(1)
    with pytest.raises(Conflict, match="key 2 is in use here"):
        peers[0].keys.remove(2, force=True)
    peers[0].keys.add_plain()
    peers[0].keys.use("plain", force=True)
    assert read_key_file(tmp_path / "p1.key") == ring(TWO, use=PLAIN, plain=True)


def _members(peer: Peer) -> list[dict[str, Any]]:
    members = peer.keys.list()["members"]
    assert isinstance(members, list)
    return members


def _accepted_by_all(peer: Peer, key_id: int) -> bool:
    return all(key_id in (member["accepts"] or ()) for member in _members(peer))


def _used_by_all(peer: Peer, key_id: int) -> bool:
    return peer.keys.list()["use"] == key_id and all(
        member["use"] == key_id for member in _members(peer)
    )
