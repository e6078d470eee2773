from collections.abc import AsyncIterator

import pytest
from http_wire import Wire, open_peer_lab
from whole_peers import Town, open_town

from gossamer.peers import Peer


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


@pytest.fixture
async def peer(town: Town) -> Peer:
    return await town.start(1)


@pytest.fixture
async def wire(peer: Peer) -> AsyncIterator[Wire]:
    async with open_peer_lab(peer) as lab:
        yield lab.connect()
