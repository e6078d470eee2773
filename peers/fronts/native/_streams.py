# Answers that wait for the registry: the long poll and the event stream.
#
# Both deliver the latest value: a slow client skips the states in between.

from contextlib import closing

import trio

from gossamer.peers.catalog import Catalog
from gossamer.peers.model import Lookup
from gossamer.peers.web import Send, encode_json


async def wait_for_change(
    catalog: Catalog, service: str, index: int | None, seconds: float
) -> None:
    """Return when the service is not at `index` any more, or when the time is over.

    Without an index: when it is known.
    """
    with trio.move_on_after(seconds):
        if index is not None:
            await catalog.changed(service, index)
            return
        while not catalog.knows(service):
            await catalog.changed(service, catalog.lookup(service).index)


async def send_events(catalog: Catalog, service: str | None, keep_alive: float, send: Send) -> None:
    """Send the present state of one service, or of all, and then each change, as events.

    Returns when the peer stops. After `keep_alive` seconds of silence a comment is sent.
    """
    with closing(catalog.watch(service)) as watch:
        while True:
            piece = b": still here\n\n"
            with trio.move_on_after(keep_alive):
                found = await anext(watch, None)
                if found is None:
                    return
                piece = encode_event(found)
            await send(piece)


def encode_event(lookup: Lookup) -> bytes:
    """Return a lookup as one event; JSON has no line breaks of its own."""
    return b"event: lookup\nid: %d\ndata: %b\n\n" % (lookup.index, encode_json(lookup.to_json()))
